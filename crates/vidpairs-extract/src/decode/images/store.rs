//! Lists and reads the JPEGs of a folder or a zip.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::decode::error::DecodeError;

/// Largest accepted JPEG, bytes. A larger one is damaged or hostile.
const MAX_JPEG_BYTES: u64 = 256 << 20;

/// A folder or zip of JPEGs.
pub(in crate::decode) trait JpegStore {
    /// Names of all JPEGs, in any order; at least one.
    fn names(&mut self) -> Result<Vec<String>, DecodeError>;

    /// Bytes of the file or member `name`.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError>;
}

/// A folder.
pub(in crate::decode) struct JpegFolder<'a>(pub &'a Path);

impl JpegStore for JpegFolder<'_> {
    fn names(&mut self) -> Result<Vec<String>, DecodeError> {
        let unreadable = |err| DecodeError::unreadable("the folder", err);
        let mut names = Vec::new();
        let mut num_others = 0;
        for entry in fs::read_dir(self.0).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            match name.to_str() {
                Some(name) if is_jpeg(name) => names.push(name.to_owned()),
                _ => num_others += 1,
            }
        }
        if names.is_empty() {
            return Err(DecodeError::NoJpeg {
                place: "in the folder",
                found: num_others,
            });
        }
        Ok(names)
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError> {
        let unreadable = |err| DecodeError::unreadable(name, err);
        let path = self.0.join(name);
        // Metadata come from the path, not from an open file: opening a FIFO waits for its writer.
        let metadata = fs::metadata(&path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::other("not a regular file")));
        }
        read_bounded(File::open(&path).map_err(unreadable)?, name, metadata.len())
    }
}

/// A zip, read in place.
pub(in crate::decode) struct JpegZip(ZipArchive<BufReader<File>>);

impl JpegZip {
    /// Opens the zip at `path` and reads its directory.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        let unreadable = |err| DecodeError::unreadable("the zip", err);
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.len() == 0 {
            return Err(DecodeError::Empty);
        }
        ZipArchive::new(BufReader::new(file))
            .map(Self)
            .map_err(|err| zip_error("the zip", err))
    }
}

impl JpegStore for JpegZip {
    fn names(&mut self) -> Result<Vec<String>, DecodeError> {
        // A member whose name is not text is not a frame: it could not be read by name.
        let mut names: Vec<String> = self
            .0
            .file_names()
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .collect();
        let num_members = names.len();
        names.retain(|name| !name.starts_with("__MACOSX/") && is_jpeg(split(name).1));
        let Some(first) = names.first() else {
            return Err(DecodeError::NoJpeg {
                place: "in the zip",
                found: num_members,
            });
        };
        let folder = split(first).0;
        if let Some(other) = names.iter().find(|name| split(name).0 != folder) {
            return Err(DecodeError::SeveralFolders {
                first: folder.to_owned(),
                second: split(other).0.to_owned(),
            });
        }
        Ok(names)
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError> {
        let member = self.0.by_name(name).map_err(|err| zip_error(name, err))?;
        let size = member.size();
        read_bounded(member, name, size)
    }
}

fn zip_error(what: &str, err: ZipError) -> DecodeError {
    match err {
        ZipError::Io(err) => DecodeError::unreadable(what, err),
        err => DecodeError::Zip(err.to_string()),
    }
}

/// Reads a JPEG of `size` bytes, at most [`MAX_JPEG_BYTES`] even if `size` is wrong.
fn read_bounded(reader: impl Read, name: &str, size: u64) -> Result<Vec<u8>, DecodeError> {
    let unreadable = |err| DecodeError::unreadable(name, err);
    let too_large = || {
        let message = format!("larger than {MAX_JPEG_BYTES} bytes");
        unreadable(io::Error::other(message))
    };
    if size > MAX_JPEG_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut bounded = reader.take(MAX_JPEG_BYTES + 1);
    bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_JPEG_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Whether a file name is that of a frame.
fn is_jpeg(name: &str) -> bool {
    let Some((_, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let is_extension = |jpeg: &&str| extension.eq_ignore_ascii_case(jpeg);
    !name.starts_with('.') && ["jpg", "jpeg"].iter().any(is_extension)
}

/// Folder and file name of a zip member.
fn split(member: &str) -> (&str, &str) {
    member.rsplit_once('/').unwrap_or(("", member))
}
