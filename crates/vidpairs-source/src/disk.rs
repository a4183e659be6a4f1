//! What lies on the disk: kinds of entries, sorted folders, text files of bounded size.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::SourceError;
use super::splits::Split;

/// The largest list, label or annotation file that is read, bytes: days of boxes at 30 fps.
pub(super) const MAX_TEXT_BYTES: u64 = 64 << 20;

/// What a path leads to, symbolic links followed.
#[derive(Debug)]
pub(super) enum Kind {
    Folder,
    File,
    /// A FIFO, a socket, a device: opening it could block. Holds its name, `a FIFO`.
    Special(&'static str),
    /// A symbolic link that leads nowhere, or in a circle.
    Broken(io::Error),
}

impl Kind {
    /// What `path` leads to, where reading its folder gave `file_type`.
    pub(super) fn of(path: &Path, file_type: FileType) -> Self {
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

    /// Why this is no file, if it is none.
    pub(super) fn why_no_file(&self) -> Option<String> {
        match self {
            Self::Folder => Some("is a folder, not a regular file".to_owned()),
            _ => self.why_unusable(),
        }
    }

    /// Why this is no clip, if it is neither file nor folder.
    pub(super) fn why_unusable(&self) -> Option<String> {
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

/// One name in a folder.
pub(super) struct Entry {
    /// The name; U+FFFD stands for what is not UTF-8.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

impl Entry {
    /// The name without `.extension` (any case), if it has that extension.
    pub(super) fn stem_before(&self, extension: &str) -> Option<&str> {
        let (stem, found) = self.name.rsplit_once('.')?;
        (found.eq_ignore_ascii_case(extension) && !stem.is_empty()).then_some(stem)
    }

    /// Whether the name is what the disk holds, and so can name a clip.
    pub(super) fn has_sound_name(&self) -> bool {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some()
    }

    /// The folder as a split of the data set.
    pub(super) fn to_split(&self) -> Split {
        Split {
            name: self.name.clone(),
            path: self.path.clone(),
        }
    }

    pub(super) fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Folder)
    }
}

/// The entries of a folder, hidden ones left out, sorted by name.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
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
    // By path: two names may look the same once what is not UTF-8 is replaced.
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// The entries of a root: it is there, and it is a folder that can be read.
pub(super) fn root_entries(root: &Path) -> Result<Vec<Entry>, SourceError> {
    entries(root).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::RootMissing {
            root: root.to_owned(),
        },
        _ => SourceError::Unreadable {
            path: root.to_owned(),
            source,
        },
    })
}

/// Whether a name is meant to be passed over.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a name is that of a JPEG file.
pub(super) fn is_jpeg_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        ["jpg", "jpeg"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Whether a name is that of a JPEG or PNG file.
pub(super) fn is_image_name(name: &str) -> bool {
    let is_png = |(_, extension): (&str, &str)| extension.eq_ignore_ascii_case("png");
    is_jpeg_name(name) || name.rsplit_once('.').is_some_and(is_png)
}

/// The entries of a folder below the root, where one that cannot be read ends the listing.
pub(super) fn readable_entries(folder: &Path) -> Result<Vec<Entry>, SourceError> {
    entries(folder).map_err(|source| SourceError::Unreadable {
        path: folder.to_owned(),
        source,
    })
}

/// The name of a root as it was given; the true one where that ends in `.` or `..`.
pub(super) fn own_name(root: &Path) -> String {
    let name_of = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    name_of(root)
        .or_else(|| name_of(&fs::canonicalize(root).ok()?))
        .unwrap_or_else(|| root.display().to_string())
}

/// Reads a regular file of at most [`MAX_TEXT_BYTES`]; a byte order mark at its start is left out.
pub(super) fn read_text(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut text = read_bytes(path, MAX_TEXT_BYTES)?;
    if text.starts_with(b"\xEF\xBB\xBF") {
        text.drain(..3);
    }
    Ok(text)
}

/// Reads a regular file of at most `max_bytes`.
pub(super) fn read_bytes(path: &Path, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let unreadable = |source| SourceError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // Asked before it is opened: opening a FIFO waits for a writer that may never come.
    let metadata = fs::metadata(path).map_err(unreadable)?;
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
    let file = File::open(path).map_err(unreadable)?;
    // One byte more than is allowed, to notice a file that grows.
    let mut bounded = file.take(max_bytes + 1);
    bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// [`read_text`], or `None` where there is no such file.
pub(super) fn read_text_if_any(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    match read_text(path) {
        Err(SourceError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// The lines of a text with their numbers from 1, white space around them left out, and without the blank
/// lines at the end.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let text = text.trim_ascii_end();
    let num_lines = if text.is_empty() { 0 } else { usize::MAX };
    text.split(|&byte| byte == b'\n')
        .take(num_lines)
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_ascii()))
}

/// The error that names a line.
pub(super) fn bad_line(
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
