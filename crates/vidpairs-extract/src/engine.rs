//! Interface for OpenCV: a program that links it passes an engine at `main`.

use std::fmt::Debug;

use crate::propose::SearchEngine;
use crate::track::TrackerEngine;

/// Trackers and region proposals of OpenCV.
pub trait OpencvEngine: TrackerEngine + SearchEngine + Debug {
    /// Version of the loaded library: `4.6.0`.
    fn version(&self) -> String;
}

/// OpenCV in this program; `None` in a program without it.
pub type Opencv = Option<&'static dyn OpencvEngine>;
