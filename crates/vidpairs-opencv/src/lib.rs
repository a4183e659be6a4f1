//! OpenCV's trackers and selective search, plugged into vidpairs. The one crate that links OpenCV.
//!
//! **Takes** [`Planes`], boxes. **Gives** [`OpencvTrackers`], the engine of `vidpairs-opencv`. **Fails** with [`CvError`]; an
//! exception in C++ is an error, never a crash. **Source**: OpenCV 4 and its contributed modules `tracking` and `ximgproc`.
//!
//! OpenCV uses the calling thread alone: vidpairs already has a thread for each core.

mod image;
mod rows;
mod search;
mod tracker;
mod trackers;
mod version;

pub use image::BgrImage;
pub use search::selective_search;
pub use tracker::{Algorithm, CvTracker};
pub use version::opencv_version;

use std::sync::Once;

use vidpairs_extract::engine::OpencvEngine;
use vidpairs_extract::propose::{ProposeError, SearchEngine};
use vidpairs_extract::track::{TrackError, TrackFrame, Tracker, TrackerEngine, TrackerKind};
use vidpairs_types::{BoxXywh, Planes, SizePx};

/// Why OpenCV did not do what it was asked. Give the target, or the frame's proposals, up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CvError {
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
    /// OpenCV, or the conversion of colours, refused.
    #[error("cannot {action}: {message}")]
    Library {
        /// What was asked of it.
        action: &'static str,
        /// Its word.
        message: String,
    },
}

/// The engine of a program that links OpenCV.
#[derive(Debug, Clone, Copy)]
pub struct OpencvTrackers;

impl OpencvEngine for OpencvTrackers {
    fn version(&self) -> String {
        opencv_version()
    }
}

impl TrackerEngine for OpencvTrackers {
    fn start(
        &self,
        kind: TrackerKind,
        frame: &TrackFrame<'_>,
        target: BoxXywh,
    ) -> Result<Box<dyn Tracker>, TrackError> {
        trackers::start(kind, frame, target)
    }
}

impl SearchEngine for OpencvTrackers {
    fn selective_search(
        &self,
        frame: &Planes,
        short_side_px: u32,
    ) -> Result<Vec<BoxXywh>, ProposeError> {
        let image = BgrImage::from_planes(frame)?.shrunk_to_short_side(short_side_px)?;
        let (size, small) = (frame.size(), image.size());
        let across = f64::from(size.width) / f64::from(small.width);
        let down = f64::from(size.height) / f64::from(small.height);
        let regions = selective_search(&image)?.into_iter();
        let in_frame = regions.map(|region| BoxXywh {
            x: region.x * across,
            y: region.y * down,
            w: region.w * across,
            h: region.h * down,
        });
        Ok(in_frame.collect())
    }
}

impl From<CvError> for TrackError {
    fn from(err: CvError) -> Self {
        match err {
            CvError::ShortPlane { plane, frame, got } => Self::ShortPlane { plane, frame, got },
            CvError::Library { action, message } => Self::Library { action, message },
        }
    }
}

impl From<CvError> for ProposeError {
    fn from(err: CvError) -> Self {
        match err {
            CvError::ShortPlane { plane, frame, got } => Self::ShortPlane { plane, frame, got },
            CvError::Library { action, message } => Self::Library { action, message },
        }
    }
}

/// What `action` that failed says of itself.
fn refused(action: &'static str) -> impl Fn(opencv::Error) -> CvError {
    move |err| CvError::Library {
        action,
        message: err.message,
    }
}

/// Keeps OpenCV to the threads that call it.
fn use_one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It can't fail in any way that matters: at worst OpenCV goes on with its own threads.
        let _ = opencv::core::set_num_threads(1);
    });
}
