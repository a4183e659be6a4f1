//! Wraps OpenCV's trackers as [`Tracker`].
//!
//! OpenCV's trackers start on whole pixels inside the frame; their results are mapped back to the
//! requested box. Their search position cannot be set, and their confidence is only whether the target is found.

use opencv::core::{Ptr, Rect2d};
use opencv::tracking::{
    Legacy_Tracker, Legacy_TrackerCSRT, Legacy_TrackerKCF, Legacy_TrackerMOSSE, Legacy_TrackerTrait,
};
use vidpairs_extract::track::{Estimate, TrackError, TrackFrame, Tracker, TrackerKind};
use vidpairs_types::{BoxXywh, LibraryError, SizePx};

use super::image::BgrImage;
use super::{failed, use_one_thread};

/// One target tracked by an algorithm of OpenCV, with its default parameters.
pub(super) struct OpencvTracker {
    tracker: Ptr<Legacy_Tracker>,
    /// Last box reported by OpenCV: each update takes it as input.
    last_held: Rect2d,
    /// Size of every frame.
    frame_size: SizePx,
    /// The requested box.
    target: BoxXywh,
    /// The box passed to OpenCV instead.
    held: BoxXywh,
    /// Last box of the target.
    last: BoxXywh,
}

impl OpencvTracker {
    /// See [`TrackerEngine::start`](vidpairs_extract::track::TrackerEngine::start).
    pub fn start(
        kind: TrackerKind,
        frame: &TrackFrame<'_>,
        target: BoxXywh,
    ) -> Result<Self, TrackError> {
        use_one_thread();
        let frame_size = frame.size();
        let held = whole_pixels_inside(target, frame_size).ok_or(TrackError::Target {
            target,
            frame: frame_size,
        })?;
        let image = image_of(frame)?;
        let mut tracker = create(kind)?;
        let last_held = Rect2d::new(held.x, held.y, held.w, held.h);
        let is_started = tracker
            .init(&image.mat, last_held)
            .map_err(failed("start a tracker"))?;
        if !is_started {
            return Err(LibraryError::new("start a tracker", "it refused the target").into());
        }
        let mut started = Self {
            tracker,
            last_held,
            frame_size,
            target,
            held,
            last: target,
        };
        if kind == TrackerKind::Kcf {
            // OpenCV's KCF learns nothing at the start, and in its first update assumes that the target has not moved
            // (`if (frame > 0)` in trackerKCF.cpp): the first update must be on the first frame.
            started.find(image)?;
        }
        Ok(started)
    }

    /// Finds the box that OpenCV tracks in `image`; `None` if it is not found.
    fn find(&mut self, image: &BgrImage) -> Result<Option<BoxXywh>, LibraryError> {
        let mut rect = self.last_held;
        let is_found = self
            .tracker
            .update(&image.mat, &mut rect)
            .map_err(failed("follow a target"))?;
        let bbox = BoxXywh {
            x: rect.x,
            y: rect.y,
            w: rect.width,
            h: rect.height,
        };
        if !is_found || !bbox.is_valid() {
            return Ok(None);
        }
        self.last_held = rect;
        Ok(Some(bbox))
    }
}

impl Tracker for OpencvTracker {
    fn update(&mut self, frame: &TrackFrame<'_>) -> Result<Estimate, TrackError> {
        // OpenCV's buffers have the size of the first frame.
        if frame.size() != self.frame_size {
            return Err(TrackError::OtherSize {
                expected: self.frame_size,
                got: frame.size(),
            });
        }
        let seen = self.find(image_of(frame)?)?;
        if let Some(seen) = seen {
            self.last = mapped_back(seen, self.held, self.target);
        }
        Ok(Estimate {
            bbox: self.last,
            confidence: if seen.is_some() { 1.0 } else { 0.0 },
            psr: None,
            is_lost: seen.is_none(),
        })
    }
}

fn create(kind: TrackerKind) -> Result<Ptr<Legacy_Tracker>, LibraryError> {
    let failed = failed("start a tracker");
    Ok(match kind {
        TrackerKind::Kcf => Legacy_TrackerKCF::create_1().map_err(failed)?.into(),
        TrackerKind::Csrt => Legacy_TrackerCSRT::create_1().map_err(failed)?.into(),
        TrackerKind::Mosse => Legacy_TrackerMOSSE::create().map_err(failed)?.into(),
        TrackerKind::Dcf => {
            let message = "dcf is not a tracker of OpenCV";
            return Err(LibraryError::new("start a tracker", message));
        }
    })
}

/// Maps `seen`, the present place of `held`, to the present place of `target`.
fn mapped_back(seen: BoxXywh, held: BoxXywh, target: BoxXywh) -> BoxXywh {
    let (grown_x, grown_y) = (seen.w / held.w, seen.h / held.h);
    BoxXywh {
        x: seen.x + (target.x - held.x) * grown_x,
        y: seen.y + (target.y - held.y) * grown_y,
        w: target.w * grown_x,
        h: target.h * grown_y,
    }
}

/// The target's part inside the frame, with edges on whole pixels.
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
    let image = frame.shared(BgrImage::from_planes::<TrackError>)?;
    let other_library = "the frame belongs to another library";
    image.ok_or_else(|| LibraryError::new("make an image", other_library).into())
}

#[cfg(test)]
mod tests;
