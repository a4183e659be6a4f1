//! Words of the page and the tables: names of classifiers and data sets, and counts.

use vidpairs_invariance::run::probe::{ProbeSummary, ProbeTable};

use crate::report::models::number::counted;

/// Name of the classifier.
pub(super) fn classifier(table: &ProbeTable) -> &'static str {
    match table.protocol.probe.as_str() {
        "svm" => "Linear SVM",
        "logistic" => "Logistic regression",
        "knn" => "Weighted kNN",
        _ => "Classifier",
    }
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
