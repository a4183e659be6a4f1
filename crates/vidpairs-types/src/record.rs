//! Records, as stored in shards, and lines of `tracks.jsonl.zst`. docs/SHARDS.md specifies both formats.

use serde::{Deserialize, Serialize};

use super::record_json::RecordJson;
use super::{BoxXywh, PairKind, SizePx};

/// Version of `KEY.json`. It increases when a field is removed or changes its meaning. Older ones are read too.
pub const SCHEMA: u32 = 2;

/// View that an image member holds. Its name is the first part of the member's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Anchor. In kind `images`, the image itself.
    Anchor,
    /// Positive.
    Positive,
    /// Whole frame of the anchor.
    AnchorFrame,
    /// Whole frame of the positive.
    PositiveFrame,
}

impl Role {
    /// Name in member names and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Positive => "positive",
            Self::AnchorFrame => "anchor_frame",
            Self::PositiveFrame => "positive_frame",
        }
    }
}

/// Description of one view in `KEY.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewMeta {
    /// Frame index in presentation order, from 0.
    pub frame: u64,
    /// Presentation time as stated by the container, seconds; `None` if it states none.
    pub pts_seconds: Option<f64>,
    /// Size of the upright frame, px.
    pub frame_size: SizePx,
    /// Region that the image shows, px in the upright frame; `None` for the whole frame, also if it was read from a box of that size.
    pub box_xywh: Option<BoxXywh>,
    /// Size of the stored image, px.
    pub image_size: SizePx,
    /// CRC-32 (IEEE) of the member's bytes.
    pub crc32: u32,
}

/// Summary of the tracking from anchor to positive.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackletMeta {
    /// Name of the tracker, or [`GROUND_TRUTH`](Self::GROUND_TRUTH).
    pub tracker: String,
    /// Mean peak-to-sidelobe ratio after the anchor frame, unitless; `None` if the tracker does not report it.
    pub psr_mean: Option<f64>,
    /// Minimum peak-to-sidelobe ratio after the anchor frame.
    pub psr_min: Option<f64>,
    /// Minimum IoU of the forward-backward check, 0 to 1; `None` if nothing was tracked back.
    pub forward_backward_iou: Option<f64>,
    /// Mean confidence after the anchor frame, 0 to 1.
    pub confidence_mean: Option<f64>,
    /// Minimum confidence after the anchor frame, 0 to 1.
    pub confidence_min: Option<f64>,
    /// Confidence at the positive, 0 to 1.
    pub confidence_last: Option<f64>,
}

impl TrackletMeta {
    /// Name of the tracker for boxes that come from the data set.
    pub const GROUND_TRUTH: &str = "ground-truth";

    /// Summary for boxes that come from the data set, without tracking.
    pub fn ground_truth() -> Self {
        Self {
            tracker: Self::GROUND_TRUTH.to_owned(),
            psr_mean: None,
            psr_min: None,
            forward_backward_iou: None,
            confidence_mean: None,
            confidence_min: None,
            confidence_last: None,
        }
    }
}

/// Contents of `KEY.json`, the metadata of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "RecordJson", into = "RecordJson")]
pub struct RecordMeta {
    /// Version of the JSON that this was read from, or [`SCHEMA`]. The JSON that is written has the latest.
    pub schema: u32,
    /// Key of the record, `CCCCCCCC-PPPP`: ordinal of the clip and ordinal of the pair in the clip.
    pub key: String,
    /// Id of the clip.
    pub clip: String,
    /// Name of the source kind.
    pub source: String,
    /// Kind of the pair.
    pub kind: PairKind,
    /// Class of the object, if known.
    pub label: Option<String>,
    /// Number of frames from anchor to positive; `None` in kind `images`.
    pub k: Option<u64>,
    /// Anchor view.
    pub anchor: ViewMeta,
    /// Positive view; `None` in kind `images`.
    pub positive: Option<ViewMeta>,
    /// Whole frame of the anchor, if stored.
    pub anchor_frame: Option<ViewMeta>,
    /// Whole frame of the positive, if stored.
    pub positive_frame: Option<ViewMeta>,
    /// Summary of the tracking; kinds `tracks` and `regions` only.
    pub tracklet: Option<TrackletMeta>,
}

impl RecordMeta {
    /// Views in the order of their members.
    pub fn views(&self) -> impl Iterator<Item = (Role, &ViewMeta)> {
        [
            (Role::Anchor, Some(&self.anchor)),
            (Role::Positive, self.positive.as_ref()),
            (Role::AnchorFrame, self.anchor_frame.as_ref()),
            (Role::PositiveFrame, self.positive_frame.as_ref()),
        ]
        .into_iter()
        .filter_map(|(role, view)| Some((role, view?)))
    }
}

/// Encoded image of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedMember {
    /// View that the image shows.
    pub role: Role,
    /// Extension after the role, `jpg` or `rgb.zst`.
    pub extension: &'static str,
    /// Encoded bytes. They are shared because the positive of one pair may be the anchor of the next.
    pub bytes: std::sync::Arc<[u8]>,
}

/// Record to be written to a shard. The shard holds the images first, in the order of [`Role`], then the metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedRecord {
    /// Contents of `KEY.json`.
    pub meta: RecordMeta,
    /// Images, one for each view of `meta`, in the same order.
    pub members: Vec<EncodedMember>,
}

/// Line of `tracks.jsonl.zst`: one tracklet, trusted or rejected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackletLine {
    /// Id of the clip.
    pub clip: String,
    /// Key of the record made from the tracklet; `None` if it was rejected.
    pub key: Option<String>,
    /// Frame index of the anchor, where the tracklet starts.
    pub anchor: u64,
    /// Number of frames from the anchor to the planned positive. A tracklet that was given up ends earlier.
    pub k: u64,
    /// Ordinal of the region in its anchor, from 0.
    pub region: u32,
    /// Name of the tracker.
    pub tracker: String,
    /// [`TRUSTED`](Self::TRUSTED), or the reason for the rejection.
    pub outcome: String,
    /// Minimum IoU of the forward-backward check, 0 to 1; `None` if nothing was tracked back.
    pub forward_backward_iou: Option<f64>,
    /// Box in each frame, starting with the anchor frame. Frames that could not be decoded have none.
    pub boxes: Vec<TrackedBox>,
}

impl TrackletLine {
    /// `outcome` of a tracklet that passed every rule.
    pub const TRUSTED: &str = "trusted";
}

/// Tracked box in one frame. Serialized as `[frame, x, y, w, h, confidence, psr]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "TrackedBoxRow", into = "TrackedBoxRow")]
pub struct TrackedBox {
    /// Frame index.
    pub frame: u64,
    /// Box, px in the upright frame.
    pub bbox: BoxXywh,
    /// Confidence of the tracker, 0 to 1; 1 in the anchor frame.
    pub confidence: f64,
    /// Peak-to-sidelobe ratio; `None` in the anchor frame and if the tracker does not report it.
    pub psr: Option<f64>,
}

type TrackedBoxRow = (u64, f64, f64, f64, f64, f64, Option<f64>);

impl From<TrackedBoxRow> for TrackedBox {
    fn from((frame, x, y, w, h, confidence, psr): TrackedBoxRow) -> Self {
        Self {
            frame,
            bbox: BoxXywh { x, y, w, h },
            confidence,
            psr,
        }
    }
}

impl From<TrackedBox> for TrackedBoxRow {
    fn from(tracked: TrackedBox) -> Self {
        let BoxXywh { x, y, w, h } = tracked.bbox;
        (tracked.frame, x, y, w, h, tracked.confidence, tracked.psr)
    }
}
