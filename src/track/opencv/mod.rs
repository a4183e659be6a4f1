//! OpenCV's trackers, the one module that names OpenCV.

mod version;

pub use version::opencv_version;

use super::{TrackError, TrackFrame, Tracker, TrackerKind};
use crate::types::BoxXywh;

/// See [`super::start`].
pub(super) fn start(
    kind: TrackerKind,
    _frame: &TrackFrame<'_>,
    _target: BoxXywh,
) -> Result<Box<dyn Tracker>, TrackError> {
    Err(TrackError::NotBuilt { kind })
}
