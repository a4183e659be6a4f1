//! Files that name all others: written when all items are made.

use std::collections::BTreeMap;

use super::{SetKind, Settings};
use crate::layout::got10k;
use crate::layout::pascal3d::{ImageSet, image_set_path, image_set_text};

/// The lists of a set, name and text, from the `names` that its items made, in their order.
///
/// TrackingNet and ALOI have none; GOT-10k has a `list.txt` for each split; PASCAL3D+ a list of training and of
/// validation images for each class, every other image in the one and in the other.
pub fn index_files<'a>(
    settings: &Settings,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<(String, String)> {
    match settings.kind {
        SetKind::TrackingNet | SetKind::Aloi => Vec::new(),
        SetKind::Got10k => {
            let mut splits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for name in names {
                if let Some((split, sequence)) = name.split_once('/') {
                    splits.entry(split).or_default().push(sequence);
                }
            }
            let lists = splits.into_iter().map(|(split, sequences)| {
                let text = got10k::list_text(sequences);
                (format!("{split}/{}", got10k::LIST), text)
            });
            lists.collect()
        }
        SetKind::Pascal3d => {
            let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for name in names {
                let parts = name
                    .strip_prefix("Images/")
                    .and_then(|name| name.split_once('/'));
                let Some((folder, file)) = parts else {
                    continue;
                };
                let id = file.rsplit_once('.').map_or(file, |(id, _)| id);
                if let Some(class) = folder.strip_suffix("_imagenet") {
                    classes.entry(class).or_default().push(id);
                }
            }
            let mut files = Vec::new();
            for (class, ids) in classes {
                for (set, first) in [(ImageSet::Train, 0), (ImageSet::Val, 1)] {
                    let ids = ids.iter().skip(first).step_by(2).copied();
                    files.push((image_set_path(class, set), image_set_text(ids)));
                }
            }
            files
        }
    }
}
