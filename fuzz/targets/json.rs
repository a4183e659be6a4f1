#![no_main]
//! The manifest of a data set.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};
use vidpairs_shard::{DatasetReader, Manifest, verify_manifest};

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "dataset.json", data);
    if let Ok(manifest) = Manifest::read(folder) {
        let _ = verify_manifest(folder, &manifest);
        let _ = DatasetReader::open(folder);
    }
}));
