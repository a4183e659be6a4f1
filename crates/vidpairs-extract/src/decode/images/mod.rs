//! Indexes and decodes clips whose frames are still images in a folder or a zip. Their content decides how they are decoded.

mod numbers;
mod store;

pub(super) use numbers::ImagesIndex;
pub(super) use store::{JpegFolder, JpegStore, JpegZip};

use std::ops::ControlFlow;

use vidpairs_image::still::{self, StillError};
use vidpairs_types::Frame;
use vidpairs_types::parallel::Heartbeat;

use super::Decoded;
use super::error::DecodeError;

/// Orders the images of `store`, and reads the size of the first one with a readable header, upright.
///
/// # Errors
/// [`DecodeError`] if the store cannot be read or holds no JPEG, two JPEGs have the same number, or none has a readable header.
pub(super) fn index(
    store: &mut dyn JpegStore,
    fps: Option<f64>,
    heartbeat: &Heartbeat,
) -> Result<ImagesIndex, DecodeError> {
    let mut index = ImagesIndex::new(store.names()?, fps)?;
    let mut first_error = None;
    for name in &index.names {
        beat(heartbeat)?;
        match read(store, name, still::frame_size) {
            Ok(size) => {
                index.frame_size = size;
                return Ok(index);
            }
            Err(err) => first_error = first_error.or(Some(err)),
        }
    }
    Err(first_error.expect("a store without a JPEG is an error"))
}

/// See [`crate::decode::decode_wanted`]. A frame whose image is damaged is lost.
pub(super) fn decode_wanted(
    store: &mut dyn JpegStore,
    index: &ImagesIndex,
    wanted: &[u64],
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    for &frame in wanted {
        beat(heartbeat)?;
        let Some(name) = index.name(frame) else {
            continue;
        };
        let planes = match read(store, name, still::planes) {
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

fn beat(heartbeat: &Heartbeat) -> Result<(), DecodeError> {
    heartbeat.beat();
    if heartbeat.should_stop() {
        return Err(DecodeError::Stopped);
    }
    Ok(())
}

/// Reads image `name` and passes its bytes to `decode`.
fn read<T>(
    store: &mut dyn JpegStore,
    name: &str,
    decode: fn(&[u8]) -> Result<T, StillError>,
) -> Result<T, DecodeError> {
    decode(&store.read(name)?).map_err(|source| DecodeError::Still {
        name: name.to_owned(),
        source,
    })
}
