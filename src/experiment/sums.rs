//! The parts of `synth.json` and `summary.json` that a page shows. They are declared here, since a program without FFmpeg has neither of the
//! crates that write these files.

use serde::Deserialize;
use serde_json::Value;

/// `synth.json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RenderedSet {
    /// What was rendered.
    pub set: RenderedSettings,
    /// How much was rendered.
    pub totals: RenderedTotals,
}

/// Settings of a rendered set.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RenderedSettings {
    /// Version of the program.
    pub program_version: String,
    /// Settings; among them the layout, `kind`.
    pub settings: Value,
}

/// Numbers of a rendered set.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RenderedTotals {
    /// Number of videos, objects or scenes.
    pub items: u64,
    /// Number of items that could not be made.
    pub items_refused: u64,
    /// Number of images or frames.
    pub images: u64,
    /// Number of visible objects.
    pub objects: u64,
    /// Size of all images or videos, bytes.
    pub bytes: u64,
}

/// `summary.json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TrackerScores {
    /// The run.
    pub run: TrackerRun,
    /// Its scores.
    pub summary: TrackerSummary,
}

/// A run of trackers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TrackerRun {
    /// Version of the program.
    pub program_version: String,
}

/// Scores of trackers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TrackerSummary {
    /// Number of sequences.
    pub sequences: u64,
    /// Number of sequences on which a tracker failed.
    pub refused: u64,
    /// Scores of each tracker on each data set.
    pub scores: Vec<TrackerScore>,
}

/// Scores of one tracker on one data set; `None` without a scored frame.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TrackerScore {
    /// Name of the tracker.
    pub tracker: String,
    /// Name of the data set.
    pub data: String,
    /// Number of sequences.
    pub sequences: u64,
    /// Number of frames.
    pub frames: u64,
    /// Average overlap, 0 to 1.
    pub ao: Option<f64>,
    /// Share of frames with an overlap above 0.5.
    pub sr50: Option<f64>,
    /// Share of frames with an overlap above 0.75.
    pub sr75: Option<f64>,
    /// Area under TrackingNet's success curve, 0 to 1.
    pub success: Option<f64>,
    /// Area under the precision curve, 0 to 1.
    pub precision: Option<f64>,
    /// Area under the curve of normalised precision, 0 to 1.
    pub normalized_precision: Option<f64>,
    /// Times of the updates.
    pub speed: Option<Speed>,
}

/// Times of a tracker's updates.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Speed {
    /// Median time of an update, ms.
    pub median_ms: Option<f64>,
    /// Updates per second.
    pub updates_per_second: Option<f64>,
}
