//! Why an input gave nothing, or less than was asked for.

use serde::{Deserialize, Serialize};

/// Where an input was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Listing the source, or reading annotations.
    Source,
    /// Opening or decoding.
    Decode,
    /// Choosing pairs.
    Sample,
    /// Looking for regions.
    Propose,
    /// Following a target.
    Track,
    /// Cropping and scaling.
    Crop,
    /// Compressing an image.
    Encode,
    /// Reading an object, or rendering it.
    Render,
    /// No progress for too long.
    Watchdog,
    /// A panic: a bug of ours or of a library.
    Internal,
}

impl Stage {
    /// The name in `refused.jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Decode => "decode",
            Self::Sample => "sample",
            Self::Propose => "propose",
            Self::Track => "track",
            Self::Crop => "crop",
            Self::Encode => "encode",
            Self::Render => "render",
            Self::Watchdog => "watchdog",
            Self::Internal => "internal",
        }
    }
}

/// What became of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Damaged or unreadable: gave no pair, counts against `extract.max_refused`, is retried by
    /// `--retry-refused`.
    Refused,
    /// Sound, but a rule leaves it out (too short, no usable box): gave no pair.
    Skipped,
    /// Gave pairs, but something is missing: pairs, frames after a break, a part of the annotations.
    Partial,
}

impl Outcome {
    /// The name in `refused.jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Partial => "partial",
        }
    }
}

/// One line of `refused.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The clip's id.
    pub id: String,
    /// Its file or folder.
    pub path: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Where.
    pub stage: Stage,
    /// Why, in words, with the values.
    pub reason: String,
    /// What to do about it.
    pub retry: String,
}
