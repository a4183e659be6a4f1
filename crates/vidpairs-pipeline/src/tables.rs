//! The tables of a pipeline, checked and with their defaults filled in.

use serde::{Serialize, Serializer};
use vidpairs_types::{PairKind, SourceKind};

use crate::{Anchors, Codec, KRange, PairRule, ProposerKind, TrackerKind, TrustRules};

/// `[source]`: where the clips are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// The layout.
    pub kind: SourceKind,
    /// The splits to take, as the data set names them; empty for all of its training splits.
    pub splits: Vec<String>,
}

/// `[pairs]`: which pairs to make.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pairs {
    /// What the two views are.
    #[serde(flatten)]
    pub rule: PairRule,
    /// Where in a clip pairs begin.
    #[serde(flatten)]
    pub anchors: Anchors,
}

impl Pairs {
    /// What the two views are, by name.
    pub fn kind(&self) -> PairKind {
        match self.rule {
            PairRule::Images => PairKind::Images,
            PairRule::Frames { .. } => PairKind::Frames,
            PairRule::Tracks(_) => PairKind::Tracks,
            PairRule::Regions(_) => PairKind::Regions,
        }
    }

    /// Frames from anchor to positive; `None` in kind `images`.
    pub fn k(&self) -> Option<KRange> {
        self.rule.k()
    }
}

/// `[proposals]` and `[tracker]`: how regions are found and followed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Regions {
    /// Which boxes of an anchor frame are worth following.
    pub proposals: Proposals,
    /// What follows them, and when it is trusted.
    pub tracker: Tracker,
}

impl Regions {
    /// Whether proposals or the tracker are OpenCV's.
    pub fn need_opencv(&self) -> bool {
        self.tracker.name.is_opencv() || self.proposals.kind.is_opencv()
    }
}

/// `[proposals]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proposals {
    /// Who proposes.
    pub kind: ProposerKind,
    /// Shortest side of a region over the frame's short side.
    pub min_side_share: f64,
    /// Longest side of a region over that side of the frame.
    pub max_side_share: f64,
    /// Longest side of a region over its shortest.
    pub max_aspect: f64,
    /// Greatest overlap (IoU) of two regions of a frame.
    pub max_overlap: f64,
    /// Least distance from the frame's border over its short side.
    pub border_share: f64,
    /// Least share of a region's px that differ from a neighbour, 0 to 1.
    pub min_texture: f64,
}

/// `[tracker]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tracker {
    /// Who follows.
    pub name: TrackerKind,
    /// Which tracklets are trusted.
    #[serde(flatten)]
    pub trust: TrustRules,
}

/// `[images]`: how images are stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Images {
    /// Short side of a stored image; a smaller image is stored as it is.
    #[serde(rename = "short_side")]
    pub short_side_px: u32,
    /// How it is compressed.
    #[serde(flatten)]
    pub codec: Codec,
}

/// `[shards]`: when a shard is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shards {
    /// The largest tar.
    pub max_bytes: u64,
    /// The most records in one.
    pub max_records: u32,
}

/// `[extract]`: how a run bears bad inputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Extract {
    /// How many clips may be refused before the run counts as failed.
    pub max_refused: MaxRefused,
    /// A piece of video without progress for so long is refused.
    pub video_timeout_seconds: u32,
}

/// How many clips may be refused. Written as `"10%"` or as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRefused {
    /// Percent of all clips, 0 to 100.
    Percent(f64),
    /// So many clips.
    Clips(u64),
}

impl MaxRefused {
    /// Whether `num_refused` of `num_clips` are too many.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_pipeline::MaxRefused;
    /// assert!(!MaxRefused::Percent(10.0).is_exceeded(1, 10));
    /// assert!(MaxRefused::Percent(10.0).is_exceeded(2, 10));
    /// assert!(MaxRefused::Clips(0).is_exceeded(1, 1_000));
    /// ```
    pub fn is_exceeded(self, num_refused: u64, num_clips: u64) -> bool {
        match self {
            // Multiplied, not divided: no clips at all are no refusals too many.
            Self::Percent(percent) => num_refused as f64 * 100.0 > percent * num_clips as f64,
            Self::Clips(max) => num_refused > max,
        }
    }
}

impl std::fmt::Display for MaxRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Clips(max) => write!(f, "{max}"),
        }
    }
}

impl Serialize for MaxRefused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Percent(_) => serializer.collect_str(self),
            Self::Clips(max) => max.serialize(serializer),
        }
    }
}
