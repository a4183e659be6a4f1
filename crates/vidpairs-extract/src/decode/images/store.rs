//! Lists and reads the pictures of a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use vidpairs_image::still::MAX_FILE_BYTES;
use vidpairs_types::{is_still_name, open_regular};

use crate::decode::error::DecodeError;

/// A folder or zip of pictures.
pub(in crate::decode) trait PictureStore {
    /// Names of all pictures, in any order; at least one.
    fn names(&mut self) -> Result<Vec<String>, DecodeError>;

    /// The first bytes of the file or member `name`; all, if it has at most `max_bytes`.
    fn read_head(&mut self, name: &str, max_bytes: u64) -> Result<Vec<u8>, DecodeError>;

    /// Bytes of the file or member `name`.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError>;
}

/// A folder.
pub(in crate::decode) struct PictureFolder<'a>(pub &'a Path);

impl PictureStore for PictureFolder<'_> {
    fn names(&mut self) -> Result<Vec<String>, DecodeError> {
        let unreadable = |err| DecodeError::unreadable("the folder", err);
        let mut names = Vec::new();
        let mut num_others = 0;
        for entry in fs::read_dir(self.0).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if !is_picture(&name.to_string_lossy()) {
                num_others += 1;
                continue;
            }
            names.push(name.into_string().map_err(|name| {
                let reason = "its name is not UTF-8; rename it";
                DecodeError::unreadable(name.to_string_lossy(), io::Error::other(reason))
            })?);
        }
        if names.is_empty() {
            return Err(DecodeError::NoPicture {
                place: "in the folder",
                found: num_others,
            });
        }
        Ok(names)
    }

    fn read_head(&mut self, name: &str, max_bytes: u64) -> Result<Vec<u8>, DecodeError> {
        let (file, size) = self.open(name)?;
        read_exactly(file, name, size.min(max_bytes))
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError> {
        let (file, size) = self.open(name)?;
        read_exactly(file, name, size)
    }
}

impl PictureFolder<'_> {
    /// The file `name` and its size.
    fn open(&self, name: &str) -> Result<(File, u64), DecodeError> {
        let unreadable = |err| DecodeError::unreadable(name, err);
        let file = open_regular(&self.0.join(name)).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        Ok((file, size))
    }
}

/// Reads `size` bytes, at most [`MAX_FILE_BYTES`].
///
/// # Errors
/// [`DecodeError::Unreadable`] if there are fewer, or no memory for them.
pub(super) fn read_exactly(
    reader: impl Read,
    name: &str,
    size: u64,
) -> Result<Vec<u8>, DecodeError> {
    let unreadable = |err| DecodeError::unreadable(name, err);
    if size > MAX_FILE_BYTES {
        let message = format!("{size} bytes; a picture has at most {MAX_FILE_BYTES}");
        return Err(unreadable(io::Error::other(message)));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX))
        .map_err(|err| unreadable(err.into()))?; // of the kind `OutOfMemory`
    reader
        .take(size)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if (bytes.len() as u64) < size {
        let message = format!("it ends after {} of {size} bytes", bytes.len());
        return Err(unreadable(io::Error::other(message)));
    }
    Ok(bytes)
}

/// Whether a file name is that of a frame.
pub(super) fn is_picture(name: &str) -> bool {
    !name.starts_with('.') && is_still_name(name)
}
