//! Files of a source, wherever they lie: what a listing asks of them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::SourceError;
use crate::listing::Listing;
use crate::store::ObjectTree;
use crate::walk::Found;

/// Largest list, label or annotation file that is read, bytes: days of boxes at 30 fps.
pub(crate) const MAX_TEXT_BYTES: u64 = 64 << 20;

/// Folders and files that readers of data sets list. Every layout is read through this trait, so it is the same on a disk and in an object
/// store.
pub(crate) trait Files: Sync {
    /// Kind of file that `path` leads to. A link that leads nowhere is [`Kind::Broken`].
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is nothing at `path`, and errors of the operating system.
    fn kind(&self, path: &Path) -> io::Result<Kind>;

    /// Entries of a folder without hidden ones, sorted by name.
    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// Whether a folder has an entry of such a name, hidden or not.
    fn has_name(&self, folder: &Path, is_wanted: fn(&str) -> bool) -> io::Result<bool>;

    /// Reads a regular file of at most `max_bytes`.
    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, SourceError>;

    /// Opens a regular file that may be large, and gives its size, bytes.
    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read + '_>, u64)>;

    /// The one path by which a file is told from others, after links.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;

    /// Passes every entry below the folder `root` that is no folder and not hidden to `add`, and adds folders that are refused or skipped
    /// to `listing`.
    ///
    /// # Errors
    /// [`SourceError`] if the root itself cannot be read.
    fn walk(
        &self,
        root: &Path,
        listing: &mut Listing,
        add: &mut dyn FnMut(Found<'_>, &mut Listing),
    ) -> Result<(), SourceError>;

    /// The object tree that this is, if it is one.
    fn as_tree(&self) -> Option<&ObjectTree> {
        None
    }

    /// Number of small files that are read at once.
    fn num_readers(&self) -> usize {
        1
    }

    /// Whether the next attempt to read the same file could succeed.
    fn is_transient(&self, _error: &SourceError) -> bool {
        false
    }

    /// Adds what lies below `root` but cannot be listed to `listing`.
    fn refuse_unusable(&self, _root: &Path, _listing: &mut Listing) {}

    /// Like [`kind`](Self::kind), but a link that leads nowhere is an error too.
    fn resolved_kind(&self, path: &Path) -> io::Result<Kind> {
        match self.kind(path)? {
            Kind::Broken(error) => Err(error),
            kind => Ok(kind),
        }
    }

    /// Whether there is anything at `path`, be it a link that leads nowhere.
    fn exists(&self, path: &Path) -> bool {
        self.kind(path).is_ok()
    }

    /// Whether `path` leads to a regular file.
    fn is_file(&self, path: &Path) -> bool {
        matches!(self.kind(path), Ok(Kind::File))
    }

    /// Whether `path` leads to a folder.
    fn is_folder(&self, path: &Path) -> bool {
        matches!(self.kind(path), Ok(Kind::Folder))
    }

    /// Entry at `path` below `folder`, whose name is `path`; `None` if there is none.
    fn entry(&self, folder: &Path, path: &str) -> Option<Entry> {
        let name = path.to_owned();
        let path = folder.join(path);
        let kind = self.kind(&path).ok()?;
        Some(Entry { name, path, kind })
    }

    /// Entries of a root.
    fn root_entries(&self, root: &Path) -> Result<Vec<Entry>, SourceError> {
        self.entries(root).map_err(SourceError::of_root(root))
    }

    /// Entries of a folder below the root, for a listing that fails if the folder cannot be read.
    fn readable_entries(&self, folder: &Path) -> Result<Vec<Entry>, SourceError> {
        self.entries(folder)
            .map_err(SourceError::unreadable(folder))
    }

    /// Reads a regular file of at most [`MAX_TEXT_BYTES`], without a byte order mark.
    fn read_text(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        let mut text = self.read(path, MAX_TEXT_BYTES)?;
        if text.starts_with(b"\xEF\xBB\xBF") {
            text.drain(..3);
        }
        Ok(text)
    }

    /// Like [`read_text`](Self::read_text); `None` if there is no such file.
    fn read_text_if_any(&self, path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
        if_any(self.read_text(path))
    }
}

/// Result of reading a file or folder; `None` if it does not exist.
pub(crate) fn if_any<T>(result: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match result {
        Err(SourceError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Kind of file that a path leads to, after symbolic links.
#[derive(Debug)]
pub(crate) enum Kind {
    Folder,
    File,
    /// FIFO, socket or device, which could block when opened; with its name, such as `a FIFO`.
    Special(&'static str),
    /// Symbolic link that leads nowhere or to itself.
    Broken(io::Error),
}

impl Kind {
    /// Reason why this is not a file; `None` for a file.
    pub(crate) fn problem_as_file(&self) -> Option<String> {
        match self {
            Self::Folder => Some("is a folder, not a regular file".to_owned()),
            _ => self.problem_as_clip(),
        }
    }

    /// Reason why this cannot be a clip; `None` for a file or folder.
    pub(crate) fn problem_as_clip(&self) -> Option<String> {
        match self {
            Self::Folder | Self::File => None,
            Self::Special(what) => Some(format!("is {what}, not a regular file")),
            Self::Broken(error) => Some(format!("is a symbolic link that leads nowhere: {error}")),
        }
    }
}

/// Entry of a folder.
pub(crate) struct Entry {
    /// File name, with U+FFFD in place of bytes that are not UTF-8.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
}

impl Entry {
    /// Name without `.extension`, ignoring case; `None` if it has another extension.
    pub(crate) fn stem_before(&self, extension: &str) -> Option<&str> {
        let (stem, found) = self.name.rsplit_once('.')?;
        (found.eq_ignore_ascii_case(extension) && !stem.is_empty()).then_some(stem)
    }

    /// Whether the name is UTF-8, so that it can be the id of a clip.
    pub(crate) fn has_utf8_name(&self) -> bool {
        let name = self.path.file_name();
        name.and_then(|name| name.to_str()).is_some()
    }

    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Folder)
    }
}

/// Whether a name is that of a hidden file.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Lines of a text with their numbers from 1, without white space around them and without blank lines at the end.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let text = text.trim_ascii_end();
    let num_lines = if text.is_empty() { 0 } else { usize::MAX };
    text.split(|&byte| byte == b'\n')
        .take(num_lines)
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_ascii()))
}

/// Error about line `line` of `path`.
pub(crate) fn bad_line(
    path: &Path,
    line: usize,
    value: &[u8],
    expected: &'static str,
) -> SourceError {
    SourceError::BadLine {
        path: path.to_owned(),
        line,
        value: String::from_utf8_lossy(value).chars().take(80).collect(),
        expected,
    }
}

/// Path of a file below `root`, with `/` between its parts.
pub(crate) fn relative_name(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
