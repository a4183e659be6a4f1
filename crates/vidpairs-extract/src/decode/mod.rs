//! Decoding: the frames of a clip, each with its true place and time.
//!
//! **Takes** a clip's [`Media`]. **Gives** a [`ClipIndex`] (how many frames, where decoding can start,
//! when each frame is shown), and the [`Frame`]s asked for, in presentation order. **Fails** with
//! [`DecodeError`]: leave the clip out; a single frame that cannot be decoded is only missing from
//! what comes out. **Source**: FFmpeg's libavformat and libavcodec, named in `decode::video` alone of this module.

mod error;
mod images;
mod index;
mod video;

pub use error::DecodeError;
pub use index::{ClipIndex, Cost};
pub use video::{ffmpeg_versions, set_ffmpeg_log};

use std::ops::ControlFlow;
use std::sync::Arc;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, Media};

/// Finds out what frames `media` holds, decoding as little as it takes to be sure.
///
/// # Errors
/// [`DecodeError`] if the media cannot be read, holds no frame, or `heartbeat` says stop.
pub fn index(media: &Media, heartbeat: &Arc<Heartbeat>) -> Result<ClipIndex, DecodeError> {
    match media {
        Media::Video(path) => video::index(path, heartbeat).map(ClipIndex::video),
        Media::JpegFolder { path, fps } => {
            images::index_folder(path, *fps, heartbeat).map(ClipIndex::images)
        }
        Media::JpegZip { path, fps } => {
            images::index_zip(path, *fps, heartbeat).map(ClipIndex::images)
        }
    }
}

/// What decoding came to.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Frames that were decoded, wanted or needed on the way.
    pub num_frames: u64,
    /// Wanted frames that are missing for a reason of their own, each with it.
    pub lost: Vec<(u64, DecodeError)>,
}

/// Decodes the frames whose indices are `wanted` (ascending, without repeats) and hands them to
/// `each` in presentation order, until it breaks.
///
/// A wanted frame that the decoder cannot make, or makes with errors, is left out.
///
/// # Errors
/// [`DecodeError`] if the media cannot be read any more, or `heartbeat` says stop.
pub fn decode_wanted(
    media: &Media,
    index: &ClipIndex,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    match (media, index.kind()) {
        (Media::Video(path), index::Kind::Video(index)) => {
            let num_frames = video::decode_wanted(path, index, wanted, heartbeat, each)?;
            Ok(Decoded {
                num_frames,
                lost: Vec::new(),
            })
        }
        (Media::JpegFolder { path, .. }, index::Kind::Images(index)) => {
            images::decode_folder(path, index, wanted, heartbeat, each)
        }
        (Media::JpegZip { path, .. }, index::Kind::Images(index)) => {
            images::decode_zip(path, index, wanted, heartbeat, each)
        }
        _ => Err(DecodeError::ForeignIndex),
    }
}
