//! Tracking: where a region of one frame is in the frames after it.
//!
//! **Takes** a [`TrackFrame`] and a box in it, then the frames that follow, one by one. **Gives** an
//! [`Estimate`] for each: the box, how sure the tracker is, whether the target is lost. **Fails** with
//! [`TrackError`]: give this target up; others of the same frame may be fine. **Source**: `dcf` is ours
//! (`docs/TRACKER.md`); `kcf`, `csrt` and `mosse` are OpenCV's, to choose and to compare with.
//!
//! [`Following`] follows the regions of one anchor and judges them: a [`Tracklet`] each, trusted or with the
//! [`Mistrust`] that ended it. Nothing of it is an error.
//!
//! Boxes are in px of the upright frame, as everywhere; they may reach out of it.

mod backward;
mod dcf;
mod error;
mod follower;
mod following;
mod frame;
mod tracklet;
mod trust;

#[cfg(test)]
mod fixtures;

pub use dcf::Steps;
pub use error::TrackError;
pub use following::{FollowRules, Following, StartTracker};
pub use frame::TrackFrame;
pub use tracklet::{Spread, Tracklet};
pub use trust::{BoxRules, Mistrust};
pub use vidpairs_pipeline::{TrackerKind, TrustRules};

use vidpairs_types::BoxXywh;

/// Where a tracker sees its target in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The target, px; valid, and where it was last seen if it is lost.
    pub bbox: BoxXywh,
    /// How sure the tracker is, 0 to 1: an estimate of the chance that `bbox` overlaps the target by
    /// more than half. OpenCV's trackers say 1 or 0.
    pub confidence: f64,
    /// Peak-to-sidelobe ratio of the response, unitless; `None` where the tracker doesn't tell.
    pub psr: Option<f64>,
    /// Whether the target was not found. A tracker goes on looking in later frames.
    pub is_lost: bool,
}

/// Follows one target through the frames of a clip. Every frame has the size of the first.
pub trait Tracker {
    /// Looks for the target in `frame` and learns from what is found.
    ///
    /// # Errors
    /// [`TrackError::OtherSize`] for a frame of another size; [`TrackError::Library`] where OpenCV fails.
    fn update(&mut self, frame: &TrackFrame<'_>) -> Result<Estimate, TrackError>;

    /// Looks for the target `right_px` further right and `down_px` further down from now on: the caller knows
    /// how things moved. A tracker that cannot be told where to look ignores it.
    fn nudge(&mut self, right_px: f64, down_px: f64) {
        let _ = (right_px, down_px);
    }
}

/// A library with trackers of its own.
pub trait TrackerEngine: Sync {
    /// Starts a tracker on `target`, a box in `frame` that lies at least partly inside.
    ///
    /// # Errors
    /// [`TrackError::Target`] if no whole pixel of the target lies inside the frame; [`TrackError::Library`] if the library fails.
    fn start(
        &self,
        kind: TrackerKind,
        frame: &TrackFrame<'_>,
        target: BoxXywh,
    ) -> Result<Box<dyn Tracker>, TrackError>;
}

/// Starts a tracker of this kind on `target`, a box in `frame`.
///
/// # Errors
/// [`TrackError::Target`] if the box is not valid, lies outside the frame or is smaller than 4 px;
/// [`TrackError::NoOpencv`] for a tracker of OpenCV where `opencv` is `None`.
pub fn start(
    kind: TrackerKind,
    frame: &TrackFrame<'_>,
    target: BoxXywh,
    opencv: Option<&dyn TrackerEngine>,
) -> Result<Box<dyn Tracker>, TrackError> {
    let inside = target
        .clipped(frame.size())
        .map_or(0.0, |inside| inside.w.min(inside.h));
    if !target.is_valid() || inside < MIN_SIDE_PX {
        return Err(TrackError::Target {
            target,
            frame: frame.size(),
        });
    }
    match kind {
        TrackerKind::Dcf => Ok(Box::new(dcf::Dcf::start(frame, target)?)),
        kind => opencv
            .ok_or(TrackError::NoOpencv { kind })?
            .start(kind, frame, target),
    }
}

/// The shorter side of the visible part of a target, px: below, there is nothing to hold on to.
const MIN_SIDE_PX: f64 = 4.0;

#[cfg(test)]
mod tests;
