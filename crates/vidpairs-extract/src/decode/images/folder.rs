//! A folder of JPEGs.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use vidpairs_types::Frame;
use vidpairs_types::parallel::Heartbeat;

use super::{ImagesIndex, JpegStore, decode_wanted, first_frame_size, read_bounded};
use crate::decode::{DecodeError, Decoded};

/// Lists the JPEGs of the folder at `path`.
///
/// # Errors
/// [`DecodeError`] if the folder cannot be read, holds no JPEG, or two JPEGs have the same number.
pub(in crate::decode) fn index_folder(
    path: &Path,
    fps: Option<f64>,
    heartbeat: &Heartbeat,
) -> Result<ImagesIndex, DecodeError> {
    let unreadable = |err| DecodeError::unreadable("the folder", err);
    let mut names = Vec::new();
    let mut num_others = 0;
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        match name.to_str() {
            Some(name) if super::numbers::is_jpeg(name) => names.push(name.to_owned()),
            _ => num_others += 1,
        }
    }
    if names.is_empty() {
        return Err(DecodeError::NoJpeg {
            place: "in the folder",
            found: num_others,
        });
    }
    let mut index = ImagesIndex::new(names, fps)?;
    let size = first_frame_size(index.names(), &mut Folder(path.to_owned()), heartbeat)?;
    index.set_frame_size(size);
    Ok(index)
}

/// See [`crate::decode::decode_wanted`].
pub(in crate::decode) fn decode_folder(
    path: &Path,
    index: &ImagesIndex,
    wanted: &[u64],
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    decode_wanted(index, wanted, &mut Folder(path.to_owned()), heartbeat, each)
}

struct Folder(PathBuf);

impl JpegStore for Folder {
    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError> {
        let unreadable = |err| DecodeError::unreadable(name, err);
        let path = self.0.join(name);
        // Asked of the path, not of the open file: to open a FIFO is to wait for its writer.
        let size = match fs::metadata(&path).map_err(unreadable)? {
            found if found.is_file() => found.len(),
            _ => return Err(unreadable(std::io::Error::other("not a regular file"))),
        };
        read_bounded(File::open(&path).map_err(unreadable)?, name, size)
    }
}
