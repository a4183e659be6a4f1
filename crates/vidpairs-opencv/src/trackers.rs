//! OpenCV's trackers behind [`Tracker`].
//!
//! They start on whole pixels inside the frame, whatever the target: what they report is laid back onto the
//! box that was asked for. They cannot be told where to look, and say only whether they see the target.

use vidpairs_extract::track::{Estimate, TrackError, TrackFrame, Tracker, TrackerKind};
use vidpairs_types::{BoxXywh, SizePx};

use super::{Algorithm, BgrImage, CvTracker};

/// Starts a tracker of OpenCV; see [`TrackerEngine::start`](vidpairs_extract::track::TrackerEngine::start).
pub(super) fn start(
    kind: TrackerKind,
    frame: &TrackFrame<'_>,
    target: BoxXywh,
) -> Result<Box<dyn Tracker>, TrackError> {
    let algorithm = match kind {
        TrackerKind::Kcf => Algorithm::Kcf,
        TrackerKind::Csrt => Algorithm::Csrt,
        TrackerKind::Mosse => Algorithm::Mosse,
        TrackerKind::Dcf => {
            return Err(TrackError::Library {
                action: "start a tracker",
                message: "dcf is no tracker of OpenCV".to_owned(),
            });
        }
    };
    let frame_size = frame.size();
    let held = whole_pixels_inside(target, frame_size).ok_or(TrackError::Target {
        target,
        frame: frame_size,
    })?;
    Ok(Box::new(OpencvTracker {
        tracker: CvTracker::start(algorithm, image_of(frame)?, held)?,
        frame_size,
        target,
        held,
        last: target,
    }))
}

struct OpencvTracker {
    tracker: CvTracker,
    /// Of the first frame, and so of every one.
    frame_size: SizePx,
    /// The box that was asked for.
    target: BoxXywh,
    /// The box that OpenCV was given in its place.
    held: BoxXywh,
    last: BoxXywh,
}

impl Tracker for OpencvTracker {
    fn update(&mut self, frame: &TrackFrame<'_>) -> Result<Estimate, TrackError> {
        // Their buffers are as large as the first frame.
        if frame.size() != self.frame_size {
            return Err(TrackError::OtherSize {
                expected: self.frame_size,
                got: frame.size(),
            });
        }
        let seen = self.tracker.update(image_of(frame)?)?;
        if let Some(seen) = seen {
            self.last = laid_back(seen, self.held, self.target);
        }
        Ok(Estimate {
            bbox: self.last,
            confidence: if seen.is_some() { 1.0 } else { 0.0 },
            psr: None,
            is_lost: seen.is_none(),
        })
    }
}

/// Where the target is if the part of it that was `held` is now `seen`.
fn laid_back(seen: BoxXywh, held: BoxXywh, target: BoxXywh) -> BoxXywh {
    let (grown_x, grown_y) = (seen.w / held.w, seen.h / held.h);
    BoxXywh {
        x: seen.x + (target.x - held.x) * grown_x,
        y: seen.y + (target.y - held.y) * grown_y,
        w: target.w * grown_x,
        h: target.h * grown_y,
    }
}

/// The target's part inside the frame, its edges on whole pixels.
fn whole_pixels_inside(target: BoxXywh, frame: SizePx) -> Option<BoxXywh> {
    let inside = target.clipped(frame)?;
    let (left, top) = (inside.x.round(), inside.y.round());
    let whole = BoxXywh {
        x: left,
        y: top,
        w: (inside.x + inside.w).round() - left,
        h: (inside.y + inside.h).round() - top,
    };
    whole.is_valid().then_some(whole)
}

/// The frame as an image of OpenCV, converted once for all targets in it.
fn image_of<'a>(frame: &'a TrackFrame<'_>) -> Result<&'a BgrImage, TrackError> {
    frame
        .shared(BgrImage::from_planes)?
        .ok_or_else(|| TrackError::Library {
            action: "make an image",
            message: "the frame belongs to another library".to_owned(),
        })
}

#[cfg(test)]
mod tests;
