//! Results of the command, as they are written to `probe.json` and shown.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::run::{Figure, LeftOutGroup, MeasuredModel};

/// Results of `vidpairs probe`, printed by `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeSummary {
    /// Version of the program.
    pub program_version: String,
    /// Settings of `[probe]` that were used.
    pub settings: serde_json::Value,
    /// Models; all lists of models have this order.
    pub models: Vec<MeasuredModel>,
    /// One table for each classifier on each stage of each data set.
    pub tables: Vec<ProbeTable>,
    /// Duration of this call, seconds.
    pub seconds: f64,
    /// Folder of the results.
    #[serde(skip)]
    pub out: PathBuf,
}

/// One classifier on the features of one stage of the models on one data set. Scores of different tables must not be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeTable {
    /// Kind of the data set, such as `voc07`, or `features`.
    pub kind: String,
    /// Path of the data set or of the features.
    #[serde(serialize_with = "vidpairs_types::path_as_text")]
    pub path: PathBuf,
    /// Stage of the networks; none for features.
    pub stage: Option<String>,
    /// How the scores were computed.
    pub protocol: ProbeProtocol,
    /// Names of the classes that are scored.
    pub classes: Vec<String>,
    /// Number of training images.
    pub train_images: usize,
    /// Number of test images.
    pub test_images: usize,
    /// Expected score when guessing, percent.
    pub chance: Option<f64>,
    /// Scores of each model; none for a model that was not measured on this data.
    pub models: Vec<Option<ProbeScores>>,
    /// Paired differences of models that were measured on the same images.
    pub pairs: Vec<ProbePair>,
    /// Warnings to read before trusting the figures, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Images and classes of the data set that were not used.
    #[serde(default)]
    pub left_out: Vec<LeftOutGroup>,
}

/// How the scores of a table were computed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeProtocol {
    /// Name of the classifier: `svm`, `linear`, `logistic`, `knn` or `segmentation`.
    pub probe: String,
    /// The classifier in words.
    pub classifier: String,
    /// Score: `mAP`, `top-1` or `mIoU`.
    pub metric: String,
    /// Where training and test images come from.
    pub split: String,
    /// How the view of an image is made; none for features.
    pub view: Option<String>,
    /// Side of the views, px; none for features.
    pub side_px: Option<u32>,
    /// Pooling of the feature maps; none for features.
    pub pooling: Option<String>,
    /// Scaling of the features.
    pub scaling: String,
    /// Costs from which one is chosen; empty for nearest neighbours and linear classifiers.
    #[serde(default)]
    pub costs: Vec<f64>,
    /// Learning rates from which one is chosen; empty but for linear classifiers.
    #[serde(default)]
    pub learning_rates: Vec<f64>,
    /// How the cost or the learning rate is chosen; none for nearest neighbours.
    pub choice: Option<String>,
    /// How the intervals are computed.
    pub intervals: String,
}

impl ProbeProtocol {
    /// The protocol in one line.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_invariance::run::probe::ProbeProtocol;
    ///
    /// let protocol = ProbeProtocol {
    ///     classifier: "weighted kNN, 20 neighbours".to_owned(),
    ///     split: "train and val of the data set".to_owned(),
    ///     ..ProbeProtocol::default()
    /// };
    /// assert_eq!(protocol.line(), "weighted kNN, 20 neighbours; train and val of the data set");
    /// ```
    pub fn line(&self) -> String {
        let view = (self.view.as_ref()).map(|view| match self.side_px {
            Some(side_px) => format!("{view}, {side_px} px"),
            None => view.clone(),
        });
        let parts = [
            Some(self.classifier.clone()),
            self.choice.clone(),
            Some(self.scaling.clone()),
            self.pooling.clone(),
            view,
            Some(self.split.clone()),
            Some(self.intervals.clone()),
        ];
        let parts = parts.into_iter().flatten();
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("; ")
    }
}

/// Scores of one model in one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeScores {
    /// Number of features.
    pub units: usize,
    /// The score of [`ProbeProtocol::metric`], percent.
    pub score: Figure,
    /// Share of test images whose class is among the five most probable, percent; none for average precision, segmentation, and fewer than six classes.
    pub top5: Option<Figure>,
    /// Share of the labelled pixels that are predicted right, percent; of segmentation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_accuracy: Option<Figure>,
    /// Mean over the classes of the share of their pixels that are predicted right, percent; of segmentation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_accuracy: Option<Figure>,
    /// Cost that was chosen; none for nearest neighbours, linear classifiers, and where each class has its own.
    pub cost: Option<f64>,
    /// Learning rate that was chosen; none but for linear classifiers.
    pub learning_rate: Option<f64>,
    /// Accuracy at each learning rate.
    #[serde(default)]
    pub rates: Vec<RateScore>,
    /// Scores of the classes, in the order of [`ProbeTable::classes`].
    pub per_class: Vec<ClassScore>,
    /// Answers for test images of each class; none for average precision and segmentation.
    pub confusion: Option<Confusion>,
    /// Reasons to doubt the score.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Speed of feature extraction, images per second; none if the features were cached.
    pub images_per_second: Option<f64>,
    /// Share of that time in which the encoder waited for images, 0 to 1.
    pub waiting: Option<f64>,
    /// Test images that are recognised best.
    #[serde(skip)]
    pub best: Vec<ProbeCard>,
    /// Test images that are recognised worst.
    #[serde(skip)]
    pub worst: Vec<ProbeCard>,
}

/// Accuracy of a linear classifier at one learning rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RateScore {
    /// Learning rate.
    pub learning_rate: f64,
    /// Top-1 accuracy on the held-out training images, percent, by which the learning rate is chosen; none if the training diverged.
    pub validation: Option<f64>,
    /// Top-1 accuracy on the test images, percent; none if the training diverged.
    pub test: Option<f64>,
}

/// Score of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Name of the class.
    pub class: String,
    /// Average precision, share of its test images that are recognised, or intersection over union of its pixels, percent; none without a
    /// test image.
    pub score: Option<f64>,
    /// Number of training images of the class.
    pub train_images: usize,
    /// Number of test images of the class.
    pub test_images: usize,
    /// Cost that was chosen; none if all classes have the same.
    pub cost: Option<f64>,
}

/// Answers of a classifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Index of the class of the images, index of the answer, and number of images, for each pair that occurs, ascending.
    pub counts: Vec<(usize, usize, usize)>,
}

/// A test image with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeCard {
    /// Index of the image in its data set.
    pub image: usize,
    /// Name of the image in its data set.
    pub id: String,
    /// Class of the image.
    pub class: String,
    /// What the classifier answered.
    pub answer: String,
    /// The view of the image as a JPEG; or the reason why it cannot be shown.
    pub jpeg: Result<Vec<u8>, String>,
}

/// Paired difference of two models: model `b` minus model `a`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbePair {
    /// Index of the first model.
    pub a: usize,
    /// Index of the second model.
    pub b: usize,
    /// Difference of [`ProbeScores::score`], percentage points.
    pub difference: Figure,
    /// Difference of [`ProbeScores::top5`], percentage points.
    pub top5_difference: Option<Figure>,
}
