//! The tables of a pipeline, checked and with their defaults filled in.

use serde::{Serialize, Serializer};

use crate::types::{PairKind, SourceKind};

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
        }
    }

    /// Frames from anchor to positive; `None` in kind `images`.
    pub fn k(&self) -> Option<KRange> {
        match self.rule {
            PairRule::Images => None,
            PairRule::Frames { k } => Some(k),
            PairRule::Tracks(rule) => Some(rule.k),
        }
    }
}

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

/// How images are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "codec", rename_all = "kebab-case")]
pub enum Codec {
    /// JPEG.
    Jpeg {
        /// 1 to 100, as libjpeg counts.
        quality: u8,
    },
    /// Raw RGB under zstd: lossless.
    RgbZstd {
        /// 1 to 19, as zstd counts.
        #[serde(rename = "zstd_level")]
        level: i32,
    },
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
    /// use vidpairs::pipeline::MaxRefused;
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

impl Serialize for MaxRefused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Percent(percent) => serializer.collect_str(&format_args!("{percent}%")),
            Self::Clips(max) => max.serialize(serializer),
        }
    }
}
