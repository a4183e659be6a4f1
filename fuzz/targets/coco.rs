#![no_main]
//! The annotation file of a split of MSCOCO.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{in_scratch, put};
use vidpairs_source::{ImageParts, SourceOptions, list_parts};
use vidpairs_types::SourceKind;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    put(folder, "train2017/1.jpg", b"\xff\xd8");
    put(folder, "annotations/instances_train2017.json", data);
    let options = SourceOptions {
        kind: SourceKind::Coco,
        splits: Vec::new(),
    };
    let _ = list_parts(folder, &options, ImageParts::Boxes);
}));
