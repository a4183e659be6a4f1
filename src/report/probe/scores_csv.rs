//! Writes every figure as CSV, one line each.

use serde::Serialize;
use vidpairs_invariance::run::Figure;
use vidpairs_invariance::run::probe::{ProbeScores, ProbeSummary, ProbeTable};

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
    train_images: usize,
    test_images: usize,
    features: usize,
    protocol: String,
}

/// The scores as CSV: a heading, and lines for each model of each table (RFC 4180, lines end in CR LF).
///
/// - `measure`: `mAP`, `AP` (of a class), `top-1`, `top-5` or `accuracy` (of a class). `class` is empty for figures of all classes.
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
    let is_map = table.protocol.metric == "mAP";
    let line = Line {
        model,
        data_set: &table.kind,
        path: table.path.display().to_string(),
        stage: table.stage.as_deref().unwrap_or_default(),
        probe: &table.protocol.probe,
        measure: if is_map { "mAP" } else { "top-1" },
        cost: Number(scores.cost),
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
    lines.extend(scores.top5.map(|figure| Line {
        measure: "top-5",
        ..line.clone().with_figure(figure)
    }));
    lines.extend(scores.per_class.iter().map(|class| Line {
        measure: if is_map { "AP" } else { "accuracy" },
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
