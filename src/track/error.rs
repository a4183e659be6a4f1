//! Why a target cannot be followed.

use super::TrackerKind;
use crate::types::{BoxXywh, SizePx};

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
    /// This program was built without it. Choose another tracker.
    #[error("this program was built without the tracker {}: build it with the feature `opencv`, or use dcf", .kind.name())]
    NotBuilt {
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
