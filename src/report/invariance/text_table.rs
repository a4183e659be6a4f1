//! Formats the scores for a terminal, in aligned columns.

use std::fmt::Write as _;

use vidpairs_invariance::run::{
    Figure, InvarianceSummary, MeasuredModel, MeasuredPanel, ModelScores,
};

use super::number::{finite, grouped, interval, known, level, shortened, tenth, width_of};
use super::words;

/// Maximum width of the table, columns of a terminal.
const WIDTH: usize = 100;
/// Space before the name and between columns.
const GAP: usize = 2;
/// Width to which names may be shortened.
const MIN_NAME: usize = 12;

/// The shown score and retrieval as a table: for each panel a heading and a line per model.
///
/// ASCII except for names. No line is wider than 100 columns: a longer name loses its middle, and a longer heading is wrapped. Control
/// characters of names are replaced. Ends in a line break.
pub fn render_table(summary: &InvarianceSummary) -> String {
    let score = words::shown(summary).map(|shown| format!("published, top {}", shown.k));
    let score = score.as_deref().unwrap_or("RIS");
    let headings = ["units", score, "random", "ceiling", "retrieval", "chance"].map(str::to_owned);
    let panels: Vec<Vec<[String; 6]>> = summary.panels.iter().map(rows).collect();
    let columns = columns(&summary.models, &headings, &panels);
    let mut lines = Vec::new();
    for (panel, rows) in summary.panels.iter().zip(&panels) {
        lines.extend(heading(summary, panel));
        lines.push(line("model", &headings, &columns));
        let models = summary.models.iter().zip(rows);
        lines.extend(models.map(|(model, row)| line(&model.name, row, &columns)));
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

/// Widths of the columns.
struct Columns {
    name: usize,
    cells: [usize; 6],
}

fn columns(
    models: &[MeasuredModel],
    headings: &[String; 6],
    panels: &[Vec<[String; 6]>],
) -> Columns {
    let mut cells = headings.each_ref().map(|heading| width_of(heading));
    for row in panels.iter().flatten() {
        for (width, cell) in cells.iter_mut().zip(row) {
            *width = (*width).max(width_of(cell));
        }
    }
    let taken: usize = cells.iter().map(|width| width + GAP).sum();
    let names = models.iter().map(|model| width_of(&printable(&model.name)));
    let room = WIDTH.saturating_sub(taken + GAP).max(MIN_NAME);
    Columns {
        name: names.max().unwrap_or(0).clamp("model".len(), room),
        cells,
    }
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
    let figure = |figure: Option<Figure>| {
        let value = figure.and_then(known);
        let ends = figure.and_then(|figure| interval(figure.interval));
        match (value, ends) {
            (Some(_), Some(ends)) => format!("{} {ends}", tenth(value)),
            _ => text(value, tenth),
        }
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

fn line(name: &str, cells: &[String; 6], columns: &Columns) -> String {
    let name = shortened(&printable(name), columns.name, "..");
    let rest = columns.name.saturating_sub(width_of(&name));
    let mut line = format!("{:GAP$}{name}{:rest$}", "", "");
    for (cell, width) in cells.iter().zip(columns.cells) {
        let space = GAP + width.saturating_sub(width_of(cell));
        let _ = write!(line, "{:space$}{cell}", "");
    }
    line.trim_end().to_owned()
}

/// The name with `?` instead of control characters, which could move the cursor or change colours.
fn printable(name: &str) -> String {
    name.replace(char::is_control, "?")
}

/// Wraps a text to the width of the table. Continuation lines are indented further; longer words are shortened.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        let word = shortened(word, WIDTH - 2 * GAP, "..");
        if !is_empty && width_of(&line) + 1 + width_of(&word) > WIDTH {
            lines.push(line);
            line = format!("{indent}  ");
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a?[31m?b");
    }

    #[test]
    fn a_long_text_is_wrapped_and_continuation_lines_are_indented() {
        let lines = wrapped(&"word ".repeat(60), "  ");
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(lines.iter().skip(1).all(|line| line.starts_with("    ")));
    }
}
