//! Reads folders in a stable order, files of bounded size, and the sizes of images.

use std::fs::{self, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use vidpairs_types::{SizePx, open_regular};

use crate::error::SourceError;

/// Largest list, label or annotation file that is read, bytes: days of boxes at 30 fps.
pub(crate) const MAX_TEXT_BYTES: u64 = 64 << 20;

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
    /// Kind of `path`, whose own type is `file_type`.
    pub(crate) fn of(path: &Path, file_type: FileType) -> Self {
        if !file_type.is_symlink() {
            return Self::of_resolved(file_type);
        }
        match fs::metadata(path) {
            Ok(target) => Self::of_resolved(target.file_type()),
            Err(error) => Self::Broken(error),
        }
    }

    fn of_resolved(file_type: FileType) -> Self {
        if file_type.is_dir() {
            Self::Folder
        } else if file_type.is_file() {
            Self::File
        } else {
            Self::Special(special_name(file_type))
        }
    }

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

#[cfg(unix)]
fn special_name(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special_name(_: FileType) -> &'static str {
    "a special file"
}

/// Entry of a folder.
pub(crate) struct Entry {
    /// File name, with U+FFFD in place of bytes that are not UTF-8.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
}

impl Entry {
    /// Entry at `path` below `folder`, whose name is `path`; `None` if there is none.
    pub(crate) fn at(folder: &Path, path: &str) -> Option<Self> {
        let name = path.to_owned();
        let path = folder.join(path);
        let file_type = path.symlink_metadata().ok()?.file_type();
        let kind = Kind::of(&path, file_type);
        Some(Self { name, path, kind })
    }

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

/// Entries of a folder without hidden ones, sorted by name.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_hidden(&name) {
            continue;
        }
        let path = entry.path();
        let kind = Kind::of(&path, entry.file_type()?);
        entries.push(Entry { name, path, kind });
    }
    // By path: different names may be equal after U+FFFD is inserted.
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// Entries of a root.
pub(crate) fn root_entries(root: &Path) -> Result<Vec<Entry>, SourceError> {
    entries(root).map_err(SourceError::of_root(root))
}

/// Whether a name is that of a hidden file.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a name is that of a JPEG file.
pub(crate) fn is_jpeg_name(name: &str) -> bool {
    has_extension(name, &["jpg", "jpeg"])
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        let mut extensions = extensions.iter();
        extensions.any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Entries of a folder below the root, for a listing that fails if the folder cannot be read.
pub(crate) fn readable_entries(folder: &Path) -> Result<Vec<Entry>, SourceError> {
    entries(folder).map_err(SourceError::unreadable(folder))
}

/// Path of a file below `root`, with `/` between its parts.
pub(crate) fn relative_name(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Name of a root as given; the name on the disk if the path ends in `.` or `..`.
pub(crate) fn own_name(root: &Path) -> String {
    let name_of = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    name_of(root)
        .or_else(|| name_of(&fs::canonicalize(root).ok()?))
        .unwrap_or_else(|| root.display().to_string())
}

/// Reads a regular file of at most [`MAX_TEXT_BYTES`], without a byte order mark.
pub(crate) fn read_text(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut text = read_bytes(path, MAX_TEXT_BYTES)?;
    if text.starts_with(b"\xEF\xBB\xBF") {
        text.drain(..3);
    }
    Ok(text)
}

/// Reads a regular file of at most `max_bytes`.
pub(crate) fn read_bytes(path: &Path, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let unreadable = SourceError::unreadable(path);
    // Checked before the file is opened: opening a FIFO waits for a writer.
    let metadata = fs::metadata(path).map_err(&unreadable)?;
    let what = match Kind::of_resolved(metadata.file_type()) {
        Kind::Folder => Some("a folder"),
        Kind::Special(what) => Some(what),
        Kind::File | Kind::Broken(_) => None,
    };
    if let Some(what) = what {
        return Err(SourceError::NotRegular {
            path: path.to_owned(),
            what,
        });
    }
    let too_large = |bytes| SourceError::TooLarge {
        path: path.to_owned(),
        bytes,
        max_bytes,
    };
    if metadata.len() > max_bytes {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = open_regular(path).map_err(&unreadable)?;
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    // Of the kind `OutOfMemory`: a fault of the machine, not of the file.
    let reserved = bytes.try_reserve_exact(size);
    reserved.map_err(|err| unreadable(err.into()))?;
    // One byte more than allowed, to detect a file that grows.
    let mut bounded = file.take(max_bytes + 1);
    bounded.read_to_end(&mut bytes).map_err(&unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Like [`read_text`]; `None` if there is no such file.
pub(crate) fn read_text_if_any(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    if_any(read_text(path))
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

/// Size of a JPEG or PNG as stated in its header, px, whatever its name; `None` if the header does not state it.
///
/// - `path`: path of a regular file.
pub(crate) fn stored_size(path: &Path) -> Option<SizePx> {
    let size = imagesize::size(path).ok()?;
    let side = |side: usize| u32::try_from(side).ok().filter(|side| *side > 0);
    Some(SizePx {
        width: side(size.width)?,
        height: side(size.height)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tree::{jpeg_head, tree, write};

    #[test]
    fn the_size_is_read_from_the_header_and_damaged_files_have_none() {
        let root = tree(&[]);
        let size = |bytes: &[u8]| {
            write(root.path(), "a.jpg", bytes);
            stored_size(&root.path().join("a.jpg"))
        };
        let head = jpeg_head(500, 375);
        assert_eq!(size(&head), Some([500, 375].into()));
        let mut png = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 7]);
        assert_eq!(size(&png), Some([256, 7].into()));
        assert_eq!(size(&head[..24]), None);
        assert_eq!(size(b"not an image"), None);
        assert_eq!(size(b""), None);
        assert_eq!(size(&jpeg_head(0, 375)), None);
        assert_eq!(stored_size(&root.path().join("gone.jpg")), None);
    }
}
