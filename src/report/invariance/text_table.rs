//! Formats the scores for a terminal, in aligned columns.

use std::fmt::Write as _;

use vidpairs_invariance::run::{InvarianceSummary, MeasuredPanel, ModelScores};

use super::words;
use crate::report::models::number::{finite, grouped, level, tenth};
use crate::report::models::text::{Columns, figure, printable, wrapped};

/// The shown score and retrieval as a table: for each panel a heading and a line per model.
///
/// ASCII except for names. No line is wider than 100 columns: a longer name loses its middle, and a longer heading is wrapped. Control
/// characters of names are replaced. Ends in a line break.
pub fn render_table(summary: &InvarianceSummary) -> String {
    let score = words::shown(summary).map(|shown| format!("published, top {}", shown.k));
    let score = score.as_deref().unwrap_or("RIS");
    let headings = ["units", score, "random", "ceiling", "retrieval", "chance"].map(str::to_owned);
    let panels: Vec<Vec<[String; 6]>> = summary.panels.iter().map(rows).collect();
    let columns = Columns::of(
        summary.models.iter().map(|model| &*model.name),
        panels.iter().flatten().chain([&headings]),
    );
    let mut lines = Vec::new();
    for (panel, rows) in summary.panels.iter().zip(&panels) {
        lines.extend(heading(summary, panel));
        lines.push(columns.line("model", &headings));
        let models = summary.models.iter().zip(rows);
        lines.extend(models.map(|(model, row)| columns.line(&model.name, row)));
        for warning in &panel.warnings {
            lines.extend(wrapped(&format!("! {}", printable(warning)), "  "));
        }
        lines.push(String::new());
    }
    lines.push(
        "Percent, with 95 % confidence intervals over targets. Compare models only within one block."
            .to_owned(),
    );
    lines.join("\n") + "\n"
}

fn heading(summary: &InvarianceSummary, panel: &MeasuredPanel) -> Vec<String> {
    let invariance = words::invariance(panel);
    let title = match words::origin(summary, panel).as_str() {
        "" => invariance,
        origin => format!("{invariance}, {origin}"),
    };
    let mut text = format!("{}: {}", printable(&title), words::counts(panel));
    let left_out: usize = panel.left_out.iter().map(|group| group.count).sum();
    if left_out > 0 {
        let _ = write!(text, "; {} left out", grouped(left_out));
    }
    wrapped(&text, "")
}

fn rows(panel: &MeasuredPanel) -> Vec<[String; 6]> {
    let not_scored = || ["", "not scored", "", "", "", ""].map(str::to_owned);
    let models = panel.models.iter();
    models
        .map(|scores| {
            scores
                .as_ref()
                .map_or_else(not_scored, |scores| row(panel, scores))
        })
        .collect()
}

fn row(panel: &MeasuredPanel, scores: &ModelScores) -> [String; 6] {
    let text = |value: Option<f64>, format: fn(Option<f64>) -> String| match value.and_then(finite)
    {
        Some(value) => format(Some(value)),
        None => "-".to_owned(),
    };
    let score = scores.shown();
    [
        scores.units.to_string(),
        figure(score.map(|score| score.figure)),
        text(score.and_then(|score| score.control()), tenth),
        text(score.map(|score| score.ceiling), tenth),
        figure(scores.retrieval),
        text(panel.retrieval_chance, level),
    ]
}
