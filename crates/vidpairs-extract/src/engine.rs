//! The seam for OpenCV: a program that links it plugs it in at `main`.

use std::fmt::Debug;

use crate::propose::SearchEngine;
use crate::track::TrackerEngine;

/// Trackers and region proposals of OpenCV.
pub trait OpencvEngine: TrackerEngine + SearchEngine + Debug {
    /// Version of the library that is loaded: `4.6.0`.
    fn version(&self) -> String;
}

/// The OpenCV of this program; `None` in a program without.
pub type Opencv = Option<&'static dyn OpencvEngine>;
