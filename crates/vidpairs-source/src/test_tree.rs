//! Small trees of files for the tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use vidpairs_types::SourceKind;

use super::{Listing, SourceError, SourceOptions, list};

/// A temporary folder with empty files (and, where a name ends in `/`, folders) at the given places.
pub(super) fn tree(names: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        match name.strip_suffix('/') {
            Some(folder) => fs::create_dir_all(root.path().join(folder)).unwrap(),
            None => write(root.path(), name, ""),
        }
    }
    root
}

pub(super) fn write(root: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(super) fn make_fifo(root: &Path, name: &str) {
    let made = Command::new("mkfifo").arg(root.join(name)).status();
    assert!(made.unwrap().success());
}

pub(super) fn listed(
    kind: SourceKind,
    root: &Path,
    splits: &[&str],
) -> Result<Listing, SourceError> {
    let splits = splits.iter().map(|name| (*name).to_owned()).collect();
    list(root, &SourceOptions { kind, splits })
}

pub(super) fn ids(listing: &Listing) -> Vec<&str> {
    listing.clips.iter().map(|clip| clip.id.as_str()).collect()
}

/// Ids and reasons of what was refused.
pub(super) fn refused(listing: &Listing) -> Vec<(&str, &str)> {
    let pairs = listing.refused.iter();
    pairs
        .map(|it| (it.id.as_str(), it.reason.as_str()))
        .collect()
}
