//! Writes every figure as CSV, one line each.

use serde::Serialize;
use vidpairs_invariance::run::Figure;
use vidpairs_invariance::run::probe::{ProbeScores, ProbeSummary, ProbeTable};

use super::words;
use crate::report::models::csv::{Number, csv_of, parts_of};

/// One line; the names of the fields are the headings.
#[derive(Clone, Default, Serialize)]
struct Line<'a> {
    model: &'a str,
    data_set: &'a str,
    path: String,
    stage: &'a str,
    probe: &'a str,
    measure: &'static str,
    class: &'a str,
    score: Number,
    low: Number,
    high: Number,
    chance: Number,
    cost: Number,
    learning_rate: Number,
    train_images: usize,
    test_images: usize,
    features: usize,
    protocol: String,
}

/// The scores as CSV: a heading, and lines for each model of each table (RFC 4180, lines end in CR LF).
///
/// - `measure`: `mAP`, `AP` (of a class), `top-1`, `top-5`, `accuracy` (of a class), `mIoU`, `IoU` (of a class), `pixel accuracy`,
///   `mean accuracy`, or for each learning rate of a linear classifier
///   `top-1 of rate` and `held-out top-1 of rate`. `class` is empty for figures of all classes.
/// - `score`, its interval and chance are percent, in full precision. Unknown numbers are empty.
pub fn scores_csv(summary: &ProbeSummary) -> Vec<u8> {
    let tables = summary.tables.iter();
    csv_of(tables.flat_map(|table| {
        let models = summary.models.iter().zip(&table.models);
        models.flat_map(|(model, scores)| {
            let scores = scores.iter();
            scores.flat_map(|scores| lines(&model.name, table, scores))
        })
    }))
}

fn lines<'a>(model: &'a str, table: &'a ProbeTable, scores: &'a ProbeScores) -> Vec<Line<'a>> {
    // The score, and that of a class.
    let (measure, of_class) = match table.protocol.metric.as_str() {
        "mAP" => ("mAP", "AP"),
        "mIoU" => ("mIoU", "IoU"),
        _ => ("top-1", "accuracy"),
    };
    let line = Line {
        model,
        data_set: &table.kind,
        path: table.path.display().to_string(),
        stage: table.stage.as_deref().unwrap_or_default(),
        probe: &table.protocol.probe,
        measure,
        cost: Number(scores.cost),
        learning_rate: Number(scores.learning_rate),
        train_images: table.train_images,
        test_images: table.test_images,
        features: scores.units,
        protocol: table.protocol.line(),
        ..Line::default()
    };
    let mut lines = vec![Line {
        chance: Number(table.chance),
        ..line.clone().with_figure(scores.score)
    }];
    let further = words::further(table).iter();
    let further = further.zip(words::further_figures(table, scores));
    lines.extend(further.filter_map(|(measure, figure)| {
        Some(Line {
            measure,
            ..line.clone().with_figure(figure?)
        })
    }));
    lines.extend(scores.rates.iter().flat_map(|rate| {
        let at = |measure, score| Line {
            measure,
            score: Number(score),
            learning_rate: Number(Some(rate.learning_rate)),
            ..line.clone()
        };
        [
            at("top-1 of rate", rate.test),
            at("held-out top-1 of rate", rate.validation),
        ]
    }));
    lines.extend(scores.per_class.iter().map(|class| Line {
        measure: of_class,
        class: &class.class,
        score: Number(class.score),
        cost: Number(class.cost.or(scores.cost)),
        train_images: class.train_images,
        test_images: class.test_images,
        ..line.clone()
    }));
    lines
}

impl Line<'_> {
    fn with_figure(self, figure: Figure) -> Self {
        let [score, low, high] = parts_of(figure);
        Self {
            score,
            low,
            high,
            ..self
        }
    }
}
