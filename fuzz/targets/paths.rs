#![no_main]
//! A list of paths as source.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};
use vidpairs_source::{SourceOptions, list};
use vidpairs_types::SourceKind;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "cat.mp4", b"");
    let file = put(folder, "list.txt", data);
    let options = SourceOptions { kind: SourceKind::Videos, splits: Vec::new() };
    let _ = list(&file, &options);
}));
