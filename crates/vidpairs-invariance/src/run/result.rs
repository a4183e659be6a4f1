//! What was measured, as it is written to `invariance.json` and shown.

use std::path::PathBuf;

use serde::Serialize;

use super::cards::{TargetCard, UnitCard};

/// What `vidpairs invariance` came to; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InvarianceSummary {
    /// Of the program.
    pub program_version: String,
    /// The settings of `[invariance]`.
    pub settings: serde_json::Value,
    /// The models, in the order of everything that is told of each.
    pub models: Vec<MeasuredModel>,
    /// One invariance of one data set each.
    pub panels: Vec<MeasuredPanel>,
    /// What this call took.
    pub seconds: f64,
    /// The folder of the results.
    #[serde(skip)]
    pub out: PathBuf,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeasuredModel {
    /// As it is called in tables.
    pub name: String,
    /// The file of its weights, or of its features.
    pub file: PathBuf,
    /// `resnet18, width 16, layer4`; empty where features alone are known.
    pub note: String,
}

/// One invariance of one data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredPanel {
    /// What changes in a set: `viewpoint`, `occlusion`.
    pub invariance: String,
    /// As it was given: `aloi-viewpoint`, or `features`.
    pub kind: String,
    /// Where it is.
    pub path: PathBuf,
    /// Side of the squares that encoders get, px.
    pub side_px: Option<u32>,
    /// Which neighbours are left out, in words.
    pub near: String,
    /// Whether targets are single objects.
    pub is_target_object: bool,
    /// Images with features.
    pub images: usize,
    /// Their sets.
    pub sets: usize,
    /// Their classes.
    pub targets: usize,
    /// What retrieval finds by chance, percent.
    pub retrieval_chance: Option<f64>,
    /// Of each model; none for one that was not measured on it.
    pub models: Vec<Option<ModelScores>>,
    /// Every two models on the same images.
    pub pairs: Vec<MeasuredPair>,
    /// What to know before trusting a figure.
    pub warnings: Vec<String>,
    /// What the data set names and was not measured.
    pub left_out: Vec<LeftOutGroup>,
}

/// How one model does on one invariance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelScores {
    /// Width of its representation.
    pub units: usize,
    /// Dimensions that its features use: the rank of their covariance.
    pub rank: usize,
    /// Every version and K.
    pub scores: Vec<VersionScore>,
    /// Share of the images whose nearest neighbour across the transformation shows the same, percent.
    pub retrieval: Option<Figure>,
    /// Images that were asked about.
    pub retrieval_queries: u64,
    /// Images a second, where features were made by this call.
    pub images_per_second: Option<f64>,
    /// Share of that time in which the encoder waited for images.
    pub waiting: Option<f64>,
    /// Units to look at.
    #[serde(skip)]
    pub unit_cards: Vec<UnitCard>,
    /// The most invariant targets, the best first.
    #[serde(skip)]
    pub most: Vec<TargetCard>,
    /// The least invariant ones, the worst first.
    #[serde(skip)]
    pub least: Vec<TargetCard>,
}

/// One version of the score for one K, percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionScore {
    /// `formula`, `published-code`, `goodfellow`.
    pub version: String,
    /// The best units of each target that are averaged; of `goodfellow` those of its share.
    pub k: usize,
    /// The score, its interval over targets.
    #[serde(flatten)]
    pub figure: Figure,
    /// The interval over sets, where targets have several.
    pub interval_over_sets: Option<[f64; 2]>,
    /// What Gaussian features of the same mean and covariance get.
    pub control_gaussian: Option<f64>,
    /// What the same features get, each unit shuffled over the images.
    pub control_shuffled: Option<f64>,
    /// The most that such features could get.
    pub ceiling: f64,
    /// What keeps this version from telling models apart, for any K.
    pub warnings: Vec<String>,
    /// Units that fire for anything.
    pub firing_units: usize,
    /// The score of each target; none of `goodfellow`.
    pub per_target: Vec<TargetScore>,
}

/// A target and its score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetScore {
    /// Its number; models of one panel have the same.
    #[serde(skip)]
    pub class: u32,
    /// Its name.
    pub target: String,
    /// Percent.
    pub score: f64,
}

/// A figure and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// Percent, or percentage points.
    pub value: f64,
    /// Lower and upper end.
    pub interval: Option<[f64; 2]>,
}

/// The second model's figures less the first's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredPair {
    /// Place of the first model.
    pub a: usize,
    /// Place of the second.
    pub b: usize,
    /// Of the score that is shown, percentage points.
    pub difference: Figure,
    /// Of retrieval, percentage points.
    pub retrieval_difference: Option<Figure>,
}

/// What was left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOutGroup {
    /// How many.
    pub count: usize,
    /// Why.
    pub reason: String,
    /// The first of them.
    pub first: Vec<String>,
}
