//! Walks through the folders below a root: each once, hidden ones and those of systems left out.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use vidpairs_types::is_left_out_folder;
use walkdir::{DirEntry, WalkDir};

use crate::error::SourceError;
use crate::files::{Kind, is_hidden};
use crate::listing::Listing;

/// Reason to refuse a name that cannot be an id.
pub(crate) const NAME_NOT_UTF8: &str = "its name is not UTF-8";

/// Entry below a root that is no folder and not hidden.
pub(crate) struct Found<'a> {
    /// Index of the start below which it was found.
    pub start_index: usize,
    pub path: &'a Path,
    /// Path below the root, with `/` as separator.
    pub id: String,
    /// Whether the path below the root is UTF-8, so that it can be an id.
    pub is_utf8: bool,
    /// Never a folder.
    pub kind: Kind,
}

/// What a folder that cannot be read ends. A start that cannot be read always ends the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnreadableEnds {
    /// The folder: it is refused.
    Folder,
    /// The walk, with an error.
    Walk,
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
    walk_each(root, &[root], UnreadableEnds::Folder, listing, add)
}

/// Passes every entry below the folders `starts` to `add`, with the place of its start, and adds folders that are refused or skipped to
/// `listing`.
///
/// A folder is entered once, and belongs to one start: to the one that holds it, before one that is a link, before one with a link to it
/// below. A link to a folder that holds the root or a start is not followed.
///
/// - `starts`: the root, or folders below it.
///
/// # Errors
/// [`SourceError`] if a start cannot be read, and as `unreadable` says.
pub(crate) fn walk_each(
    root: &Path,
    starts: &[&Path],
    unreadable: UnreadableEnds,
    listing: &mut Listing,
    add: &mut dyn FnMut(Found<'_>, &mut Listing),
) -> Result<(), SourceError> {
    let canonical = |path: &Path| fs::canonicalize(path).map_err(SourceError::unreadable(path));
    let mut walk = Walk {
        root,
        holders: BTreeSet::from([canonical(root)?]),
        unreadable,
        listing,
        add,
        visited: HashSet::new(),
        links: BTreeMap::new(),
        start_index: 0,
    };
    let starts = starts.iter().copied().enumerate();
    let (links, folders): (Vec<_>, Vec<_>) = starts.partition(|(_, start)| start.is_symlink());
    for starts in [folders, links] {
        // All are reserved before one is entered, which might hold another.
        let mut reserved = Vec::with_capacity(starts.len());
        for (index, start) in starts {
            let canonical = canonical(start)?;
            let is_reserved = match start.is_symlink() && start != root {
                true => walk.may_follow(start, &canonical),
                false => walk.is_first(start, canonical.clone()),
            };
            if is_reserved {
                reserved.push((index, start, canonical));
            }
        }
        let held = reserved.iter().filter(|(_, start, _)| !start.is_symlink());
        let holders = held.filter_map(|(_, _, canonical)| canonical.parent());
        walk.holders.extend(holders.map(Path::to_owned));
        for (index, start, canonical) in reserved {
            walk.start_index = index;
            walk.tree(start, &canonical)?;
        }
    }
    // Links to folders are followed after all trees, and each folder is entered once. So links cannot hang the walk or
    // list a file twice.
    while let Some((id, (start_index, link))) = walk.links.pop_first() {
        walk.start_index = start_index;
        match fs::canonicalize(&link) {
            Ok(canonical) if walk.may_follow(&link, &canonical) => walk.tree(&link, &canonical)?,
            Ok(_) => {}
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

/// Names a folder that is left out, unless no user would give it such a name.
pub(crate) fn leave_out_folder(id: &str, path: &Path, name: &str, listing: &mut Listing) {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let reason = "by its name a folder of thumbnails or of the system; if it is not, rename it";
        listing.skip(id, path, reason);
    }
}

struct Walk<'a> {
    root: &'a Path,
    /// Canonical paths of the root, and of the folders in which the starts lie.
    holders: BTreeSet<PathBuf>,
    unreadable: UnreadableEnds,
    listing: &'a mut Listing,
    add: &'a mut dyn FnMut(Found<'_>, &mut Listing),
    /// Canonical paths of the entered folders.
    visited: HashSet<PathBuf>,
    /// Symbolic links to folders that are still to be followed, by id, each with the index of its start.
    links: BTreeMap<String, (usize, PathBuf)>,
    /// Index of the current start.
    start_index: usize,
}

impl Walk<'_> {
    /// Whether to follow `link` to the folder `canonical`.
    fn may_follow(&mut self, link: &Path, canonical: &Path) -> bool {
        let mut holders = self.holders.iter();
        if holders.any(|holder| holder.starts_with(canonical)) {
            let reason = "a link to a folder that holds listed folders, which is not followed";
            let (id, _) = self.id_of(link);
            self.listing.skip(&id, link, reason);
            return false;
        }
        self.is_first(link, canonical.to_owned())
    }

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
                leave_out_folder(
                    &self.id_of(entry.path()).0,
                    entry.path(),
                    &name,
                    self.listing,
                );
                entries.skip_current_dir();
            } else if !is_start && is_hidden(&name) {
                continue;
            } else if is_folder && !is_start {
                if !self.enters(&entry, start, canonical) {
                    entries.skip_current_dir();
                }
            } else if !is_start {
                self.add(&entry);
            }
        }
        Ok(())
    }

    /// Whether to enter a folder.
    fn enters(&mut self, folder: &DirEntry, start: &Path, canonical: &Path) -> bool {
        let path = folder.path();
        // No link is followed below `start`, so the canonical path of `start` is a prefix of the folder's.
        let relative = path
            .strip_prefix(start)
            .expect("the walk stays below its start");
        self.is_first(path, canonical.join(relative))
    }

    /// Whether the folder `path` has a name in UTF-8, and nothing else has led to its place `canonical` before.
    fn is_first(&mut self, path: &Path, canonical: PathBuf) -> bool {
        let (id, is_utf8) = self.id_of(path);
        if !is_utf8 {
            self.listing.refuse(&id, path, NAME_NOT_UTF8);
            return false;
        }
        let is_first = self.visited.insert(canonical);
        if !is_first {
            let reason = "the same folder is listed under another name";
            self.listing.skip(&id, path, reason);
        }
        is_first
    }

    /// Passes on an entry that is not a folder itself, or keeps it as a link to a folder.
    fn add(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let (id, is_utf8) = self.id_of(path);
        match Kind::of(path, entry.file_type()) {
            // A link to a folder.
            Kind::Folder if is_left_out_folder(&entry.file_name().to_string_lossy()) => {
                let name = entry.file_name().to_string_lossy();
                leave_out_folder(&id, path, &name, self.listing);
            }
            Kind::Folder if is_utf8 => {
                let link = (self.start_index, path.to_owned());
                self.links.insert(id, link);
            }
            Kind::Folder => self.listing.refuse(&id, path, NAME_NOT_UTF8),
            kind => (self.add)(
                Found {
                    start_index: self.start_index,
                    path,
                    id,
                    is_utf8,
                    kind,
                },
                self.listing,
            ),
        }
    }

    /// Refuses an entry that cannot be read, or fails.
    fn add_unreadable(&mut self, start: &Path, error: walkdir::Error) -> Result<(), SourceError> {
        let path = error.path().unwrap_or(start).to_owned();
        let reason = match error.io_error() {
            Some(io_error) => format!("cannot be read: {io_error}"),
            None => error.to_string(),
        };
        if path == self.root || self.unreadable == UnreadableEnds::Walk {
            let other = || io::Error::other(reason);
            let source = error.into_io_error().unwrap_or_else(other);
            return Err(SourceError::unreadable(&path)(source));
        }
        let (id, _) = self.id_of(&path);
        self.listing.refuse(&id, &path, reason);
        Ok(())
    }

    fn id_of(&self, path: &Path) -> (String, bool) {
        id_of(self.root, path)
    }
}
