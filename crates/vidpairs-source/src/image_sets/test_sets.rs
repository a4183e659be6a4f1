//! What the tests of several kinds look at.

use std::path::Path;

use vidpairs_types::{ImageSets, Seed};

use super::{ImageSetKind, image_sets};

/// Id and target of each set.
pub(super) fn sets_of(found: &ImageSets) -> Vec<(&str, &str)> {
    let sets = found.sets.iter();
    sets.map(|set| (&*set.id, &*found.targets[set.target_index]))
        .collect()
}

/// What was left out and why.
pub(super) fn left_out(found: &ImageSets) -> Vec<(&str, &str)> {
    let left_out = found.left_out.iter();
    left_out.map(|it| (&*it.what, &*it.reason)).collect()
}

pub(super) fn error_text(kind: ImageSetKind, root: &Path) -> String {
    let error = image_sets(kind, root, Seed::of_run(0)).unwrap_err();
    error.to_string().replace(&*root.to_string_lossy(), "ROOT")
}

/// The head of a JPEG of this size; nothing else of it.
pub(super) fn jpeg_head(width: u16, height: u16) -> Vec<u8> {
    let mut head = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    head.extend(b"\xFF\xC0\x00\x11\x08");
    head.extend(height.to_be_bytes());
    head.extend(width.to_be_bytes());
    head.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01");
    head
}
