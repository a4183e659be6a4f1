//! `tracks.jsonl.zst`: every tracklet of a data set, trusted or rejected, a line of JSON each.
//!
//! The file is a row of zstd frames, one for each piece of video that had a tracklet. So it can be appended
//! to, and cut back to the end of a frame, without a look at what is in it.

mod verify;
mod writer;

pub use verify::verify_tracks;
pub use writer::{TracksMark, TracksWriter};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checksum;

/// Its name.
pub const TRACKS_FILE: &str = "tracks.jsonl.zst";

/// `tracks.jsonl.zst` in `dataset.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracksEntry {
    /// [`TRACKS_FILE`].
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// xxh64 of its bytes; 16 hexadecimal digits in json.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
    /// The tracklets in it.
    #[serde(flatten)]
    pub counts: TrackletCounts,
}

/// Tracklets, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrackletCounts {
    /// All of them.
    pub tracklets: u64,
    /// Those that were rejected, by reason.
    pub rejected: BTreeMap<String, u64>,
}

impl TrackletCounts {
    /// Those that were not rejected.
    pub fn num_trusted(&self) -> u64 {
        self.tracklets.saturating_sub(self.num_rejected())
    }

    /// Those that were.
    pub fn num_rejected(&self) -> u64 {
        self.rejected
            .values()
            .fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Counts one more; `reason` if it was rejected.
    pub fn count(&mut self, reason: Option<&str>) {
        self.tracklets += 1;
        if let Some(reason) = reason {
            *self.rejected.entry(reason.to_owned()).or_default() += 1;
        }
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.tracklets += other.tracklets;
        for (reason, count) in &other.rejected {
            *self.rejected.entry(reason.clone()).or_default() += count;
        }
    }
}
