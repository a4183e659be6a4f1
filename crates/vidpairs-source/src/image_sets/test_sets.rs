//! Assertions shared by the tests of several kinds.

use std::path::Path;

use vidpairs_types::{ImageSets, Seed};

use super::{ImageSetKind, image_sets};

/// Id and target of each set.
pub(super) fn sets_of(found: &ImageSets) -> Vec<(&str, &str)> {
    found
        .sets
        .iter()
        .map(|set| (&*set.id, &*found.targets[set.target_index]))
        .collect()
}

/// Name and reason of each exclusion.
pub(super) fn left_out(found: &ImageSets) -> Vec<(&str, &str)> {
    found
        .left_out
        .iter()
        .map(|left_out| (&*left_out.what, &*left_out.reason))
        .collect()
}

/// Message of the error, with `ROOT` in place of the root.
pub(super) fn error_text(kind: ImageSetKind, root: &Path) -> String {
    let error = image_sets(kind, root, Seed::of_run(0)).unwrap_err();
    error.to_string().replace(&*root.to_string_lossy(), "ROOT")
}
