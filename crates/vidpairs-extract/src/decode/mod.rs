//! Decodes the frames of a clip, each with its index and time.
//!
//! **Takes** a clip's [`Media`]. **Gives** a [`ClipIndex`] (number of frames, where decoding can start,
//! when each frame is shown), and the requested [`Frame`]s in presentation order. **Fails** with
//! [`DecodeError`]: leave the clip out. A single frame that cannot be decoded is only missing from
//! the output. **Source**: FFmpeg's libavformat and libavcodec.

mod error;
mod images;
mod still;
mod video;

pub use crate::ffmpeg::{ffmpeg_versions, set_ffmpeg_log};
pub use error::DecodeError;

use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, Media, SizePx};

use images::{ImagesIndex, PictureFolder, ZipVersion};
use still::StillIndex;
use video::VideoIndex;

/// Number, size, times and decoding costs of a clip's frames.
pub struct ClipIndex(Kind);

enum Kind {
    Video(VideoIndex),
    /// The version of a zip that was indexed; `None` for a folder.
    Images(ImagesIndex, Option<ZipVersion>),
    Still(StillIndex),
}

/// Range of the stored order, `start..=end`, that must be decoded to get a frame. Frames with overlapping ranges share the
/// work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Stored position where decoding can start.
    pub start: u64,
    /// Stored position of the frame itself.
    pub end: u64,
}

impl ClipIndex {
    /// Number of frames, missing ones included: indices are `0..num_frames`.
    pub fn num_frames(&self) -> u64 {
        match &self.0 {
            Kind::Video(index) => index.num_frames(),
            Kind::Images(index, _) => index.num_frames(),
            Kind::Still(_) => 1,
        }
    }

    /// Indices that exist, ascending, if some are missing (gaps in the numbers of a folder);
    /// `None` if all of `0..num_frames` exist.
    pub fn present(&self) -> Option<&[u64]> {
        match &self.0 {
            Kind::Video(_) | Kind::Still(_) => None,
            Kind::Images(index, _) => index.present.as_deref(),
        }
    }

    /// Damage of the media as a whole that leaves some frames intact, such as a truncated file.
    pub fn remark(&self) -> Option<&str> {
        match &self.0 {
            Kind::Video(index) => index.remark.as_deref(),
            Kind::Images(index, _) => index.remark.as_deref(),
            Kind::Still(_) => None,
        }
    }

    /// Size of the first frame, upright.
    pub fn frame_size(&self) -> SizePx {
        match &self.0 {
            Kind::Video(index) => index.frame_size,
            Kind::Images(index, _) => index.frame_size,
            Kind::Still(index) => index.frame_size,
        }
    }

    /// Size of a still image as it is stored, before it is turned upright; `None` for other media.
    pub fn stored_size(&self) -> Option<SizePx> {
        match &self.0 {
            Kind::Video(_) | Kind::Images(..) => None,
            Kind::Still(index) => Some(index.stored_size),
        }
    }

    /// Presentation time of frame `frame`, if the container states one.
    pub fn pts_seconds(&self, frame: u64) -> Option<f64> {
        match &self.0 {
            Kind::Video(index) => index.pts_seconds(frame),
            Kind::Images(index, _) => index.pts_seconds(frame),
            Kind::Still(_) => None,
        }
    }

    /// Cost of decoding frame `frame`.
    pub fn cost(&self, frame: u64) -> Cost {
        let range = match &self.0 {
            Kind::Video(index) => index.packets_for(frame),
            Kind::Images(..) | Kind::Still(_) => frame..=frame,
        };
        Cost {
            start: *range.start(),
            end: *range.end(),
        }
    }

    /// Costs of decoding the frames that [`decode_watched`] passes on for the span `first..=last`, without duplicates.
    pub fn costs_of_span(&self, first: u64, last: u64) -> Vec<Cost> {
        match self.is_intra() {
            true => {
                let mut frames = self.steps(&(first..=last));
                frames.extend([first, last]);
                frames.sort_unstable();
                frames.dedup();
                frames.into_iter().map(|frame| self.cost(frame)).collect()
            }
            false => {
                let (first, last) = (self.cost(first), self.cost(last));
                let end = first.end.max(last.end);
                vec![Cost { end, ..first }]
            }
        }
    }

    /// Whether no frame needs another one to be decoded.
    fn is_intra(&self) -> bool {
        match &self.0 {
            Kind::Video(index) => index.is_intra(),
            Kind::Images(..) | Kind::Still(_) => true,
        }
    }

