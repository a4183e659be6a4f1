//! The trackers by name.

use serde::{Deserialize, Serialize};

/// Which tracker follows the regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackerKind {
    /// Ours: a discriminative correlation filter on the decoder's planes.
    Dcf,
    /// OpenCV's kernelized correlation filter (Henriques et al., 2015).
    Kcf,
    /// OpenCV's discriminative correlation filter with channel and spatial reliability (Lukezic et al., 2017).
    Csrt,
    /// OpenCV's minimum output sum of squared error filter (Bolme et al., 2010).
    Mosse,
}

impl TrackerKind {
    /// All of them, ours first.
    pub const ALL: &'static [Self] = &[Self::Dcf, Self::Kcf, Self::Csrt, Self::Mosse];

    /// Whether OpenCV provides it.
    pub fn is_opencv(self) -> bool {
        match self {
            Self::Dcf => false,
            Self::Kcf | Self::Csrt | Self::Mosse => true,
        }
    }

    /// Whether it can be told where to look (`Tracker::nudge`).
    pub fn can_be_nudged(self) -> bool {
        self == Self::Dcf
    }

    /// The name used in pipeline files, on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dcf => "dcf",
            Self::Kcf => "kcf",
            Self::Csrt => "csrt",
            Self::Mosse => "mosse",
        }
    }
}
