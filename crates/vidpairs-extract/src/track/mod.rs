//! Tracks regions of a frame through the following frames.
//!
//! **Takes** a [`TrackFrame`] and a box in it, then the following frames, one by one. **Gives** an
//! [`Estimate`] for each: box, confidence, whether the target is lost. **Fails** with
//! [`TrackError`]: give this target up; others of the same frame may be fine. **Source**: `dcf` is ours
//! (`docs/TRACKER.md`); `kcf`, `csrt` and `mosse` are OpenCV's, for choice and comparison.
//!
//! [`Following`] tracks the regions of one anchor and judges them. Each becomes a [`Tracklet`], trusted or with the
//! [`Mistrust`] that ended it; none of this is an error.
//!
//! Boxes are in px of the upright frame, and may extend beyond it.

mod backward;
mod dcf;
mod follower;
mod following;
mod rules;
mod tracker;
mod tracklet;

#[cfg(test)]
mod fixtures;

pub use dcf::Steps;
pub use following::Following;
pub use rules::{BoxRules, FollowRules, Mistrust, StartTracker};
pub use tracker::{Estimate, TrackError, TrackFrame, Tracker, TrackerEngine};
pub use tracklet::{Spread, Tracklet};
pub use vidpairs_pipeline::{TrackerKind, TrustRules};

use vidpairs_types::BoxXywh;

/// Starts a tracker of kind `kind` on `target`, a box in `frame`.
///
/// # Errors
/// [`TrackError::Target`] if the box is invalid, lies outside the frame or is smaller than 4 px;
/// [`TrackError::NoOpencv`] for a tracker of OpenCV if `opencv` is `None`.
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

/// Least shorter side of the visible part of a target, px. A smaller part has too few pixels to track.
const MIN_SIDE_PX: f64 = 4.0;

#[cfg(test)]
mod tests;
