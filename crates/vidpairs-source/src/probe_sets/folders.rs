//! Lists ImageNet, and a user's own images in one folder for each class.

use std::path::Path;

use vidpairs_types::{ProbeSet, Split, is_still_name};

use super::ProbeSetOptions;
use super::listing::ProbeListing;
use crate::disk::{self, Entry};
use crate::error::SourceError;

/// Folders of a split, of which only `train` has the training images.
const TRAIN: &str = "train";
/// Folders of test images. If both are there, `test` is used.
const TESTS: [&str; 2] = ["test", "val"];
const LOOKED_FOR: &str = "<class>/<image>, or train/<class>/<image> and val/ or test/ likewise";

/// Lists `train/<wnid>` and `val/<wnid>`, the official layout once the validation images lie in class folders.
pub(super) fn imagenet(root: &Path) -> Result<ProbeSet, SourceError> {
    let entries = disk::root_entries(root)?;
    let mut listing = ProbeListing::default();
    let train = split_folder(root, &entries, TRAIN)?;
    let val = split_folder(root, &entries, "val")?;
    let splits = [(Split::Train, TRAIN, train), (Split::Test, "val", val)];
    listing.add_splits(root, splits, is_wnid)?;
    listing.finish(root)
}

/// Lists `<class>/<image>`; without splits, each class is divided by [`ProbeSetOptions::test_share`].
///
/// Folders `train`, `val` and `test` are splits, with the classes below them, if the root has no other folder, or if `train` and one of the
/// others hold class folders and no image beside them. Other folders are left out then.
pub(super) fn folders(root: &Path, options: &ProbeSetOptions) -> Result<ProbeSet, SourceError> {
    let entries = disk::root_entries(root)?;
    let folders = || entries.iter().filter(|entry| entry.is_folder());
    if folders().next().is_none() {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "class folder",
            looked_for: LOOKED_FOR,
            found: entries.into_iter().map(|entry| entry.name).collect(),
        });
    }
    let mut listing = ProbeListing::default();
    if !folders().all(is_split) && !has_splits(&entries)? {
        listing.add_unsplit(root, entries, options)?;
        return listing.finish(root);
    }
    for other in folders().filter(|entry| !is_split(entry)) {
        listing.leave_out(
            &other.name,
            "a folder beside the splits train, val and test",
        );
    }
    let mut tests = TESTS
        .into_iter()
        .filter(|name| folders().any(|entry| entry.name == *name));
    let test = tests.next().unwrap_or("val");
    if let Some(unused) = tests.next() {
        listing.leave_out(unused, format!("the split {test} is used for testing"));
    }
    let train = split_folder(root, &entries, TRAIN)?;
    let tested = split_folder(root, &entries, test)?;
    let splits = [(Split::Train, TRAIN, train), (Split::Test, test, tested)];
    listing.add_splits(root, splits, |_| true)?;
    listing.finish(root)
}

/// Whether a folder has the name of a split.
fn is_split(entry: &Entry) -> bool {
    entry.name == TRAIN || TESTS.contains(&&*entry.name)
}

/// Whether `train` and one of `val` and `test` hold class folders. A class may be called `train` too, the vehicle: it holds images.
fn has_splits(entries: &[Entry]) -> Result<bool, SourceError> {
    let (mut has_train, mut has_test) = (false, false);
    let splits = entries
        .iter()
        .filter(|entry| entry.is_folder() && is_split(entry));
    for split in splits {
        let below = disk::readable_entries(&split.path)?;
        let has_classes = below.iter().any(Entry::is_folder)
            && !below.iter().any(|entry| is_still_name(&entry.name));
        match split.name == TRAIN {
            true => has_train = has_classes,
            false => has_test |= has_classes,
        }
    }
    Ok(has_train && has_test)
}

/// Entries of the folder of a split.
///
/// # Errors
/// [`SourceError::SplitMissing`]; [`SourceError::FlatSplit`] if the images of the split do not lie in folders of classes.
fn split_folder(root: &Path, entries: &[Entry], name: &str) -> Result<Vec<Entry>, SourceError> {
    let is_split = |entry: &&Entry| entry.is_folder() && entry.name == name;
    let Some(split) = entries.iter().find(is_split) else {
        let folders = entries.iter().filter(|entry| entry.is_folder());
        return Err(SourceError::SplitMissing {
            root: root.to_owned(),
            split: name.to_owned(),
            existing: folders.map(|entry| entry.name.clone()).collect(),
        });
    };
    let entries = disk::readable_entries(&split.path)?;
    let has_images = entries.iter().any(|entry| is_still_name(&entry.name));
    match has_images && !entries.iter().any(Entry::is_folder) {
        true => Err(SourceError::FlatSplit {
            folder: split.path.clone(),
        }),
        false => Ok(entries),
    }
}

/// Whether a name is a WordNet id such as `n01440764`.
fn is_wnid(name: &str) -> bool {
    let digits = name.strip_prefix('n').unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
