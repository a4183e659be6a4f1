#![no_main]
//! Index of a shard beside a sound tar.

use libfuzzer_sys::fuzz_target;
use vidpairs_shard::ShardIndex;

fuzz_target!(|data: &[u8]| {
    let Ok(index) = ShardIndex::parse(data.to_vec()) else {
        return;
    };
    for number in 0..index.num_records().min(1000) {
        let _ = index.record(number);
    }
    let _ = index.end();
});
