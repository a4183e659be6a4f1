//! What a pair is, and where in a clip pairs begin.

use serde::{Serialize, Serializer};

/// What the two views of a pair are, with the settings of that kind alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PairRule {
    /// Single frames.
    Images,
    /// A frame and the frame k later.
    Frames {
        /// Frames from anchor to positive.
        k: KRange,
    },
    /// The data set's box at both ends.
    Tracks(TrackRule),
    /// Proposed regions, and where a tracker finds them k frames later.
    Regions(RegionRule),
}

impl PairRule {
    /// Frames from anchor to positive; `None` in kind `images`.
    pub fn k(&self) -> Option<KRange> {
        match self {
            Self::Images => None,
            Self::Frames { k } => Some(*k),
            Self::Tracks(rule) => Some(rule.k),
            Self::Regions(rule) => Some(rule.k),
        }
    }
}

/// Pairs of annotated boxes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrackRule {
    /// Frames from anchor to positive.
    pub k: KRange,
    /// Whether to store the two whole frames too.
    pub with_frames: bool,
    /// Side of the crop over side of the box, unitless.
    pub box_scale: f64,
    /// A box whose shorter side is below, in px of the frame, is left out.
    pub min_box_px: u32,
    /// Share of a box's area, 0 to 1, that may lie outside the frame.
    pub max_box_outside: f64,
}

/// Pairs of tracked regions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RegionRule {
    /// Frames from anchor to positive.
    pub k: KRange,
    /// The most regions of one anchor that are followed.
    pub regions_per_frame: u32,
    /// Whether to store the two whole frames too.
    pub with_frames: bool,
    /// Side of the crop over side of the box, unitless.
    pub box_scale: f64,
    /// A box whose shorter side is below, in px of the frame, is no region.
    pub min_box_px: u32,
    /// Share of a box's area, 0 to 1, that may lie outside the frame.
    pub max_box_outside: f64,
}

/// Frames from anchor to positive, drawn for each pair from `low..=high`; `1 <= low <= high`.
/// Written as one number where the two are the same, else as `[low, high]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KRange {
    /// The fewest.
    pub low: u32,
    /// The most.
    pub high: u32,
}

impl Serialize for KRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.low == self.high {
            self.low.serialize(serializer)
        } else {
            [self.low, self.high].serialize(serializer)
        }
    }
}

/// Where in a clip pairs begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchors {
    /// So many, at random places.
    PerVideo(u32),
    /// Every so many frames, from frame 0.
    Stride(u32),
}
