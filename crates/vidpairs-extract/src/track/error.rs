//! Why a target cannot be followed.

use vidpairs_types::{BoxXywh, SizePx};

use super::TrackerKind;

/// Why a target cannot be followed. Give it up; others of the same frame may be fine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackError {
    /// Nothing to hold on to.
    #[error("target [{}, {}, {}, {}] has too little inside a frame of {frame}", .target.x, .target.y, .target.w, .target.h)]
    Target {
        /// The box, px.
        target: BoxXywh,
        /// Size of the upright frame.
        frame: SizePx,
    },
    /// A frame of another size than the first.
    #[error("a frame of {got} follows frames of {expected}")]
    OtherSize {
        /// Of the first frame.
        expected: SizePx,
        /// Of this one.
        got: SizePx,
    },
    /// Planes shorter than they claim to be: a bug in a decoder.
    #[error("plane {plane} of a frame of {frame} has {got} bytes, fewer than its rows need")]
    ShortPlane {
        /// Which.
        plane: usize,
        /// Size of the stored frame.
        frame: SizePx,
        /// Its length.
        got: usize,
    },
    /// This program has no OpenCV. Choose another tracker, or use `vidpairs-opencv`.
    #[error("the tracker {} is OpenCV's, which this program lacks: use vidpairs-opencv, or the tracker dcf", .kind.name())]
    NoOpencv {
        /// The tracker.
        kind: TrackerKind,
    },
    /// OpenCV refused.
    #[error("OpenCV cannot {action}: {message}")]
    Library {
        /// What was asked of it.
        action: &'static str,
        /// Its word.
        message: String,
    },
}
