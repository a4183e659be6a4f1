//! How a tracker did: on one sequence, or on all of a data set.

use serde::{Deserialize, Serialize};

use super::journal::TrackerResult;
use crate::ope::{Confidence, ConfidenceBin, Speed, Times, got10k, trackingnet};

/// The figures of a tracker. Scores are `None` where no frame is scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackScore {
    /// Its name.
    pub tracker: String,
    /// The data set, as it is called in the output; `all` for the sum of several.
    pub data: String,
    /// Sequences that it went through.
    pub sequences: u64,
    /// Frames, each sequence's first included.
    pub frames: u64,
    /// Frames that GOT-10k's figures count.
    pub scored_frames: u64,
    /// Average overlap, as GOT-10k has it.
    pub ao: Option<f64>,
    /// Share of frames whose overlap is above 0.5.
    pub sr50: Option<f64>,
    /// Share of frames whose overlap is above 0.75.
    pub sr75: Option<f64>,
    /// Area under the success curve, as TrackingNet has it.
    pub success: Option<f64>,
    /// Area under the precision curve.
    pub precision: Option<f64>,
    /// Area under the curve of normalised precision.
    pub normalized_precision: Option<f64>,
    /// How long updates took.
    pub speed: Option<Speed>,
    /// Mean time to start, milliseconds.
    pub start_ms: f64,
    /// Share of the updates after which the target was called lost.
    pub lost_share: f64,
    /// Mean squared error of the confidence, taken as the chance of an overlap above 0.5.
    pub brier_score: Option<f64>,
    /// Ten ranges of confidence, from the least to the most.
    pub confidence: Vec<ConfidenceBin>,
    /// GOT-10k's success curve: share of frames whose overlap is above 0, 0.01, ... 1.
    pub success_curve: Vec<f64>,
}

/// Results of one tracker, added up.
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
    /// Adds what came of a sequence of so many frames.
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

    /// The figures.
    pub fn score(&self, tracker: &str, data: &str) -> TrackScore {
        let overlaps = self.overlaps.score();
        let areas = trackingnet::mean(self.curves.iter().copied()).map(|it| it.score());
        let share = |part: f64, of: u64| if of == 0 { 0.0 } else { part / of as f64 };
        TrackScore {
            tracker: tracker.to_owned(),
            data: data.to_owned(),
            sequences: self.sequences,
            frames: self.frames,
            scored_frames: self.overlaps.num_frames(),
            ao: overlaps.as_ref().map(|it| it.ao),
            sr50: overlaps.as_ref().map(|it| it.sr50),
            sr75: overlaps.as_ref().map(|it| it.sr75),
            success: areas.map(|it| it.success),
            precision: areas.map(|it| it.precision),
            normalized_precision: areas.map(|it| it.normalized_precision),
            speed: self.times.speed(),
            start_ms: 1e3 * share(self.start_seconds, self.sequences),
            lost_share: share(self.lost as f64, self.updates),
            brier_score: self.confidence.brier_score(),
            confidence: self.confidence.bins().to_vec(),
            success_curve: overlaps.map(|it| it.success).unwrap_or_default(),
        }
    }
}

impl TrackScore {
    /// The headings of [`TrackScore::cells`].
    pub(super) const HEADINGS: [&str; 11] = [
        "frames", "AO", "SR50", "SR75", "success", "prec", "nprec", "ms p50", "ms p95", "upd/s",
        "lost",
    ];

    /// What [`row`](Self::row) has in its columns.
    pub const COLUMNS: [&str; 14] = [
        "tracker", "data", "seqs", "frames", "AO", "SR50", "SR75", "success", "prec", "nprec",
        "ms p50", "ms p95", "upd/s", "lost",
    ];

    /// The figures, as words for a table; `-` where one is not known.
    pub fn row(&self) -> [String; 14] {
        let words = [
            self.tracker.clone(),
            self.data.clone(),
            self.sequences.to_string(),
        ];
        let mut cells = words.into_iter().chain(self.cells());
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    }

    /// The figures as a table shows them.
    pub(super) fn cells(&self) -> [String; 11] {
        let share = |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{it:.3}"));
        let of_speed = |value: fn(&Speed) -> f64, decimals: usize| {
            let value = self.speed.as_ref().map(value);
            value.map_or("-".to_owned(), |it| format!("{it:.decimals$}"))
        };
        [
            self.frames.to_string(),
            share(self.ao),
            share(self.sr50),
            share(self.sr75),
            share(self.success),
            share(self.precision),
            share(self.normalized_precision),
            of_speed(|it| it.median_ms, 2),
            of_speed(|it| it.p95_ms, 2),
            of_speed(|it| it.updates_per_second, 0),
            format!("{:.1}%", 100.0 * self.lost_share),
        ]
    }
}
