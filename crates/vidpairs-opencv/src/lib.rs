//! Plugs OpenCV's trackers and selective search into vidpairs. The one crate that links OpenCV.
//!
//! [`OpencvTrackers`] is the engine of the program `vidpairs-opencv`. An exception in C++ is returned as an error. OpenCV uses
//! the calling thread only, since vidpairs runs a thread per core. **Source**: OpenCV 4 and its contributed modules `tracking`
//! and `ximgproc`.

mod image;
mod search;
mod tracker;

use std::sync::Once;

use opencv::core::{get_version_major, get_version_minor, get_version_revision};
use vidpairs_extract::engine::OpencvEngine;
use vidpairs_extract::propose::{ProposeError, SearchEngine};
use vidpairs_extract::track::{TrackError, TrackFrame, Tracker, TrackerEngine, TrackerKind};
use vidpairs_types::{BoxXywh, LibraryError, Planes};

use tracker::OpencvTracker;

/// Trackers and region proposals of OpenCV, as an engine for [`OpencvEngine`].
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
        let tracker = OpencvTracker::start(kind, frame, target)?;
        Ok(Box::new(tracker))
    }
}

impl SearchEngine for OpencvTrackers {
    fn selective_search(
        &self,
        frame: &Planes,
        short_side_px: u32,
    ) -> Result<Vec<BoxXywh>, ProposeError> {
        search::selective_search(frame, short_side_px)
    }
}

/// Version of the loaded OpenCV: `major.minor.revision`.
///
/// It differs from the version at build time if the system was upgraded since.
///
/// # Examples
/// ```
/// println!("OpenCV {}", vidpairs_opencv::opencv_version());
/// ```
pub fn opencv_version() -> String {
    let (major, minor) = (get_version_major(), get_version_minor());
    format!("{major}.{minor}.{}", get_version_revision())
}

/// Wraps an error of OpenCV, which failed to do `action`.
fn failed(action: &'static str) -> impl Fn(opencv::Error) -> LibraryError {
    move |err| LibraryError::new(action, err.message)
}

/// Restricts OpenCV to the threads that call it.
fn use_one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A failure is harmless: OpenCV then uses its own threads.
        let _ = opencv::core::set_num_threads(1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaded_opencv_has_the_major_and_minor_version_of_the_build() {
        let version = opencv_version();
        let (major, minor) = (
            opencv::core::CV_VERSION_MAJOR,
            opencv::core::CV_VERSION_MINOR,
        );
        assert!(
            version.starts_with(&format!("{major}.{minor}.")),
            "{version}"
        );
    }
}
