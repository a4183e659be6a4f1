//! What a pair is made of, before any pixel is seen.

use serde::{Deserialize, Serialize};

use super::BoxXywh;

/// What the two views of a pair are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairKind {
    /// Single frames; both views come from one image, later.
    Images,
    /// A frame and the frame k later.
    Frames,
    /// The data set's box at both ends.
    Tracks,
    /// A proposed region and where a tracker found it k frames later.
    Regions,
}

impl PairKind {
    /// The name used in pipeline files and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Frames => "frames",
            Self::Tracks => "tracks",
            Self::Regions => "regions",
        }
    }
}

/// One pair to be made from a clip: frames, and boxes for the kinds that have them.
#[derive(Debug, Clone, PartialEq)]
pub struct PairPlan {
    /// Place among the pairs of its clip, from 0.
    pub ordinal: u32,
    /// Frame index of the anchor.
    pub anchor: u64,
    /// Frame index of the positive; `None` in kind `images`.
    pub positive: Option<u64>,
    /// Boxes at the two ends, in the space of the upright frame, where the data set knows them.
    pub boxes: Option<[BoxXywh; 2]>,
    /// Whether the frames between the two are needed as well: regions are followed through them.
    pub is_followed: bool,
}

impl PairPlan {
    /// The frames that the pair needs, ascending.
    pub fn frames(&self) -> impl Iterator<Item = u64> {
        let last = self.last_frame();
        let step = match self.is_followed {
            true => 1,
            false => (last - self.anchor).max(1),
        };
        (self.anchor..=last).step_by(usize::try_from(step).unwrap_or(usize::MAX))
    }

    /// The last of them.
    pub fn last_frame(&self) -> u64 {
        self.positive.unwrap_or(self.anchor)
    }
}
