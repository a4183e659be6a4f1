//! Files on a disk: folders in a stable order, files of bounded size, and the sizes of images.

use std::fs::{self, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use vidpairs_types::{SizePx, open_regular};

use crate::error::SourceError;
use crate::files::{Entry, Files, Kind, is_hidden};
use crate::listing::Listing;
use crate::walk::{Found, walk};

/// Files of the operating system. Symbolic links are followed; files that could block are never opened.
pub(crate) struct Disk;

impl Files for Disk {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(Kind::of(path, path.symlink_metadata()?.file_type()))
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>> {
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

    fn has_name(&self, folder: &Path, is_wanted: fn(&str) -> bool) -> io::Result<bool> {
        let is_wanted = |entry: fs::DirEntry| is_wanted(&entry.file_name().to_string_lossy());
        Ok(fs::read_dir(folder)?.any(|entry| entry.is_ok_and(is_wanted)))
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
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

    fn open(&self, path: &Path) -> io::Result<(Box<dyn Read + '_>, u64)> {
        let file = open_regular(path)?;
        let bytes = file.metadata()?.len();
        Ok((Box::new(file), bytes))
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn walk(
        &self,
        root: &Path,
        listing: &mut Listing,
        add: &mut dyn FnMut(Found<'_>, &mut Listing),
    ) -> Result<(), SourceError> {
        walk(root, listing, add)
    }
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

/// Name of a root as given; the name on the disk if the path ends in `.` or `..`.
pub(crate) fn own_name(root: &Path) -> String {
    let name_of = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    name_of(root)
        .or_else(|| name_of(&fs::canonicalize(root).ok()?))
        .unwrap_or_else(|| root.display().to_string())
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
