//! Results of the command, as they are written to `invariance.json` and shown.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use super::cards::{TargetCard, UnitCard};
use crate::measure::Version;

/// Version that plots, tables and pairs show: the figures of the paper were computed by it.
pub(super) const SHOWN: Version = Version::PublishedCode;

/// Results of `vidpairs invariance`, printed by `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvarianceSummary {
    /// Version of the program.
    pub program_version: String,
    /// Settings of `[invariance]` that were used.
    pub settings: serde_json::Value,
    /// Models; all lists of models have this order.
    pub models: Vec<MeasuredModel>,
    /// One panel for each invariance of each data set.
    pub panels: Vec<MeasuredPanel>,
    /// Duration of this call, seconds.
    pub seconds: f64,
    /// Folder of the results.
    #[serde(skip)]
    pub out: PathBuf,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredModel {
    /// Name in tables.
    pub name: String,
    /// File of its weights or features.
    #[serde(serialize_with = "vidpairs_types::path_as_text")]
    pub file: PathBuf,
    /// Network and stage, such as `resnet18, width 16, layer4`; empty if only features are known.
    pub note: String,
}

/// One invariance of one data set. Scores of different panels must not be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredPanel {
    /// Transformation within a set, such as `viewpoint` or `occlusion`.
    pub invariance: String,
    /// Kind of the data set, such as `aloi-viewpoint`, or `features`.
    pub kind: String,
    /// Path of the data set or of the features.
    #[serde(serialize_with = "vidpairs_types::path_as_text")]
    pub path: PathBuf,
    /// Side of the squares that the encoders get, px; none for features.
    pub side_px: Option<u32>,
    /// Images excluded as neighbours, in words.
    pub near: String,
    /// Whether targets are single objects rather than classes.
    pub is_target_object: bool,
    /// Number of images with features.
    pub images: usize,
    /// Number of sets.
    pub sets: usize,
    /// Number of targets.
    pub targets: usize,
    /// Expected retrieval accuracy when guessing, percent.
    pub retrieval_chance: Option<f64>,
    /// Scores of each model; none for a model that was not measured on this panel.
    pub models: Vec<Option<ModelScores>>,
    /// Paired differences of models that were measured on the same images.
    pub pairs: Vec<MeasuredPair>,
    /// Warnings to read before trusting the figures, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Images, sets and classes of the data set that were not measured.
    #[serde(default)]
    pub left_out: Vec<LeftOutGroup>,
}

/// Scores of one model on one invariance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelScores {
    /// Number of units of the representation.
    pub units: usize,
    /// Number of dimensions that the features use: the rank of their covariance.
    #[serde(default)]
    pub rank: usize,
    /// Scores by every version at every K.
    pub scores: Vec<VersionScore>,
    /// Retrieval accuracy: share of the images whose nearest neighbour across the transformation shows the same target, percent.
    pub retrieval: Option<Figure>,
    /// Number of queries of the retrieval.
    #[serde(default)]
    pub retrieval_queries: u64,
    /// Answers to the queries of each retrieved target.
    #[serde(default)]
    pub retrieval_per_target: Vec<TargetRetrieval>,
    /// Speed of feature extraction, images per second; none if the features were cached.
    pub images_per_second: Option<f64>,
    /// Share of that time in which the encoder waited for images, 0 to 1.
    pub waiting: Option<f64>,
    /// Some of the most invariant units by the formula, best first.
    #[serde(skip)]
    pub unit_cards: Vec<UnitCard>,
    /// The most invariant targets, best first.
    #[serde(skip)]
    pub most: Vec<TargetCard>,
    /// The least invariant targets, worst first.
    #[serde(skip)]
    pub least: Vec<TargetCard>,
}

impl ModelScores {
    /// The score that plots, tables and pairs show: by the published code, at the first K.
    pub fn shown(&self) -> Option<&VersionScore> {
        self.scores.iter().find(|score| score.version == SHOWN)
    }
}

/// The score by one version at one K, percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionScore {
    /// Version of the score.
    pub version: Version,
    /// Number of best units per target that are averaged; for `goodfellow` the number of units in its share.
    pub k: usize,
    /// Score, with its confidence interval over targets.
    #[serde(flatten)]
    pub figure: Figure,
    /// Confidence interval over sets; none if no target has several sets.
    #[serde(default, deserialize_with = "interval")]
    pub interval_over_sets: Option<[f64; 2]>,
    /// Score of Gaussian features with the same mean and covariance.
    pub control_gaussian: Option<f64>,
    /// Score of the same features with each unit shuffled over the images.
    pub control_shuffled: Option<f64>,
    /// Upper bound for any features of the same number of units.
    #[serde(deserialize_with = "number")]
    pub ceiling: f64,
    /// Reasons why this version may not distinguish models, at any K.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Number of units that fire for at least one image.
    #[serde(default)]
    pub firing_units: usize,
    /// Score of each target; empty for `goodfellow`.
    #[serde(default)]
    pub per_target: Vec<TargetScore>,
}

impl VersionScore {
    /// The higher of the two random-feature controls; none if neither is a finite number.
    pub fn control(&self) -> Option<f64> {
        let controls = [self.control_gaussian, self.control_shuffled];
        let finite = controls
            .into_iter()
            .flatten()
            .filter(|score| score.is_finite());
        finite.reduce(f64::max)
    }
}

/// A target and its score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetScore {
    /// Number of the target, the same for all models of a panel.
    #[serde(skip)]
    pub class: u32,
    /// Name of the target.
    pub target: String,
    /// Score, percent.
    #[serde(deserialize_with = "number")]
    pub score: f64,
}

/// Retrieval of one target: an object or a video, or a class where sets are not of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRetrieval {
    /// Name of the target.
    pub target: String,
    /// Number of scored queries.
    pub queries: u64,
    /// Number of queries whose nearest neighbour shows the target.
    pub found: u64,
}

/// A figure and its 95 % confidence interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Percent, or percentage points.
    #[serde(deserialize_with = "number")]
    pub value: f64,
    /// Lower and upper end; none if there are too few parts to resample.
    #[serde(default, deserialize_with = "interval")]
    pub interval: Option<[f64; 2]>,
}

/// Paired difference of two models: model `b` minus model `a`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredPair {
    /// Index of the first model.
    pub a: usize,
    /// Index of the second model.
    pub b: usize,
    /// Difference of [`ModelScores::shown`], percentage points.
    pub difference: Figure,
    /// Difference of the retrieval accuracies, percentage points.
    pub retrieval_difference: Option<Figure>,
}

/// Images, sets or classes that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutGroup {
    /// Number of them.
    pub count: usize,
    /// Reason.
    pub reason: String,
    /// Names of the first ones.
    pub first: Vec<String>,
}

/// Reads a number. JSON has neither NaN nor infinities: they are written as `null`, and read as NaN.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Reads an interval, whose ends may be `null` as in [`number`].
fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[f64; 2]>, D::Error> {
    let ends = Option::<[Option<f64>; 2]>::deserialize(deserializer)?;
    Ok(ends.map(|ends| ends.map(|end| end.unwrap_or(f64::NAN))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_json_does_not_have_is_read_as_nan() {
        let broken = Figure {
            value: f64::NAN,
            interval: Some([f64::NEG_INFINITY, 1.0]),
        };
        let read: Figure = serde_json::from_str(&serde_json::to_string(&broken).unwrap()).unwrap();
        assert!(read.value.is_nan());
        let [low, high] = read.interval.unwrap();
        assert!(low.is_nan() && high == 1.0);
    }
}
