//! Lines of the journal of an unfinished evaluation: one for each sequence.

use serde::{Deserialize, Serialize};
use vidpairs_types::{Refusal, SizePx};

use super::data::TrackData;
use crate::ope::{Confidence, Times, got10k, trackingnet};
use crate::track::TrackerKind;

/// Settings and inputs of a run. Results depend on nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    /// Checksum of the program: two builds of one version are two trackers.
    pub program_xxh3: String,
    pub data: Vec<TrackData>,
    pub media: Option<String>,
    pub trackers: Vec<TrackerKind>,
    /// Number of sequences, and a checksum of their names.
    pub sequences: u64,
    pub sequences_xxh3: String,
    /// Checksum of the boxes and labels.
    pub truth_xxh3: String,
    /// Checksum over lengths and times of the video files and frames.
    pub media_xxh3: String,
}

/// A finished sequence: its files are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Index of the sequence.
    pub ordinal: usize,
    /// `None` if the whole sequence was refused.
    pub scene: Option<Scene>,
    /// Results of the trackers that did not fail.
    pub results: Vec<TrackerResult>,
    pub refused: Vec<Refusal>,
}

/// The frames of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scene {
    /// Index in the video of the first frame.
    pub first_frame: u64,
    pub frames: u64,
    pub frame_size: SizePx,
    pub label: Option<String>,
}

/// Result of one tracker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TrackerResult {
    pub tracker: TrackerKind,
    pub updates: u64,
    pub lost: u64,
    pub start_seconds: f64,
    pub overlaps: got10k::Tally,
    /// `None` without scored frames.
    pub curves: Option<trackingnet::Curves>,
    pub confidence: Confidence,
    pub times: Times,
}
