//! A clip: one video, wherever its frames lie.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Which layout the clips of a run were found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Video files, folders of JPEGs and zips of JPEGs, wherever they lie below a folder or in a list.
    Videos,
    /// TrackingNet as distributed.
    TrackingNet,
    /// GOT-10k as distributed.
    Got10k,
}

impl SourceKind {
    /// The name used in pipeline files and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Videos => "videos",
            Self::TrackingNet => "trackingnet",
            Self::Got10k => "got10k",
        }
    }
}

/// Where the frames of a clip are.
#[derive(Debug, Clone, PartialEq)]
pub enum Media {
    /// A container that FFmpeg reads.
    Video(PathBuf),
    /// A folder whose JPEGs are the frames, in the order of the numbers in their names.
    JpegFolder {
        /// The folder.
        path: PathBuf,
        /// Frames per second, where the data set states it.
        fps: Option<f64>,
    },
    /// A zip whose JPEGs are the frames, in the order of the numbers in their names.
    JpegZip {
        /// The zip file.
        path: PathBuf,
        /// Frames per second, where the data set states it.
        fps: Option<f64>,
    },
}

impl Media {
    /// The file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::JpegFolder { path, .. } | Self::JpegZip { path, .. } => path,
        }
    }
}

/// Where the boxes of a clip are, read only when the clip's turn comes.
#[derive(Debug, Clone, PartialEq)]
pub enum Annotation {
    /// No box is known.
    None,
    /// A TrackingNet `anno/<video>.txt`.
    TrackingNet(PathBuf),
    /// A GOT-10k sequence folder with `groundtruth.txt` and its label files.
    Got10k(PathBuf),
}

/// One video of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Stable name, unique in its source, the same on every machine: a path below the root with `/`
    /// between its parts, or the data set's own name.
    pub id: String,
    /// Where the frames are.
    pub media: Media,
    /// Where the boxes are.
    pub annotation: Annotation,
    /// The object's class, where a list of the source gives it.
    pub label: Option<String>,
}
