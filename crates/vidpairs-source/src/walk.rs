//! Walks through the folders below a root: each once, hidden ones and those of systems left out.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use vidpairs_types::is_left_out_folder;
use walkdir::{DirEntry, WalkDir};

use crate::disk::{self, Kind};
use crate::error::SourceError;
use crate::listing::Listing;

/// Reason to refuse a name that cannot be an id.
pub(crate) const NAME_NOT_UTF8: &str = "its name is not UTF-8";

/// Entry below a root that is no folder and not hidden.
pub(crate) struct Found<'a> {
    pub path: &'a Path,
    /// Path below the root, with `/` as separator.
    pub id: String,
    /// Whether the path below the root is UTF-8, so that it can be an id.
    pub is_utf8: bool,
    /// Never a folder.
    pub kind: Kind,
}

/// Passes every entry below the folder `root` to `add`, and adds folders that are refused or skipped to `listing`.
///
/// # Errors
/// [`SourceError`] if the root itself cannot be read.
pub(crate) fn walk(
    root: &Path,
    listing: &mut Listing,
    add: &mut dyn FnMut(Found<'_>, &mut Listing),
) -> Result<(), SourceError> {
    let canonical = fs::canonicalize(root).map_err(SourceError::unreadable(root))?;
    let mut walk = Walk {
        root,
        listing,
        add,
        visited: HashSet::new(),
        links: BTreeMap::new(),
    };
    walk.tree(root, &canonical)?;
    // Links to folders are followed after the tree that holds them, and each folder is entered once. So links cannot
    // hang the walk or list a file twice.
    while let Some((id, link)) = walk.links.pop_first() {
        match fs::canonicalize(&link) {
            Ok(canonical) => walk.tree(&link, &canonical)?,
            Err(error) => walk.listing.refuse(&id, &link, error.to_string()),
        }
    }
    Ok(())
}

/// Id of a path below the root, and whether the path is UTF-8.
pub(crate) fn id_of(root: &Path, path: &Path) -> (String, bool) {
    let relative = path
        .strip_prefix(root)
        .expect("the walk stays below the root");
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    (parts.join("/"), relative.to_str().is_some())
}

struct Walk<'a> {
    root: &'a Path,
    listing: &'a mut Listing,
    add: &'a mut dyn FnMut(Found<'_>, &mut Listing),
    /// Canonical paths of the entered folders.
    visited: HashSet<PathBuf>,
    /// Symbolic links to folders that are still to be followed, by id.
    links: BTreeMap<String, PathBuf>,
}

impl Walk<'_> {
    /// Walks through `start`, whose canonical path is `canonical`, without following links below it.
    fn tree(&mut self, start: &Path, canonical: &Path) -> Result<(), SourceError> {
        let mut entries = WalkDir::new(start).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.add_unreadable(start, error)?;
                    continue;
                }
            };
            let is_start = entry.depth() == 0;
            let name = entry.file_name().to_string_lossy();
            let is_folder = entry.file_type().is_dir();
            if !is_start && is_folder && is_left_out_folder(&name) {
                self.leave_out_folder(entry.path(), &name);
                entries.skip_current_dir();
            } else if !is_start && disk::is_hidden(&name) {
                continue;
            } else if is_start || is_folder {
                if !self.enters(&entry, start, canonical) {
                    entries.skip_current_dir();
                }
            } else {
                self.add(&entry);
            }
        }
        Ok(())
    }

    /// Names a folder that is left out, unless no user would give it such a name.
    fn leave_out_folder(&mut self, path: &Path, name: &str) {
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let reason =
                "by its name a folder of thumbnails or of the system; if it is not, rename it";
            self.listing.skip(&self.id_of(path).0, path, reason);
        }
    }

    /// Whether to enter a folder: its name is UTF-8, and it was not entered under another name.
    fn enters(&mut self, folder: &DirEntry, start: &Path, canonical: &Path) -> bool {
        let path = folder.path();
        let (id, is_sound) = self.id_of(path);
        if !is_sound {
            self.listing.refuse(&id, path, NAME_NOT_UTF8);
            return false;
        }
        // No link is followed below `start`, so the canonical path of `start` is a prefix of the folder's.
        let relative = path
            .strip_prefix(start)
            .expect("the walk stays below its start");
        if self.visited.insert(canonical.join(relative)) {
            return true;
        }
        let reason = "the same folder is listed under another name";
        self.listing.skip(&id, path, reason);
        false
    }

    /// Passes on an entry that is not a folder itself, or keeps it as a link to a folder.
    fn add(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let (id, is_utf8) = self.id_of(path);
        match Kind::of(path, entry.file_type()) {
            // A link to a folder.
            Kind::Folder if is_left_out_folder(&entry.file_name().to_string_lossy()) => {
                self.leave_out_folder(path, &entry.file_name().to_string_lossy());
            }
            Kind::Folder if is_utf8 => {
                self.links.insert(id, path.to_owned());
            }
            Kind::Folder => self.listing.refuse(&id, path, NAME_NOT_UTF8),
            kind => (self.add)(
                Found {
                    path,
                    id,
                    is_utf8,
                    kind,
                },
                self.listing,
            ),
        }
    }

    /// Refuses an entry that cannot be read. Fails if it is the root.
    fn add_unreadable(&mut self, start: &Path, error: walkdir::Error) -> Result<(), SourceError> {
        let path = error.path().unwrap_or(start).to_owned();
        let reason = match error.io_error() {
            Some(io_error) => format!("cannot be read: {io_error}"),
            None => error.to_string(),
        };
        if path == self.root {
            let other = || io::Error::other(reason);
            let source = error.into_io_error().unwrap_or_else(other);
            return Err(SourceError::unreadable(self.root)(source));
        }
        let (id, _) = self.id_of(&path);
        self.listing.refuse(&id, &path, reason);
        Ok(())
    }

    fn id_of(&self, path: &Path) -> (String, bool) {
        id_of(self.root, path)
    }
}
