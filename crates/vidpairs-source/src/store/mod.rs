//! Files of a source in an object store, from a listing of its objects.

mod clip_files;
mod names;
mod ranges;

use std::fmt::{self, Debug, Formatter};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use vidpairs_types::is_left_out_folder;

use self::names::Child;
pub use self::names::ObjectNames;
use self::ranges::RangeReader;
use crate::error::SourceError;
use crate::files::{Entry, Files, Kind, is_hidden};
use crate::listing::Listing;
use crate::media::{is_still, is_video};
use crate::walk::{Found, leave_out_folder};

/// Number of small objects that are read at once: a store answers each after tens of milliseconds.
const NUM_READERS: usize = 16;

/// Object of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredObject<'a> {
    /// Name below the root, with `/` between its parts. It is plain text, not percent-encoded.
    pub name: &'a str,
    /// Size, bytes.
    pub size_bytes: u64,
    /// Text that changes with the content: the ETag or the generation.
    pub version: &'a str,
}

/// Reads bytes of an object; see [`ObjectTree::new`].
type ReadRange = dyn Fn(StoredObject<'_>, Range<u64>) -> io::Result<Vec<u8>> + Send + Sync;

/// Objects of a store as a tree of folders and files. Names state the folders: `a/b.mp4` lies in the folder `a`.
///
/// [`list_tree`](crate::list_tree) lists it as a copy of it on a disk: with the same ids. Paths are those of the root joined with a
/// name: `s3://bucket/set/cat.mp4`.
///
/// # Examples
/// ```
/// use std::path::Path;
///
/// use vidpairs_source::{
///     ImageParts, StoredObject, ObjectNames, ObjectTree, SourceOptions, list_tree,
/// };
/// use vidpairs_types::SourceKind;
///
/// let mut names = ObjectNames::default();
/// for name in ["cats/tom.mp4", "notes.txt"] {
///     names.add(StoredObject { name, size_bytes: 9, version: "1" });
/// }
/// let tree = ObjectTree::new("s3://bucket/set", names, |_, _| Err(std::io::Error::other("offline")));
/// let options = SourceOptions { kind: SourceKind::Videos, splits: Vec::new() };
/// let clips = list_tree(&tree, tree.root(), &options, ImageParts::Whole)?.clips;
/// assert_eq!(clips[0].id, "cats/tom.mp4");
/// assert_eq!(clips[0].media.path(), Path::new("s3://bucket/set/cats/tom.mp4"));
/// assert_eq!(tree.files_of(&clips[0])?[0].name, "cats/tom.mp4");
/// # Ok::<(), vidpairs_source::SourceError>(())
/// ```
pub struct ObjectTree {
    root: PathBuf,
    names: ObjectNames,
    read: Box<ReadRange>,
}

impl ObjectTree {
    /// The tree of these objects.
    ///
    /// - `root`: URL of the folder to which the names are relative: `s3://bucket` or `s3://bucket/set`. It is plain text, not
    ///   percent-encoded. `s3://`, with the bucket as first part of the names, serves lists of objects in several buckets.
    /// - `read`: reads the bytes of an object from the start of the range to before its end, which lies in the object. It must fail if the
    ///   object has another version by now. Listings read texts (`labels.csv`, `list.txt`) whole, and the annotations of MSCOCO in
    ///   ranges of 8 MiB; those of GOT-10k on several threads.
    pub fn new(
        root: &str,
        mut names: ObjectNames,
        read: impl Fn(StoredObject<'_>, Range<u64>) -> io::Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        names.sort();
        let trimmed = root.trim_end_matches('/');
        let root = match trimmed.ends_with(':') {
            true => format!("{trimmed}//"),
            false => trimmed.to_owned(),
        };
        Self {
            root: root.into(),
            names,
            read: Box::new(read),
        }
    }

    /// URL of the folder to which the names are relative, without a slash at its end.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.names.len() == 0 && self.names.unusable.is_empty()
    }

    /// The object at a path of this tree; `None` for folders, and if there is none.
    pub fn object(&self, path: &Path) -> Option<StoredObject<'_>> {
        let name = self.name_of(path)?;
        // The root's own mark has no name.
        self.names.find(&name).filter(|_| !name.is_empty())
    }

    /// Path of what `path` leads to, without `.` and `..`; `None` if it lies outside this tree.
    pub(crate) fn place(&self, path: &Path) -> Option<PathBuf> {
        let mut place = self.root.clone();
        place.extend(
            self.name_of(path)?
                .split('/')
                .filter(|part| !part.is_empty()),
        );
        // A slash at the end stays: it asks for a folder.
        if is_named_as_folder(path) {
            place.push("");
        }
        Some(place)
    }

    /// Name of what `path` leads to; `None` if it lies outside this tree.
    fn name_of(&self, path: &Path) -> Option<String> {
        let mut parts = Vec::new();
        for part in path.strip_prefix(&self.root).ok()?.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::CurDir => {}
                Component::ParentDir => {
                    parts.pop()?;
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(parts.join("/"))
    }

    /// Beginning of the names below the folder `path`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] and [`io::ErrorKind::NotADirectory`].
    fn prefix_of(&self, folder: &Path) -> io::Result<String> {
        match self.kind(folder)? {
            Kind::Folder => {}
            _ => return Err(io::ErrorKind::NotADirectory.into()),
        }
        let name = self.name_of(folder).ok_or_else(no_object)?;
        Ok(as_prefix(name))
    }

    /// Reads a whole object.
    fn read_whole(&self, object: StoredObject<'_>) -> io::Result<Vec<u8>> {
        self.read_range(object, 0..object.size_bytes)
    }

    fn read_range(&self, object: StoredObject<'_>, range: Range<u64>) -> io::Result<Vec<u8>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let expected = range.end - range.start;
        let bytes = (self.read)(object, range).map_err(|err| match err.kind() {
            // It was listed, so this is no file that a data set need not have.
            io::ErrorKind::NotFound => {
                io::Error::other(format!("it was removed after it was listed: {err}"))
            }
            _ => err,
        })?;
        match bytes.len() as u64 == expected {
            true => Ok(bytes),
            false => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the store gave {} of {expected} bytes", bytes.len()),
            )),
        }
    }
}

