//! Interface of trackers: the frame they see, their estimate, their errors.

use std::any::Any;
use std::cell::OnceCell;

use vidpairs_pipeline::TrackerKind;
use vidpairs_types::{BoxXywh, LibraryError, Planes, ShortPlane, SizePx};

/// Why a target cannot be tracked. Give it up; other targets of the same frame may be fine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackError {
    /// Too small a part of the target lies in the frame.
    #[error("target [{}, {}, {}, {}] has too little inside a frame of {frame}", .target.x, .target.y, .target.w, .target.h)]
    Target {
        /// The box, px.
        target: BoxXywh,
        /// Size of the upright frame.
        frame: SizePx,
    },
    /// The frame differs in size from the first frame.
    #[error("a frame of {got} follows frames of {expected}")]
    OtherSize {
        /// Size of the first frame.
        expected: SizePx,
        /// Size of this frame.
        got: SizePx,
    },
    /// A plane is too short: a bug in a decoder.
    #[error(transparent)]
    ShortPlane(#[from] ShortPlane),
    /// This program has no OpenCV. Choose another tracker, or use `vidpairs-opencv`.
    #[error("the tracker {} is OpenCV's, which this program lacks: use vidpairs-opencv, or the tracker dcf", .kind.name())]
    NoOpencv {
        /// The tracker.
        kind: TrackerKind,
    },
    /// OpenCV failed.
    #[error("OpenCV {0}")]
    Library(#[from] LibraryError),
}

/// A frame's planes, and one value computed from them for all targets in the frame.
pub struct TrackFrame<'a> {
    planes: &'a Planes,
    shared: OnceCell<Box<dyn Any>>,
}

impl<'a> TrackFrame<'a> {
    /// Wraps the planes without reading them.
    pub fn new(planes: &'a Planes) -> Self {
        Self {
            planes,
            shared: OnceCell::new(),
        }
    }

    /// Planes of the frame.
    pub fn planes(&self) -> &'a Planes {
        self.planes
    }

    /// Size of the upright frame, the space of all boxes.
    pub fn size(&self) -> SizePx {
        self.planes.size()
    }

    /// The value computed by `make` at the first call, such as the frame as an image of OpenCV. `None` if another type was
    /// computed before: all trackers of a frame share one library.
    ///
    /// # Errors
    /// The error of `make`.
    pub fn shared<T: 'static, E>(
        &self,
        make: impl FnOnce(&Planes) -> Result<T, E>,
    ) -> Result<Option<&T>, E> {
        if self.shared.get().is_none() {
            let value = make(self.planes)?;
            let _ = self.shared.set(Box::new(value)); // it was empty
        }
        Ok(self.shared.get().and_then(|value| value.downcast_ref()))
    }
}

/// A tracker's estimate of its target in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Box of the target, px; valid. The last known box if the target is lost.
    pub bbox: BoxXywh,
    /// Confidence, 0 to 1: estimated probability that `bbox` overlaps the target by
    /// more than half. OpenCV's trackers give 1 or 0.
    pub confidence: f64,
    /// Peak-to-sidelobe ratio of the response, unitless; `None` if the tracker has none.
    pub psr: Option<f64>,
    /// Whether the target was not found. The tracker searches again in later frames.
    pub is_lost: bool,
}

/// Follows one target through the frames of a clip. Every frame has the size of the first.
pub trait Tracker {
    /// Finds the target in `frame` and learns its appearance.
    ///
    /// # Errors
    /// [`TrackError::OtherSize`] for a frame of another size; [`TrackError::Library`] if OpenCV fails.
    fn update(&mut self, frame: &TrackFrame<'_>) -> Result<Estimate, TrackError>;

    /// Shifts the position where the next update searches, for callers that know the motion. Trackers whose position cannot
    /// be set ignore it.
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
