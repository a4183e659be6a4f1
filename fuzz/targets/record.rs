#![no_main]
//! The JSON of a record.

use libfuzzer_sys::fuzz_target;
use vidpairs_shard::RecordMeta;

fuzz_target!(|data: &[u8]| {
    let _ = serde_json::from_slice::<RecordMeta>(data);
});
