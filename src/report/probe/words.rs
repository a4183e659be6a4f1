//! Words of the page and the tables: names of classifiers and data sets, and counts.

use vidpairs_invariance::run::Figure;
use vidpairs_invariance::run::probe::{ProbeScores, ProbeSummary, ProbeTable, RateScore};
use vidpairs_types::readable;

use crate::report::models::number::{counted, tenth};

/// Name of the classifier.
pub(super) fn classifier(table: &ProbeTable) -> &'static str {
    match table.protocol.probe.as_str() {
        "svm" => "Linear SVM",
        "linear" => "Linear classifier (SGD)",
        "logistic" => "Logistic regression",
        "knn" => "Weighted kNN",
        "segmentation" => "Segmentation head",
        _ => "Classifier",
    }
}

/// Whether pixels are scored rather than images.
pub(super) fn is_of_pixels(table: &ProbeTable) -> bool {
    table.protocol.metric == "mIoU"
}

/// Heading of the setting that was chosen for each model: the cost, or the learning rate. Other classifiers choose none.
pub(super) fn chosen(table: &ProbeTable) -> Option<&'static str> {
    match table.protocol.probe.as_str() {
        "svm" | "logistic" => Some("C"),
        "linear" => Some("rate"),
        _ => None,
    }
}

/// Names of the figures beside the score.
pub(super) fn further(table: &ProbeTable) -> &'static [&'static str] {
    let mut models = table.models.iter().flatten();
    match is_of_pixels(table) {
        true => &["pixel accuracy", "mean accuracy"],
        false if models.any(|scores| scores.top5.is_some()) => &["top-5"],
        false => &[],
    }
}

/// The figures beside the score, as [`further`] names them.
pub(super) fn further_figures(table: &ProbeTable, scores: &ProbeScores) -> Vec<Option<Figure>> {
    match is_of_pixels(table) {
        true => vec![scores.pixel_accuracy, scores.mean_accuracy],
        false => further(table).iter().map(|_| scores.top5).collect(),
    }
}

/// The accuracies at all learning rates: `40.2 / 41.0 at learning rate 0.1, 45.0 / 44.1 at 1, diverged at 30`.
pub(super) fn rates(scores: &ProbeScores) -> Option<String> {
    let rate = |(place, rate): (usize, &RateScore)| {
        let accuracies = match rate.validation {
            Some(validation) => format!("{} / {}", tenth(Some(validation)), tenth(rate.test)),
            None => "diverged".to_owned(),
        };
        let at = if place == 0 { "at learning rate" } else { "at" };
        format!("{accuracies} {at} {}", readable(rate.learning_rate))
    };
    let rates: Vec<String> = scores.rates.iter().enumerate().map(rate).collect();
    (!rates.is_empty()).then(|| rates.join(", "))
}

/// A name with a capital letter: `Pixel accuracy`.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Name of a figure beside the score as the title of a plot.
pub(super) fn in_title(name: &str) -> String {
    match name {
        "top-5" => "Top-5 accuracy".to_owned(),
        other => capitalised(other),
    }
}

/// Name of the score.
pub(in crate::report) fn metric(table: &ProbeTable) -> &'static str {
    match table.protocol.metric.as_str() {
        "mAP" => "Mean average precision",
        "mIoU" => "Mean intersection over union",
        _ => "Top-1 accuracy",
    }
}

/// `VOC07`; with its path if another data set is of the same kind.
pub(super) fn data_set(summary: &ProbeSummary, table: &ProbeTable) -> String {
    let name = match table.kind.as_str() {
        "voc07" => "VOC07",
        "voc07-boxes" => "VOC07 boxes",
        "imagenet" => "ImageNet",
        "folders" => "folders",
        "ade20k" => "ADE20K",
        other => other,
    };
    let is_other = |other: &ProbeTable| other.kind == table.kind && other.path != table.path;
    match summary.tables.iter().any(is_other) {
        true => format!("{name}, {}", table.path.display()),
        false => name.to_owned(),
    }
}

/// `VOC07, layer4`.
pub(super) fn data(summary: &ProbeSummary, table: &ProbeTable) -> String {
    let parts = [Some(data_set(summary, table)), table.stage.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `Linear SVM (VOC07, layer4)`.
pub(in crate::report) fn title(summary: &ProbeSummary, table: &ProbeTable) -> String {
    format!("{} ({})", classifier(table), data(summary, table))
}

/// `20 classes, 5,011 training images, 4,952 test images`.
pub(in crate::report) fn counts(table: &ProbeTable) -> String {
    [
        counted(table.classes.len(), "class", "classes"),
        counted(table.train_images, "training image", "training images"),
        counted(table.test_images, "test image", "test images"),
    ]
    .join(", ")
}
