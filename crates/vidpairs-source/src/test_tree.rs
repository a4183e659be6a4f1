//! Small trees of files for tests. Every listing of them is compared with that of the same files as objects of a store.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vidpairs_types::{Clip, Media, SourceKind, is_still_name, with_causes};
use walkdir::WalkDir;

use super::{
    ImageParts, Listing, ObjectNames, ObjectTree, SourceError, SourceOptions, StoredObject,
    annotations, cover, list_parts, list_tree, objects,
};

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
    let options = SourceOptions { kind, splits };
    let from_disk = list_parts(root, &options, parts);
    let top = top_of(root);
    if let Some(tree) = object_tree(&top) {
        let mut url = tree.root().to_owned();
        url.extend(root.strip_prefix(&top).unwrap());
        let from_store = list_tree(&tree, &url, &options, parts);
        compare(&from_disk, from_store, &tree, &top);
    }
    from_disk
}

/// The temporary folder in which `root` lies.
fn top_of(root: &Path) -> PathBuf {
    let temporary = std::env::temp_dir();
    let name = root.strip_prefix(&temporary).unwrap().iter().next();
    temporary.join(name.unwrap())
}

/// Everything below the folder `top` as objects; `None` if it holds anything that no store can hold.
pub(super) fn object_tree(top: &Path) -> Option<ObjectTree> {
    let mut names = ObjectNames::default();
    for entry in WalkDir::new(top) {
        let entry = entry.ok()?;
        let mut name = entry.path().strip_prefix(top).unwrap().to_str()?.to_owned();
        let mut size_bytes = 0;
        if entry.file_type().is_dir() {
            name += if name.is_empty() { "" } else { "/" };
        } else if entry.file_type().is_file() {
            size_bytes = entry.metadata().unwrap().len();
        } else {
            return None;
        }
        names.add(StoredObject {
            name: &name,
            size_bytes,
            version: "\"1\"",
        });
    }
    let url = format!("s3://bucket/{}", top.file_name()?.to_str()?);
    let top = top.to_owned();
    let read = move |object: StoredObject<'_>, range: std::ops::Range<u64>| {
        let mut file = File::open(top.join(object.name))?;
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    Some(ObjectTree::new(&url, names, read))
}

/// Copies the files of a clip from the folder `top` to `scratch`, as a program would from the store.
pub(super) fn fetched(tree: &ObjectTree, clip: &Clip, top: &Path, scratch: &Path) -> Clip {
    let moved = clip.clone().moved(tree.root(), scratch);
    if let Media::JpegFolder { path, .. } = &moved.media {
        fs::create_dir_all(path).unwrap();
    }
    for object in tree.files_of(clip).unwrap() {
        let to = scratch.join(object.name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(top.join(object.name), to).unwrap();
    }
    moved
}

/// Compares a listing of a disk with one of a store, apart from the root, and the annotations that they lead to.
fn compare(
    from_disk: &Result<Listing, SourceError>,
    from_store: Result<Listing, SourceError>,
    tree: &ObjectTree,
    top: &Path,
) {
    let (url, folder) = (tree.root().to_str().unwrap(), top.to_str().unwrap());
    let as_on_disk = |text: &str| {
        text.replace(url, folder)
            .replace("no such object", "No such file or directory (os error 2)")
            .replace("not a directory", "Not a directory (os error 20)")
    };
    let (from_disk, mut from_store) = match (from_disk, from_store) {
        (Ok(disk), Ok(store)) => (disk, store),
        (Err(disk), Err(store)) => {
            assert_eq!(as_on_disk(&with_causes(&store)), with_causes(disk));
            return;
        }
        (disk, store) => panic!("from the disk {disk:?}, from the store {store:?}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    for (on_disk, in_store) in from_disk.clips.iter().zip(&mut from_store.clips) {
        let fetched = fetched(tree, in_store, top, scratch.path());
        assert_eq!(annotations(&fetched).ok(), annotations(on_disk).ok());
        assert_eq!(cover(&fetched).ok(), cover(on_disk).ok());
        assert_eq!(objects(&fetched).ok(), objects(on_disk).ok());
        assert_eq!(pictures(&fetched.media), pictures(&on_disk.media));
        *in_store = in_store.clone().moved(tree.root(), top);
    }
    for refusal in &mut from_store.refused {
        refusal.path = as_on_disk(&refusal.path);
        refusal.reason = as_on_disk(&refusal.reason);
    }
    assert_eq!(&from_store, from_disk);
}

/// Names of the pictures of a folder, or of the file of other media.
fn pictures(media: &Media) -> Vec<String> {
    let entries = WalkDir::new(media.path()).max_depth(1).sort_by_file_name();
    let files = entries.into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let names = files.map(|entry| entry.file_name().to_str().unwrap().to_owned());
    let is_frame = |name: &String| !name.starts_with('.') && is_still_name(name);
    match media {
        Media::JpegFolder { .. } => names.filter(is_frame).collect(),
        _ => names.collect(),
    }
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
