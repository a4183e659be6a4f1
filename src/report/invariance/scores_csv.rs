//! Every figure, a line each, for programs.

use std::io::{self, Write};

use super::number::finite;
use super::view::{InvariancePage, ModelResult, Panel, ScoreKind};

const HEADINGS: [&str; 20] = [
    "model",
    "invariance",
    "data_set",
    "path",
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
            for line in result.iter().flat_map(|it| lines(panel, it)) {
                let words = [&model.name, &panel.invariance, &panel.data_set, &panel.path];
                table.write_record(words.into_iter().chain(&line))?;
            }
        }
    }
    table.flush()
}

/// What stands after the names: a line for each score, and one for retrieval.
fn lines(panel: &Panel, result: &ModelResult) -> Vec<Vec<String>> {
    let counts = panel.counts;
    let counts = [counts.images, counts.sets, counts.targets, result.num_units];
    let line = |words: [String; 3], numbers: [Option<f64>; 9]| {
        let counts = counts.map(|it| it.to_string());
        let numbers = numbers.map(number);
        let line = words.into_iter().chain(numbers).chain(counts);
        line.collect::<Vec<String>>()
    };
    let scores = result.scores.iter().map(|it| {
        let [low, high] = ends(it.estimate.ends());
        let [low_sets, high_sets] = ends(it.interval_over_sets);
        let (gaussian, shuffled) = (it.control_gaussian, it.control_shuffled);
        let known = it.estimate.known();
        let numbers = [
            known, low, high, low_sets, high_sets, gaussian, shuffled, None, it.ceiling,
        ];
        line(words(it.kind), numbers)
    });
    let retrieval = result.retrieval.iter().map(|it| {
        let [low, high] = ends(it.ends());
        let mut numbers = [None; 9];
        numbers[..3].copy_from_slice(&[it.known(), low, high]);
        numbers[7] = panel.retrieval_chance;
        line(["retrieval", "", ""].map(str::to_owned), numbers)
    });
    scores.chain(retrieval).collect()
}

/// Measure, version, K.
fn words(kind: ScoreKind) -> [String; 3] {
    match kind.k() {
        Some(k) => ["ris".to_owned(), kind.version().to_owned(), k.to_string()],
        None => [kind.version(), "", ""].map(str::to_owned),
    }
}

fn ends(interval: Option<[f64; 2]>) -> [Option<f64>; 2] {
    interval.map_or([None; 2], |it| it.map(Some))
}

fn number(value: Option<f64>) -> String {
    value
        .and_then(finite)
        .map_or_else(String::new, |it| it.to_string())
}
