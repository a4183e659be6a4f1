//! A zip of JPEGs, read where it lies.

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;

use ::zip::ZipArchive;
use ::zip::result::ZipError;

use vidpairs_types::Frame;
use vidpairs_types::parallel::Heartbeat;

use super::{ImagesIndex, JpegStore, decode_wanted, first_frame_size, numbers, read_bounded};
use crate::decode::{DecodeError, Decoded};

/// Lists the JPEGs of the zip at `path`.
///
/// # Errors
/// [`DecodeError`] if the zip's directory is damaged, holds no JPEG, holds JPEGs in several folders,
/// or two JPEGs have the same number.
pub(in crate::decode) fn index_zip(
    path: &Path,
    fps: Option<f64>,
    heartbeat: &Heartbeat,
) -> Result<ImagesIndex, DecodeError> {
    let mut archive = Archive::open(path)?;
    // A name that is not text cannot be asked for again; it is no frame's.
    let members: Vec<String> = archive
        .0
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .collect();
    let num_members = members.len();
    let is_frame =
        |name: &String| !name.starts_with("__MACOSX/") && numbers::is_jpeg(file_name(name));
    let frames: Vec<String> = members.into_iter().filter(is_frame).collect();
    let Some(first) = frames.first() else {
        return Err(DecodeError::NoJpeg {
            place: "in the zip",
            found: num_members,
        });
    };
    if let Some(other) = frames.iter().find(|name| folder(name) != folder(first)) {
        let (first, second) = (folder(first).to_owned(), folder(other).to_owned());
        return Err(DecodeError::SeveralFolders { first, second });
    }
    let mut index = ImagesIndex::new(frames, fps)?;
    let size = first_frame_size(index.names(), &mut archive, heartbeat)?;
    index.set_frame_size(size);
    Ok(index)
}

/// See [`crate::decode::decode_wanted`].
pub(in crate::decode) fn decode_zip(
    path: &Path,
    index: &ImagesIndex,
    wanted: &[u64],
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    decode_wanted(index, wanted, &mut Archive::open(path)?, heartbeat, each)
}

struct Archive(ZipArchive<BufReader<File>>);

impl Archive {
    fn open(path: &Path) -> Result<Self, DecodeError> {
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

impl JpegStore for Archive {
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

fn file_name(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

fn folder(member: &str) -> &str {
    member.rsplit_once('/').map_or("", |(folder, _)| folder)
}
