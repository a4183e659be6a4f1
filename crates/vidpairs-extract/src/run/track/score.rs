//! Scores of a tracker on one sequence, or on a data set.

use serde::{Deserialize, Serialize};

use super::journal::TrackerResult;
use crate::ope::{Confidence, ConfidenceBin, Speed, Times, got10k, trackingnet};

/// Scores of a tracker. They are `None` without a scored frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackScore {
    /// Name of the tracker.
    pub tracker: String,
    /// Name of the data set in the output; `all` for several together.
    pub data: String,
    /// Number of tracked sequences.
    pub sequences: u64,
    /// Number of frames, with the first of each sequence.
    pub frames: u64,
    /// Number of frames that the scores of GOT-10k count.
    pub scored_frames: u64,
    /// Average overlap (AO) of GOT-10k.
    pub ao: Option<f64>,
    /// Share of frames whose overlap is above 0.5.
    pub sr50: Option<f64>,
    /// Share of frames whose overlap is above 0.75.
    pub sr75: Option<f64>,
    /// Area under the success curve of TrackingNet.
    pub success: Option<f64>,
    /// Area under the precision curve.
    pub precision: Option<f64>,
    /// Area under the curve of normalised precision.
    pub normalized_precision: Option<f64>,
    /// Times of the updates.
    pub speed: Option<Speed>,
    /// Mean time of the start, ms.
    pub start_ms: f64,
    /// Share of the updates after which the tracker reported the target as lost.
    pub lost_share: f64,
    /// Mean squared error of the confidence as the probability of an overlap above 0.5 (Brier score).
    pub brier_score: Option<f64>,
    /// Calibration in ten ranges of confidence, ascending.
    pub confidence: Vec<ConfidenceBin>,
    /// GOT-10k's success curve: share of frames whose overlap is above 0, 0.01, ... 1.
    pub success_curve: Vec<f64>,
}

/// Sum of the results of one tracker.
#[derive(Default)]
pub(super) struct Sum<'a> {
    sequences: u64,
    frames: u64,
    updates: u64,
    lost: u64,
    start_seconds: f64,
    overlaps: got10k::Tally,
    curves: Vec<&'a trackingnet::Curves>,
    confidence: Confidence,
    times: Times,
}

impl<'a> Sum<'a> {
    /// Adds a sequence.
    pub fn add(&mut self, result: &'a TrackerResult, frames: u64) {
        self.sequences += 1;
        self.frames += frames;
        self.updates += result.updates;
        self.lost += result.lost;
        self.start_seconds += result.start_seconds;
        self.overlaps.merge(&result.overlaps);
        self.curves.extend(&result.curves);
        self.confidence.merge(&result.confidence);
        self.times.merge(&result.times);
    }

    /// The scores.
    pub fn score(&self, tracker: &str, data: &str) -> TrackScore {
        let overlaps = self.overlaps.score();
        let areas = trackingnet::mean(self.curves.iter().copied()).map(|areas| areas.score());
        let share = |part: f64, of: u64| if of == 0 { 0.0 } else { part / of as f64 };
        TrackScore {
            tracker: tracker.to_owned(),
            data: data.to_owned(),
            sequences: self.sequences,
            frames: self.frames,
            scored_frames: self.overlaps.num_frames(),
            ao: overlaps.as_ref().map(|overlaps| overlaps.ao),
            sr50: overlaps.as_ref().map(|overlaps| overlaps.sr50),
            sr75: overlaps.as_ref().map(|overlaps| overlaps.sr75),
            success: areas.map(|areas| areas.success),
            precision: areas.map(|areas| areas.precision),
            normalized_precision: areas.map(|areas| areas.normalized_precision),
            speed: self.times.speed(),
            start_ms: 1e3 * share(self.start_seconds, self.sequences),
            lost_share: share(self.lost as f64, self.updates),
            brier_score: self.confidence.brier_score(),
            confidence: self.confidence.bins().to_vec(),
            success_curve: overlaps
                .map(|overlaps| overlaps.success)
                .unwrap_or_default(),
        }
    }
}

impl TrackScore {
    /// The headings of [`TrackScore::cells`].
    pub(super) const HEADINGS: [&str; 11] = [
        "frames", "AO", "SR50", "SR75", "success", "prec", "nprec", "ms p50", "ms p95", "upd/s",
        "lost",
    ];

    /// Headings of [`row`](Self::row).
    pub const COLUMNS: [&str; 14] = [
        "tracker", "data", "seqs", "frames", "AO", "SR50", "SR75", "success", "prec", "nprec",
        "ms p50", "ms p95", "upd/s", "lost",
    ];

    /// Cells of a table: the scores; `-` for an unknown one.
    pub fn row(&self) -> [String; 14] {
        let words = [
            self.tracker.clone(),
            self.data.clone(),
            self.sequences.to_string(),
        ];
        let mut cells = words.into_iter().chain(self.cells());
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    }

    /// A row of a table.
    pub(super) fn cells(&self) -> [String; 11] {
        let share =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let of_speed = |value: fn(&Speed) -> f64, decimals: usize| {
            let value = self.speed.as_ref().map(value);
            value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"))
        };
        [
            self.frames.to_string(),
            share(self.ao),
            share(self.sr50),
            share(self.sr75),
            share(self.success),
            share(self.precision),
            share(self.normalized_precision),
            of_speed(|times| times.median_ms, 2),
            of_speed(|times| times.p95_ms, 2),
            of_speed(|times| times.updates_per_second, 0),
            format!("{:.1}%", 100.0 * self.lost_share),
        ]
    }
}