fn is_named_as_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// A folder's name as the beginning of the names below it.
fn as_prefix(mut folder: String) -> String {
    if !folder.is_empty() {
        folder.push('/');
    }
    folder
}

fn no_object() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such object")
}

impl Debug for ObjectTree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ObjectTree");
        shown.field("root", &self.root);
        shown.field("num_objects", &self.names.len());
        shown.finish_non_exhaustive()
    }
}

impl Files for ObjectTree {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        let name = self.name_of(path).ok_or_else(no_object)?;
        let is_object = self.object(path).is_some();
        match is_object {
            // As for a file on a disk.
            true if is_named_as_folder(path) => Err(io::ErrorKind::NotADirectory.into()),
            true => Ok(Kind::File),
            false if self.names.below(&as_prefix(name)).is_empty() => Err(no_object()),
            false => Ok(Kind::Folder),
        }
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let prefix = self.prefix_of(folder)?;
        let entry = |child: Child<'_>| Entry {
            name: child.name.to_owned(),
            path: folder.join(child.name),
            kind: match child.object {
                Some(_) => Kind::File,
                None => Kind::Folder,
            },
        };
        let entries = self.names.children(&prefix).map(entry);
        Ok(entries.filter(|entry| !is_hidden(&entry.name)).collect())
    }

    fn has_name(&self, folder: &Path, is_wanted: fn(&str) -> bool) -> io::Result<bool> {
        let prefix = self.prefix_of(folder)?;
        let mut children = self.names.children(&prefix);
        Ok(children.any(|child| is_wanted(child.name)))
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
        let unreadable = SourceError::unreadable(path);
        if self.is_folder(path) {
            return Err(SourceError::NotRegular {
                path: path.to_owned(),
                what: "a folder",
            });
        }
        let object = self
            .object(path)
            .ok_or_else(no_object)
            .map_err(&unreadable)?;
        if object.size_bytes > max_bytes {
            return Err(SourceError::TooLarge {
                path: path.to_owned(),
                bytes: object.size_bytes,
                max_bytes,
            });
        }
        self.read_whole(object).map_err(unreadable)
    }

    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read + '_>, u64)> {
        let object = self.object(path).ok_or_else(no_object)?;
        let reader = RangeReader::new(self, object);
        Ok((Box::new(reader), object.size_bytes))
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.place(path).ok_or_else(no_object)
    }

    fn walk(
        &self,
        root: &Path,
        listing: &mut Listing,
        add: &mut dyn FnMut(Found<'_>, &mut Listing),
    ) -> Result<(), SourceError> {
        let prefix = self.prefix_of(root).map_err(SourceError::of_root(root))?;
        let mut places = self.names.below(&prefix);
        'names: while let Some(object) = places.next().and_then(|place| self.names.get(place)) {
            let id = object.name.get(prefix.len()..).expect("it has this prefix");
            let mut end = 0;
            while let Some(slash) = id.get(end..).and_then(|rest| rest.find('/')) {
                let name = id.get(end..end + slash).expect("it ends at a slash");
                end += slash + 1;
                if is_left_out_folder(name) {
                    let folder = id.get(..end - 1).expect("it ends at a slash");
                    leave_out_folder(folder, &root.join(folder), name, listing);
                    let all_below = object.name.get(..prefix.len() + end);
                    let all_below = all_below.expect("it ends at a slash");
                    places.start = self.names.end_of(places.start, all_below);
                    continue 'names;
                }
            }
            let name = id.get(end..).unwrap_or_default();
            if name.is_empty() || is_hidden(name) {
                continue;
            }
            let path = root.join(id);
            let found = Found {
                start_index: 0,
                path: &path,
                id: id.to_owned(),
                is_utf8: true,
                kind: Kind::File,
            };
            add(found, listing);
        }
        Ok(())
    }

    fn as_tree(&self) -> Option<&ObjectTree> {
        Some(self)
    }

    fn num_readers(&self) -> usize {
        NUM_READERS
    }

    /// A denied object stays denied; all else that fails is the network or the store.
    fn is_transient(&self, error: &SourceError) -> bool {
        matches!(error, SourceError::Unreadable { source, .. }
            if source.kind() != io::ErrorKind::PermissionDenied)
    }

    /// Adds names that are no paths on a disk: folders, and files that may be clips.
    fn refuse_unusable(&self, root: &Path, listing: &mut Listing) {
        let Ok(prefix) = self.prefix_of(root) else {
            return;
        };
        let prefix = prefix.as_str();
        let from_prefix = self.names.unusable.range(prefix.to_owned()..);
        for (name, reason) in from_prefix.take_while(|(name, _)| name.starts_with(prefix)) {
            let id = name.get(prefix.len()..).unwrap_or(name);
            // Joined as text: as a path, such a name could lead elsewhere.
            let root = self.root.display().to_string();
            let slash = if root.ends_with('/') { "" } else { "/" };
            let path = PathBuf::from(format!("{root}{slash}{name}"));
            if id.ends_with('/') || is_video(&path) || is_still(&path) {
                listing.refuse(id, &path, reason);
            } else {
                listing.ignored.add(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests;
