//! Kinds and plans of pairs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::BoxXywh;

/// Content of the two views of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairKind {
    /// Single frames; augmentation makes both views from one image.
    Images,
    /// A frame, and the frame k frames later.
    Frames,
    /// A box of the data set in two frames.
    Tracks,
    /// A proposed region, and the place where a tracker found it k frames later.
    Regions,
}

impl PairKind {
    /// Name in pipeline files and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Frames => "frames",
            Self::Tracks => "tracks",
            Self::Regions => "regions",
        }
    }
}

/// Boxes of a pair that are known before decoding.
#[derive(Debug, Clone, PartialEq)]
pub enum KnownBoxes {
    /// Boxes of the target in anchor and positive, px in the upright frame.
    Track([BoxXywh; 2]),
    /// Annotated object of a still image.
    Object {
        /// Box inside the image, px in the stored image.
        bbox: BoxXywh,
        /// Class of the object.
        label: Arc<str>,
    },
}

/// Plan of one pair of a clip: its frames, and its boxes in kinds that have them.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPlan {
    /// Ordinal of the pair in its clip, from 0.
    pub ordinal: u32,
    /// Frame index of the anchor.
    pub anchor: u64,
    /// Frame index of the positive, not below `anchor`; `None` in kind `images`.
    pub positive: Option<u64>,
    /// Boxes that the pair shows, if the data set has them.
    pub boxes: Option<KnownBoxes>,
    /// Whether regions are tracked, which needs all frames from anchor to positive.
    pub is_followed: bool,
}

impl PairPlan {
    /// Indices of the frames to decode, ascending.
    pub fn frames(&self) -> impl Iterator<Item = u64> {
        let (anchor, last) = (self.anchor, self.last_frame());
        let first_between = if self.is_followed { anchor + 1 } else { last };
        let end = (last != anchor).then_some(last);
        std::iter::once(anchor)
            .chain(first_between..last)
            .chain(end)
    }

    /// Index of the last frame to decode.
    pub fn last_frame(&self) -> u64 {
        self.positive.unwrap_or(self.anchor)
    }
}
