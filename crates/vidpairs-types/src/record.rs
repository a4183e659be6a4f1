//! A record: the members of one sample of a shard, and the json that describes them.

use serde::{Deserialize, Serialize};

use super::{BoxXywh, PairKind, SizePx};

/// Version of the json below; goes up when a field changes its meaning or disappears.
pub const SCHEMA: u32 = 1;

/// Which view an image member holds; its name is the first part of the member's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The anchor (the image itself in kind `images`).
    Anchor,
    /// The positive.
    Positive,
    /// The whole frame of the anchor, beside a region.
    AnchorFrame,
    /// The whole frame of the positive, beside a region.
    PositiveFrame,
}

impl Role {
    /// The name in members and json.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Positive => "positive",
            Self::AnchorFrame => "anchor_frame",
            Self::PositiveFrame => "positive_frame",
        }
    }
}

/// One view of a pair, as `KEY.json` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewMeta {
    /// Index in presentation order, from 0.
    pub frame: u64,
    /// Presentation time as the container states it.
    pub pts_seconds: Option<f64>,
    /// Size of the upright frame.
    pub frame_size: SizePx,
    /// The region in the frame, px, or `None` for the whole frame.
    pub box_xywh: Option<BoxXywh>,
    /// Size of the stored image.
    pub image_size: SizePx,
    /// CRC-32 (IEEE) of the member's bytes.
    pub crc32: u32,
}

/// How a tracked region was followed from anchor to positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackletMeta {
    /// Name of the tracker, or `ground-truth`.
    pub tracker: String,
    /// Mean peak-to-sidelobe ratio, unitless.
    pub psr_mean: Option<f64>,
    /// Least peak-to-sidelobe ratio, unitless.
    pub psr_min: Option<f64>,
    /// Overlap (IoU) of the region tracked there and back with where it began: the least over the stretches
    /// that were checked.
    pub forward_backward_iou: Option<f64>,
    /// Mean of the tracker's confidence over the frames after the anchor's, 0 to 1.
    #[serde(default)]
    pub confidence_mean: Option<f64>,
    /// The least of them.
    #[serde(default)]
    pub confidence_min: Option<f64>,
    /// That at the positive.
    #[serde(default)]
    pub confidence_last: Option<f64>,
}

impl TrackletMeta {
    /// A region whose boxes the data set knows: nothing was tracked.
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

    /// The tracker's name where the boxes are the data set's.
    pub const GROUND_TRUTH: &str = "ground-truth";
}

/// `KEY.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordMeta {
    /// [`SCHEMA`].
    pub schema: u32,
    /// `CCCCCCCC-PPPP`: clip ordinal and pair ordinal.
    pub key: String,
    /// The clip's id.
    pub clip: String,
    /// The source kind's name.
    pub source: String,
    /// The pair kind.
    pub kind: PairKind,
    /// The object's class, where known.
    pub label: Option<String>,
    /// Frames from anchor to positive; `None` in kind `images`.
    pub k: Option<u64>,
    /// The anchor.
    pub anchor: ViewMeta,
    /// The positive; absent in kind `images`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<ViewMeta>,
    /// The whole frame of the anchor, where stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_frame: Option<ViewMeta>,
    /// The whole frame of the positive, where stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_frame: Option<ViewMeta>,
    /// How the region was followed, in tracked kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracklet: Option<TrackletMeta>,
}

impl RecordMeta {
    /// The views in the order of their members.
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

/// One image member of a record, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedMember {
    /// Which view.
    pub role: Role,
    /// Extension after the role: `jpg` or `rgb.zst`.
    pub extension: &'static str,
    /// The bytes; shared, since the positive of one pair may be the anchor of the next.
    pub bytes: std::sync::Arc<[u8]>,
}

/// One sample, ready for a shard: `meta` last, after its image members in the order of [`Role`].
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedRecord {
    /// What `KEY.json` will say.
    pub meta: RecordMeta,
    /// The image members.
    pub members: Vec<EncodedMember>,
}
