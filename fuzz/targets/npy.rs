#![no_main]
//! The arrays of an `.npz`, in a sound archive.

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{halves, zip_of};
use vidpairs_invariance::npz::{FeatureTable, NpzArchive};

fuzz_target!(|data: &[u8]| {
    let (labels, features) = halves(data);
    let members = [("feat.npy", features), ("instance.npy", labels), ("class.npy", labels)];
    let mut archive = NpzArchive::new(Cursor::new(zip_of(&members))).expect("a sound archive");
    for name in ["feat", "instance"] {
        if let Ok(array) = archive.array(name) {
            let _ = array.into_texts();
        }
        if let Ok(array) = archive.array(name) {
            let _ = array.into_integers();
        }
    }
    let _ = FeatureTable::from_archive(&mut archive);
});
