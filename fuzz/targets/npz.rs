#![no_main]
//! A whole `.npz` archive.

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vidpairs_invariance::npz::{FeatureTable, NpzArchive};

fuzz_target!(|data: &[u8]| {
    if let Ok(mut archive) = NpzArchive::new(Cursor::new(data)) {
        let _ = FeatureTable::from_archive(&mut archive);
    }
});