    /// Every [`WATCH_STEP`]-th of the frames that exist, those in `span`.
    fn steps(&self, span: &RangeInclusive<u64>) -> Vec<u64> {
        let step = WATCH_STEP as usize;
        match self.present() {
            None => (span.start().next_multiple_of(WATCH_STEP)..=*span.end())
                .step_by(step)
                .collect(),
            Some(present) => {
                let first = present.partition_point(|frame| frame < span.start());
                let end = present.partition_point(|frame| frame <= span.end());
                let ranks = (first.next_multiple_of(step)..end).step_by(step);
                ranks.map(|rank| present[rank]).collect()
            }
        }
    }
}

/// Step between the frames of a span that are decoded to be watched, where each frame is decoded by itself.
pub const WATCH_STEP: u64 = 4;

/// Indexes the frames of `media`, decoding as few of them as possible.
///
/// # Errors
/// [`DecodeError`] if the media cannot be read, holds no frame, or `heartbeat` requests a stop.
pub fn index(media: &Media, heartbeat: &Arc<Heartbeat>) -> Result<ClipIndex, DecodeError> {
    Ok(ClipIndex(match media {
        Media::Video(path) => Kind::Video(video::index(path, heartbeat)?),
        Media::Still(path) => Kind::Still(still::index(path, heartbeat)?),
        Media::JpegFolder {
            path,
            fps,
            first_number,
        } => {
            let store = &mut PictureFolder(path);
            let index = images::index(store, *fps, *first_number, heartbeat)?;
            Kind::Images(index, None)
        }
        Media::JpegZip {
            path,
            fps,
            first_number,
        } => {
            let (index, version) = images::index_zip(path, *fps, *first_number, heartbeat)?;
            Kind::Images(index, Some(version))
        }
    }))
}

/// Result of decoding.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Number of decoded frames, including those decoded only to reach a wanted one.
    pub num_frames: u64,
    /// Wanted frames that could not be decoded, where the reason is known.
    pub lost: Vec<(u64, DecodeError)>,
}

/// Decodes the frames with the indices in `wanted` (ascending, without duplicates) and passes them to
/// `each` in presentation order, until it breaks.
///
/// Frames that cannot be decoded, or only with errors, are left out.
///
/// # Errors
/// [`DecodeError`] if the media can no longer be read, or `heartbeat` requests a stop. After [`DecodeError::Changed`] use no frame that
/// was passed on: it may be of the changed file. Pictures that are files of their own are not checked for changes.
pub fn decode_wanted(
    media: &Media,
    index: &ClipIndex,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    decode_watched(media, index, wanted, &[], heartbeat, each)
}

/// Like [`decode_wanted`], and passes on further frames of `spans`: every frame that other frames may refer to, since the decoder needs
/// it on its way through the span. Frames that nothing refers to are skipped where the decoder can; where it cannot, they are passed on.
/// Of media whose frames are decoded one by one (folders and zips of pictures, video of keyframes alone) it is every [`WATCH_STEP`]-th
/// frame.
///
/// - `spans`: ascending, none overlaps another; each from a wanted frame to a wanted frame.
///
/// # Errors
/// Those of [`decode_wanted`].
pub fn decode_watched(
    media: &Media,
    index: &ClipIndex,
    wanted: &[u64],
    spans: &[RangeInclusive<u64>],
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    let mut all = Vec::new();
    let (wanted, spans) = match index.is_intra() && !spans.is_empty() {
        true => {
            all.extend_from_slice(wanted);
            all.extend(spans.iter().flat_map(|span| index.steps(span)));
            all.sort_unstable();
            all.dedup();
            (&*all, &[][..])
        }
        false => (wanted, spans),
    };
    match (media, &index.0) {
        (Media::Video(path), Kind::Video(index)) => Ok(Decoded {
            num_frames: index.decode_watched(path, wanted, spans, heartbeat, each)?,
            lost: Vec::new(),
        }),
        (Media::Still(path), Kind::Still(_)) => still::decode_wanted(path, wanted, heartbeat, each),
        (Media::JpegFolder { path, .. }, Kind::Images(index, None)) => {
            images::decode_wanted(&mut PictureFolder(path), index, wanted, heartbeat, each)
        }
        (Media::JpegZip { path, .. }, Kind::Images(index, Some(version))) => {
            images::decode_zip(path, (index, *version), wanted, heartbeat, each)
        }
        _ => Err(DecodeError::ForeignIndex),
    }
}
