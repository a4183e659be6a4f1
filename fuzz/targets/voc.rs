#![no_main]
//! A list and an annotation of Pascal VOC.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{halves, in_scratch, put};
use vidpairs_source::{ImageParts, SourceOptions, list_parts, objects, voc_probe_set};
use vidpairs_types::SourceKind;

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let (list, annotation) = halves(data);
    put(folder, "VOC2007/JPEGImages/1.jpg", b"\xff\xd8");
    put(folder, "VOC2007/ImageSets/Main/trainval.txt", list);
    put(folder, "VOC2007/ImageSets/Main/test.txt", b"1\n");
    put(folder, "VOC2007/Annotations/1.xml", annotation);
    let options = SourceOptions {
        kind: SourceKind::Voc,
        splits: Vec::new(),
    };
    if let Ok(listing) = list_parts(folder, &options, ImageParts::Boxes) {
        for clip in &listing.clips {
            let _ = objects(clip);
        }
    }
    let _ = voc_probe_set(folder, ImageParts::Boxes);
}));
