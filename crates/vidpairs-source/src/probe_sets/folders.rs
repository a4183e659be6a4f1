//! Lists ImageNet, and a user's own images in one folder for each class.

use std::path::Path;

use vidpairs_types::{ProbeSet, Split, is_still_name};

use super::ProbeSetOptions;
use super::listing::ProbeListing;
use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{Entry, Files};

/// Folder of the training images of ImageNet.
const TRAIN: &str = "train";
/// Names of folders of training images, in any case.
const TRAINS: [&str; 2] = [TRAIN, "training"];
/// Names of folders of test images, in any case. If several are there, the first is used.
const TESTS: [&str; 5] = ["test", "testing", "val", "valid", "validation"];
const LOOKED_FOR: &str = "<class>/<image>, or train/<class>/<image> and val/ or test/ likewise";

/// Lists `train/<wnid>` and `val/<wnid>`, the official layout once the validation images lie in class folders.
pub(super) fn imagenet(root: &Path) -> Result<ProbeSet, SourceError> {
    let entries = Disk.root_entries(root)?;
    let mut listing = ProbeListing::default();
    let train = split_folder(root, &entries, TRAIN)?;
    let val = split_folder(root, &entries, "val")?;
    let splits = [(Split::Train, TRAIN, train), (Split::Test, "val", val)];
    listing.add_splits(root, splits, is_wnid)?;
    listing.finish(root)
}

/// Lists `<class>/<image>`; without splits, each class is divided by [`ProbeSetOptions::test_share`].
///
/// Folders with the name of a split, such as `train` and `val`, are splits with the classes below them, if the root has no other folder, or
/// if one of training images and one of test images hold class folders and no image beside them. Other folders are left out then.
pub(super) fn folders(root: &Path, options: &ProbeSetOptions) -> Result<ProbeSet, SourceError> {
    let entries = Disk.root_entries(root)?;
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
    let is_split = |entry: &Entry| {
        place_in(&TRAINS, entry)
            .or(place_in(&TESTS, entry))
            .is_some()
    };
    if !folders().all(is_split) && !has_splits(&entries)? {
        listing.add_unsplit(root, entries, options)?;
        return listing.finish(root);
    }
    for other in folders().filter(|entry| !is_split(entry)) {
        listing.leave_out(&other.name, "a folder beside the splits");
    }
    let mut used = |names: &[&'static str], missing: &'static str, what: &str| {
        let mut found: Vec<&Entry> = folders()
            .filter(|entry| place_in(names, entry).is_some())
            .collect();
        found.sort_by_key(|entry| place_in(names, entry));
        let mut found = found.into_iter().map(|entry| entry.name.clone());
        let used = found.next().unwrap_or_else(|| missing.to_owned());
        for unused in found {
            listing.leave_out(unused, format!("the split {used} is used for {what}"));
        }
        used
    };
    let (train, test) = (
        used(&TRAINS, TRAIN, "training"),
        used(&TESTS, "val", "testing"),
    );
    let splits = [
        (Split::Train, &*train, split_folder(root, &entries, &train)?),
        (Split::Test, &*test, split_folder(root, &entries, &test)?),
    ];
    listing.add_splits(root, splits, |_| true)?;
    listing.finish(root)
}

/// Place of the name of a folder in `names`.
fn place_in(names: &[&str], folder: &Entry) -> Option<usize> {
    let mut names = names.iter();
    names.position(|name| folder.name.eq_ignore_ascii_case(name))
}

/// Whether a folder of training images and one of test images hold class folders. A class may be called `train` too, the vehicle: it holds
/// images.
fn has_splits(entries: &[Entry]) -> Result<bool, SourceError> {
    let has_classes = |names: &[&str]| -> Result<bool, SourceError> {
        for split in entries.iter().filter(|entry| entry.is_folder()) {
            if place_in(names, split).is_none() {
                continue;
            }
            let below = Disk.readable_entries(&split.path)?;
            if below.iter().any(Entry::is_folder)
                && !below.iter().any(|entry| is_still_name(&entry.name))
            {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(has_classes(&TRAINS)? && has_classes(&TESTS)?)
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
    let entries = Disk.readable_entries(&split.path)?;
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
