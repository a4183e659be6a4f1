//! Writes every figure as CSV, one line each.

use serde::Serialize;
use vidpairs_invariance::measure::Version;
use vidpairs_invariance::run::{Figure, InvarianceSummary};

use super::words;
use crate::report::models::csv::{Number, both_ends, csv_of, parts_of};

/// One line; the names of the fields are the headings.
#[derive(Clone, Default, Serialize)]
struct Line<'a> {
    model: &'a str,
    invariance: String,
    data_set: &'static str,
    path: String,
    measure: &'static str,
    version: &'static str,
    k: Option<usize>,
    score: Number,
    low: Number,
    high: Number,
    low_over_sets: Number,
    high_over_sets: Number,
    control_gaussian: Number,
    control_shuffled: Number,
    chance: Number,
    ceiling: Number,
    images: usize,
    sets: usize,
    targets: usize,
    units: usize,
}

/// The scores as CSV: a heading, and a line for each model, invariance and measure (RFC 4180, lines end in CR LF).
///
/// - `measure`: `ris`, `goodfellow` or `retrieval`. `version` (`formula`, `published-code`) and `k` are given for `ris`.
/// - `score`, its intervals over targets and over sets, controls, chance and ceiling are percent, in full precision. Unknown numbers are
///   empty.
pub fn scores_csv(summary: &InvarianceSummary) -> Vec<u8> {
    csv_of(lines(summary))
}

fn lines(summary: &InvarianceSummary) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for panel in &summary.panels {
        for (model, scores) in summary.models.iter().zip(&panel.models) {
            let Some(scores) = scores else { continue };
            let line = Line {
                model: &model.name,
                invariance: words::invariance(panel),
                data_set: words::data_set(panel),
                path: panel.path.display().to_string(),
                images: panel.images,
                sets: panel.sets,
                targets: panel.targets,
                units: scores.units,
                ..Line::default()
            };
            for score in &scores.scores {
                let [low_over_sets, high_over_sets] = both_ends(score.interval_over_sets);
                let is_ris = score.version != Version::Goodfellow;
                let name = score.version.name();
                lines.push(Line {
                    measure: if is_ris { "ris" } else { name },
                    version: if is_ris { name } else { "" },
                    k: is_ris.then_some(score.k),
                    low_over_sets,
                    high_over_sets,
                    control_gaussian: Number(score.control_gaussian),
                    control_shuffled: Number(score.control_shuffled),
                    ceiling: Number(Some(score.ceiling)),
                    ..line.clone().with_figure(score.figure)
                });
            }
            lines.extend(scores.retrieval.map(|figure| Line {
                measure: "retrieval",
                chance: Number(panel.retrieval_chance),
                ..line.with_figure(figure)
            }));
        }
    }
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
