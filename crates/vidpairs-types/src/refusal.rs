//! Refused and skipped inputs, and the text of errors.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// Stage that refused or skipped an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Listing the source or reading annotations.
    Source,
    /// Opening or decoding a video.
    Decode,
    /// Choosing pairs.
    Sample,
    /// Proposing regions.
    Propose,
    /// Tracking.
    Track,
    /// Cropping and scaling.
    Crop,
    /// Compressing images.
    Encode,
    /// Reading or rendering an object.
    Render,
    /// Timeout: no progress for too long.
    Watchdog,
    /// Panic, caused by a bug in vidpairs or a library.
    Internal,
}

impl Stage {
    /// Name in `refused.jsonl`.
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

/// Result for an input with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The input is damaged or unreadable and gave no pair. It counts against `extract.max_refused`, and
    /// `--retry-refused` tries it again.
    Refused,
    /// The input is intact, but a rule excludes it (too short, no usable box). It gave no pair.
    Skipped,
    /// The input gave pairs, but something is missing: pairs, frames after a break, or annotations.
    Partial,
}

impl Outcome {
    /// Name in `refused.jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Partial => "partial",
        }
    }
}

/// Line of `refused.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Id of the clip.
    pub id: String,
    /// File or folder of the clip.
    pub path: String,
    /// Result for the clip.
    pub outcome: Outcome,
    /// Stage that reported the problem.
    pub stage: Stage,
    /// Reason, in words, with the values.
    pub reason: String,
    /// Advice to the user.
    pub retry: String,
}

/// Joins the messages of an error and its causes into one line. A cause whose message is already part of the line is
/// left out.
pub fn with_causes(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        let message = err.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = err.source();
    }
    text
}
