//! Clips whose frames are JPEGs in a folder or a zip.

mod folder;
mod numbers;
mod zip;

pub(super) use folder::{decode_folder, index_folder};
pub(super) use numbers::ImagesIndex;
pub(super) use zip::{decode_zip, index_zip};

use std::io::Read;
use std::ops::ControlFlow;

use vidpairs_image::jpeg;
use vidpairs_types::Frame;
use vidpairs_types::parallel::Heartbeat;

use super::{DecodeError, Decoded};

/// A JPEG above this size is damaged or hostile.
const MAX_JPEG_BYTES: u64 = 256 << 20;

/// Where the bytes of numbered JPEGs come from.
trait JpegStore {
    /// The bytes of the file or member `name`.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError>;
}

/// Reads at most [`MAX_JPEG_BYTES`].
fn read_bounded(reader: impl Read, name: &str, size: u64) -> Result<Vec<u8>, DecodeError> {
    let too_large = || {
        let text = format!("larger than {MAX_JPEG_BYTES} bytes");
        DecodeError::unreadable(name, std::io::Error::other(text))
    };
    if size > MAX_JPEG_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let read = reader.take(MAX_JPEG_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|err| DecodeError::unreadable(name, err))?;
    if bytes.len() as u64 > MAX_JPEG_BYTES {
        Err(too_large())
    } else {
        Ok(bytes)
    }
}

/// The size of the first frame whose header can be read.
fn first_frame_size(
    names: &[String],
    store: &mut dyn JpegStore,
    heartbeat: &Heartbeat,
) -> Result<vidpairs_types::SizePx, DecodeError> {
    let mut first_error = None;
    for name in names {
        heartbeat.beat();
        if heartbeat.should_stop() {
            return Err(DecodeError::Stopped);
        }
        let size = store.read(name).and_then(|bytes| {
            jpeg::frame_size(&bytes).map_err(|source| DecodeError::Jpeg {
                name: name.clone(),
                source,
            })
        });
        match size {
            Ok(size) => return Ok(size),
            Err(err) => first_error = first_error.or(Some(err)),
        }
    }
    Err(first_error.unwrap_or(DecodeError::NoFrame { num_packets: 0 }))
}

/// Decodes the wanted frames; one whose JPEG is damaged is lost, and said why.
fn decode_wanted(
    index: &ImagesIndex,
    wanted: &[u64],
    store: &mut dyn JpegStore,
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    for &frame in wanted {
        heartbeat.beat();
        if heartbeat.should_stop() {
            return Err(DecodeError::Stopped);
        }
        let Some(name) = index.name(frame) else {
            continue;
        };
        let planes = store.read(name).and_then(|bytes| {
            jpeg::decompress(&bytes).map_err(|source| DecodeError::Jpeg {
                name: name.to_owned(),
                source,
            })
        });
        let planes = match planes {
            Ok(planes) => planes,
            Err(err) => {
                decoded.lost.push((frame, err));
                continue;
            }
        };
        decoded.num_frames += 1;
        let frame = Frame {
            index: frame,
            pts_seconds: index.pts_seconds(frame),
            planes,
        };
        if each(frame).is_break() {
            break;
        }
    }
    Ok(decoded)
}
