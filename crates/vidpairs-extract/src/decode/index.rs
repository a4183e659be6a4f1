//! What is known of a clip before a frame is asked for.

use vidpairs_types::SizePx;

use super::images::ImagesIndex;
use super::video::VideoIndex;

/// The frames of a clip: how many, how large, and what it costs to reach one.
pub struct ClipIndex(Kind);

pub(super) enum Kind {
    Video(VideoIndex),
    Images(ImagesIndex),
}

/// Which stretch of the stored order must be decoded to see a frame: `start..=end`. Two frames whose
/// stretches overlap share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Place in stored order where decoding can start.
    pub start: u64,
    /// Place in stored order of the frame itself.
    pub end: u64,
}

impl ClipIndex {
    pub(super) fn video(index: VideoIndex) -> Self {
        Self(Kind::Video(index))
    }

    pub(super) fn images(index: ImagesIndex) -> Self {
        Self(Kind::Images(index))
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }

    /// Number of frames, missing ones included: indices are `0..num_frames`.
    pub fn num_frames(&self) -> u64 {
        match &self.0 {
            Kind::Video(index) => index.num_frames(),
            Kind::Images(index) => index.num_frames(),
        }
    }

    /// The indices that exist, ascending, where some are missing (a gap in the numbers of a folder);
    /// `None` when all of `0..num_frames` do.
    pub fn present(&self) -> Option<&[u64]> {
        match &self.0 {
            Kind::Video(_) => None,
            Kind::Images(index) => index.present(),
        }
    }

    /// What is wrong with the media as a whole, though frames come out of it: it breaks off, say.
    pub fn remark(&self) -> Option<&str> {
        match &self.0 {
            Kind::Video(index) => index.remark(),
            Kind::Images(_) => None,
        }
    }

    /// Size of the first frame, upright.
    pub fn frame_size(&self) -> SizePx {
        match &self.0 {
            Kind::Video(index) => index.frame_size(),
            Kind::Images(index) => index.frame_size(),
        }
    }

    /// Presentation time of frame `frame`, where the container states one.
    pub fn pts_seconds(&self, frame: u64) -> Option<f64> {
        match &self.0 {
            Kind::Video(index) => index.pts_seconds(frame),
            Kind::Images(index) => index.pts_seconds(frame),
        }
    }

    /// What it costs to decode frame `frame`.
    pub fn cost(&self, frame: u64) -> Cost {
        match &self.0 {
            Kind::Video(index) => index.cost(frame),
            Kind::Images(_) => Cost {
                start: frame,
                end: frame,
            },
        }
    }
}
