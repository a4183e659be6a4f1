//! A line of `tracks.jsonl.zst`: one tracklet, trusted or not.

use serde::{Deserialize, Serialize};

use super::BoxXywh;

/// One line of `tracks.jsonl.zst`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackletLine {
    /// The clip's id.
    pub clip: String,
    /// Key of the record that it became, if it did.
    pub key: Option<String>,
    /// Frame in which it begins.
    pub anchor: u64,
    /// Frames to the positive; the boxes end earlier where it was given up on the way.
    pub k: u64,
    /// Place among the regions of its anchor, from 0.
    pub region: u32,
    /// Name of the tracker.
    pub tracker: String,
    /// `trusted`, or why it was rejected.
    pub outcome: String,
    /// The least overlap (IoU) of the stretches that were tracked back, if any was.
    pub forward_backward_iou: Option<f64>,
    /// Where it was in each frame, the anchor's first.
    pub boxes: Vec<TrackedBox>,
}

impl TrackletLine {
    /// The `outcome` of a tracklet that passed every rule.
    pub const TRUSTED: &str = "trusted";
}

/// Where a region was in one frame. Written as `[frame, x, y, w, h, confidence, psr]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct TrackedBox {
    /// Frame index.
    pub frame: u64,
    /// The box, px of the upright frame.
    pub bbox: BoxXywh,
    /// The tracker's confidence, 0 to 1; 1 in the anchor's frame.
    pub confidence: f64,
    /// Peak-to-sidelobe ratio, where the tracker tells it.
    pub psr: Option<f64>,
}

type Row = (u64, f64, f64, f64, f64, f64, Option<f64>);

impl From<Row> for TrackedBox {
    fn from((frame, x, y, w, h, confidence, psr): Row) -> Self {
        Self {
            frame,
            bbox: BoxXywh { x, y, w, h },
            confidence,
            psr,
        }
    }
}

impl From<TrackedBox> for Row {
    fn from(tracked: TrackedBox) -> Self {
        let BoxXywh { x, y, w, h } = tracked.bbox;
        (tracked.frame, x, y, w, h, tracked.confidence, tracked.psr)
    }
}
