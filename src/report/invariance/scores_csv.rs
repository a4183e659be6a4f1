//! Every figure, a line each, for programs.

use std::io::{self, Write};

use super::number::finite;
use super::view::{InvariancePage, Panel};

const HEADINGS: [&str; 19] = [
    "model",
    "invariance",
    "data_set",
    "measure",
    "version",
    "k",
    "score",
    "low",
    "high",
    "low_over_sets",
    "high_over_sets",
    "control_gaussian",
    "control_shuffled",
    "chance",
    "ceiling",
    "images",
    "sets",
    "targets",
    "units",
];

/// Writes a heading and a line for each model, invariance and measure (RFC 4180, lines end in CR LF).
///
/// - `measure`: `ris`, `goodfellow` or `retrieval`; `version` (`formula`, `published-code`) and `k` are told for `ris`.
/// - `score`, its ends over targets and over sets, controls, chance and ceiling are percent, as exact as they were
///   computed. What is not known is empty.
///
/// # Errors
/// What `out` said.
pub fn write_scores_csv(page: &InvariancePage, out: impl Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    table.write_record(HEADINGS)?;
    for panel in &page.panels {
        for (model, result) in page.models.iter().zip(&panel.models) {
            let Some(result) = result else { continue };
            let units = result.num_units.to_string();
            let scores = result.scores.iter().map(|score| {
                let is_ris = score.kind.k().is_some();
                let kind = match is_ris {
                    true => ["ris", score.kind.version()],
                    false => [score.kind.version(), ""],
                };
                let [low, high] = ends(score.estimate.ends());
                let [low_over_sets, high_over_sets] = ends(score.interval_over_sets);
                let k = score.kind.k().map_or_else(String::new, |it| it.to_string());
                let numbers = [
                    score.estimate.known(),
                    low,
                    high,
                    low_over_sets,
                    high_over_sets,
                    score.control_gaussian,
                    score.control_shuffled,
                    None,
                    score.ceiling,
                ];
                (kind, k, numbers)
            });
            let retrieval = result.retrieval.map(|it| {
                let [low, high] = ends(it.ends());
                let numbers = [
                    it.known(),
                    low,
                    high,
                    None,
                    None,
                    None,
                    None,
                    panel.retrieval_chance,
                    None,
                ];
                (["retrieval", ""], String::new(), numbers)
            });
            for (kind, k, numbers) in scores.chain(retrieval) {
                let words = [&model.name, &panel.invariance, &panel.data_set].map(String::as_str);
                let numbers = numbers.map(number);
                let counts = counts(panel);
                let line = words.into_iter().chain(kind).chain([k.as_str()]);
                let line = line.chain(numbers.iter().map(String::as_str));
                let line = line.chain(counts.iter().map(String::as_str));
                table.write_record(line.chain([units.as_str()]))?;
            }
        }
    }
    table.flush()
}

fn ends(interval: Option<[f64; 2]>) -> [Option<f64>; 2] {
    interval.map_or([None; 2], |it| it.map(Some))
}

fn number(value: Option<f64>) -> String {
    value
        .and_then(finite)
        .map_or_else(String::new, |it| it.to_string())
}

fn counts(panel: &Panel) -> [String; 3] {
    let counts = panel.counts;
    [counts.images, counts.sets, counts.targets].map(|it| it.to_string())
}
