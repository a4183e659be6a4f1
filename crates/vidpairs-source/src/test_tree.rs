//! Small trees of files for tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use vidpairs_types::SourceKind;

use super::{ImageParts, Listing, SourceError, SourceOptions, list_parts};

/// Temporary folder with empty files at the given paths; a path that ends in `/` is a folder.
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
    listed_parts(kind, root, splits, ImageParts::Whole)
}

pub(super) fn listed_parts(
    kind: SourceKind,
    root: &Path,
    splits: &[&str],
    parts: ImageParts,
) -> Result<Listing, SourceError> {
    let splits = splits.iter().map(|name| (*name).to_owned()).collect();
    list_parts(root, &SourceOptions { kind, splits }, parts)
}

pub(super) fn ids(listing: &Listing) -> Vec<&str> {
    listing.clips.iter().map(|clip| clip.id.as_str()).collect()
}

/// Ids and reasons of the refused inputs.
pub(super) fn refused(listing: &Listing) -> Vec<(&str, &str)> {
    listing
        .refused
        .iter()
        .map(|refusal| (refusal.id.as_str(), refusal.reason.as_str()))
        .collect()
}

/// Header of a JPEG of this size, without image data.
pub(super) fn jpeg_head(width: u16, height: u16) -> Vec<u8> {
    let mut head = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    head.extend(b"\xFF\xC0\x00\x11\x08");
    head.extend(height.to_be_bytes());
    head.extend(width.to_be_bytes());
    head.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01");
    head
}
