#![no_main]
//! A shard and its index, which need not fit: reading, rebuilding of the index, verification.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{entry_of, halves, in_scratch, put};
use vidpairs_shard::{ShardReader, verify_shard};

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let (index, tar) = halves(data);
    let path = put(folder, "pairs-000000.tar", tar);
    put(folder, "pairs-000000.idx", index);
    let Ok(shard) = ShardReader::open(&path) else {
        return;
    };
    for number in 0..shard.num_records().min(1000) {
        if let Ok(record) = shard.record(number) {
            let _ = record.meta();
            let _ = record.check();
        }
    }
    let entry = entry_of("pairs-000000.tar", tar, shard.num_records());
    let _ = verify_shard(folder, &entry, &|_| true);
}));
