//! Lines of the journal of an unfinished evaluation: one for each sequence.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vidpairs_types::{Refusal, SizePx};

use super::data::TrackData;
use crate::ope::{Confidence, Times, got10k, trackingnet};
use crate::track::TrackerKind;

/// Settings and inputs of a run. Results depend on nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    /// Of the bytes of the program: two builds of one version are two trackers.
    pub program_xxh3: String,
    pub data: Vec<TrackData>,
    pub media: Option<PathBuf>,
    pub trackers: Vec<TrackerKind>,
    /// Sequences, and a fingerprint of their names.
    pub sequences: u64,
    pub sequences_xxh3: String,
}

/// A sequence that is done: its files lie under their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Place in the list.
    pub ordinal: usize,
    /// `None` if it was set aside as a whole.
    pub scene: Option<Scene>,
    /// Of the trackers that did not fail.
    pub results: Vec<TrackerResult>,
    pub refused: Vec<Refusal>,
}

/// What the trackers had to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scene {
    /// Index in the video of the first frame.
    pub first_frame: u64,
    pub frames: u64,
    pub frame_size: SizePx,
    pub label: Option<String>,
}

/// How one tracker did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TrackerResult {
    pub tracker: TrackerKind,
    pub updates: u64,
    pub lost: u64,
    pub start_seconds: f64,
    pub overlaps: got10k::Tally,
    /// `None` where there is nothing to score.
    pub curves: Option<trackingnet::Curves>,
    pub confidence: Confidence,
    pub times: Times,
}
