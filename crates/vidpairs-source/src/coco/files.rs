//! Finds the files of a split that an annotation file names.

use std::collections::{BTreeMap, HashMap};

use vidpairs_types::printable;

use crate::files::{Entry, Files};
use crate::splits::Split;

/// Files of the folder of a split, and which of them were found so far.
pub(super) struct SplitFiles<'a> {
    files: &'a dyn Files,
    split: &'a Split,
    /// Entries of the folder itself that were not found so far, by name.
    entries: BTreeMap<String, Entry>,
    /// Name in the annotation file by the place of the file.
    found: HashMap<String, String>,
}

/// File of a split.
pub(super) struct ImageFile {
    /// Path below the folder of the split, with `/` between its parts.
    pub path: String,
    pub entry: Entry,
}

/// Why a name leads to no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoFile {
    /// Another name leads to the file too, the path below the folder of the split. Stop.
    SameAs { other: String, path: String },
    /// It leaves the folder of the split, or names no file. Refuse the image.
    Elsewhere(&'static str),
    /// There is no such file. Refuse the image.
    Absent,
}

impl<'a> SplitFiles<'a> {
    /// - `entries`: entries of the folder of `split`.
    pub fn new(files: &'a dyn Files, split: &'a Split, entries: Vec<Entry>) -> Self {
        let named = |entry: Entry| (entry.name.clone(), entry);
        Self {
            files,
            split,
            entries: entries.into_iter().map(named).collect(),
            found: HashMap::new(),
        }
    }

    /// The file that `name` leads to: the one of just this name in the folder of the split, else the one at this path below the folder, with
    /// `/` or `\` between its parts. The path may begin with the name of the split.
    pub fn take(&mut self, name: &str) -> Result<ImageFile, NoFile> {
        // A file may have a backslash in its name.
        if self.entries.contains_key(name)
            && let Some(file) = self.take_at(name, name)?
        {
            return Ok(file);
        }
        let parts = parts_of(name).map_err(NoFile::Elsewhere)?;
        if let Some(file) = self.take_at(name, &parts.join("/"))? {
            return Ok(file);
        }
        match parts.split_first() {
            Some((first, below)) if *first == self.split.name && !below.is_empty() => {
                let file = self.take_at(name, &below.join("/"))?;
                file.ok_or(NoFile::Absent)
            }
            _ => Err(NoFile::Absent),
        }
    }

    /// Entries of the folder that no name led to, in the order of their names.
    pub fn into_rest(self) -> impl Iterator<Item = Entry> {
        self.entries.into_values()
    }

    /// Path by which two names of one file are told: below a folder, links to other folders are followed.
    fn place(&self, path: &str) -> String {
        let root = &self.split.path;
        let place = || {
            let (root, file) = (
                self.files.canonical(root).ok()?,
                self.files.canonical(&root.join(path)).ok()?,
            );
            Some(file.strip_prefix(root).ok()?.to_str()?.to_owned())
        };
        let place = path.contains('/').then(place).flatten();
        place.unwrap_or_else(|| path.to_owned())
    }

    /// The file at `path` below the folder; `None` if there is none.
    fn take_at(&mut self, name: &str, path: &str) -> Result<Option<ImageFile>, NoFile> {
        let place = self.place(path);
        if let Some(other) = self.found.get(&place) {
            return Err(NoFile::SameAs {
                other: other.clone(),
                path: path.to_owned(),
            });
        }
        // An entry that is not among those of the folder lies in a folder below.
        let (files, split) = (self.files, self.split);
        let below = || {
            let is_below = path.contains('/');
            is_below.then(|| files.entry(&split.path, path)).flatten()
        };
        let Some(entry) = self.entries.remove(path).or_else(below) else {
            return Ok(None);
        };
        self.found.insert(place, name.to_owned());
        let path = path.to_owned();
        Ok(Some(ImageFile { path, entry }))
    }
}

/// Parts of a path below a folder, or the reason why it leads elsewhere.
fn parts_of(name: &str) -> Result<Vec<&str>, &'static str> {
    let is_drive = |name: &str| matches!(name.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    if name.starts_with(['/', '\\']) || is_drive(name) || name.contains("://") {
        return Err("an absolute path");
    }
    let parts = name.split(['/', '\\']);
    let parts: Vec<&str> = parts.filter(|part| !["", "."].contains(part)).collect();
    if parts.contains(&"..") {
        return Err("a path with `..`");
    }
    match parts.is_empty() {
        true => Err("empty"),
        false => Ok(parts),
    }
}

impl NoFile {
    /// The reason to refuse an image, or to stop.
    ///
    /// - `list`: name of the annotation file.
    pub fn reason(&self, name: &str, split: &str, list: &str) -> String {
        match self {
            Self::SameAs { other, path } => {
                let [name, other] = [name, other].map(printable);
                format!(
                    "{other:?} and {name:?} both lead to {split}/{path}; expected one entry for each image"
                )
            }
            Self::Elsewhere(what) => {
                format!(
                    "its file_name in {list} is {what}; expected the name of a file in {split}/, or a path below that folder"
                )
            }
            Self::Absent => format!("no such file, though {list} lists it"),
        }
    }
}
