#![no_main]
//! Boxes of TrackingNet, and boxes and labels of GOT-10k.

use libfuzzer_sys::fuzz_target;
use vidpairs_fuzz::{halves, in_scratch, put};
use vidpairs_types::{Annotation, Clip, Media};

fuzz_target!(|data: &[u8]| in_scratch(|folder| {
    let (boxes, labels) = halves(data);
    let file = put(folder, "groundtruth.txt", boxes);
    put(folder, "absence.label", labels);
    put(folder, "cover.label", labels);
    put(folder, "meta_info.ini", labels);
    for annotation in [Annotation::TrackingNet(file.clone()), Annotation::Got10k(folder.to_owned())] {
        let clip = Clip {
            id: "clip".to_owned(),
            media: Media::Video("clip.mp4".into()),
            annotation,
            label: None,
        };
        let _ = vidpairs_source::annotations(&clip);
        let _ = vidpairs_source::cover(&clip);
    }
}));
