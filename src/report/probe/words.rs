//! Words of the page and the tables: names of classifiers and data sets, and counts.

use vidpairs_invariance::run::probe::{ProbeScores, ProbeSummary, ProbeTable, RateScore};

use crate::report::models::number::{counted, tenth};

/// Name of the classifier.
pub(super) fn classifier(table: &ProbeTable) -> &'static str {
    match table.protocol.probe.as_str() {
        "svm" => "Linear SVM",
        "linear" => "Linear classifier (SGD)",
        "logistic" => "Logistic regression",
        "knn" => "Weighted kNN",
        _ => "Classifier",
    }
}

/// Heading of the setting that was chosen for each model: the cost, or the learning rate.
pub(super) fn chosen(table: &ProbeTable) -> &'static str {
    match table.protocol.learning_rates.is_empty() {
        true => "C",
        false => "rate",
    }
}

/// The accuracies at all learning rates: `0.1: 40.2 / 41.0, 1: 45.0 / 44.1`.
pub(super) fn rates(scores: &ProbeScores) -> Option<String> {
    let rate = |rate: &RateScore| match rate.validation {
        Some(validation) => format!(
            "{}: {} / {}",
            rate.learning_rate,
            tenth(Some(validation)),
            tenth(rate.test)
        ),
        None => format!("{}: diverged", rate.learning_rate),
    };
    let rates: Vec<String> = scores.rates.iter().map(rate).collect();
    (!rates.is_empty()).then(|| rates.join(", "))
}

/// Name of the score.
pub(super) fn metric(table: &ProbeTable) -> &'static str {
    match table.protocol.metric.as_str() {
        "mAP" => "Mean average precision",
        _ => "Top-1 accuracy",
    }
}

/// `VOC07, layer4`; with its path if another table has the same.
pub(super) fn data(summary: &ProbeSummary, table: &ProbeTable) -> String {
    let name = match table.kind.as_str() {
        "voc07" => "VOC07",
        "voc07-boxes" => "VOC07 boxes",
        "imagenet" => "ImageNet",
        "folders" => "folders",
        other => other,
    };
    let mut parts = vec![name.to_owned()];
    let is_other = |other: &&ProbeTable| other.kind == table.kind && other.path != table.path;
    if summary.tables.iter().any(|other| is_other(&other)) {
        parts.push(table.path.display().to_string());
    }
    parts.extend(table.stage.clone());
    parts.join(", ")
}

/// `Linear SVM (VOC07, layer4)`.
pub(super) fn title(summary: &ProbeSummary, table: &ProbeTable) -> String {
    format!("{} ({})", classifier(table), data(summary, table))
}

/// `20 classes, 5,011 training images, 4,952 test images`.
pub(super) fn counts(table: &ProbeTable) -> String {
    [
        counted(table.classes.len(), "class", "classes"),
        counted(table.train_images, "training image", "training images"),
        counted(table.test_images, "test image", "test images"),
    ]
    .join(", ")
}
