//! The scores for a terminal: aligned columns, no wider than 100.

use std::fmt::Write as _;

use super::number::{finite, grouped, interval, level, tenth};
use super::panel::counts;
use super::short::{shortened, width_of};
use super::title::origin;
use super::view::{Estimate, InvariancePage, ModelResult, Panel, ScoreKind};

/// Columns of a terminal that the table may take.
const WIDTH: usize = 100;
/// Two before the name and two between columns.
const GAP: usize = 2;
/// A name is not cut below this.
const MIN_NAME: usize = 12;

/// The table of [`InvariancePage::shown`] and of retrieval: for each panel a heading and a line per model.
///
/// ASCII but for the names. No line is wider than 100 columns; a longer name loses its middle, and a heading that is longer
/// goes on in the next line. Control characters of names are not passed on. Ends in a line break.
pub fn render_table(page: &InvariancePage) -> String {
    let kind = match page.shown {
        ScoreKind::Formula { k } => format!("RIS, top {k}"),
        ScoreKind::PublishedCode { k } => format!("published, top {k}"),
        ScoreKind::Goodfellow => "Goodfellow 2009".to_owned(),
    };
    let headings = ["units", &kind, "random", "ceiling", "retrieval", "chance"].map(str::to_owned);
    let panels: Vec<Vec<[String; 6]>> = page.panels.iter().map(|it| rows(page, it)).collect();
    let columns = columns(page, &headings, &panels);
    let mut lines = Vec::new();
    for (panel, rows) in page.panels.iter().zip(&panels) {
        lines.extend(heading(page, panel));
        lines.push(line("model", &headings, &columns));
        let models = page.models.iter().zip(rows);
        lines.extend(models.map(|(model, row)| line(&model.name, row, &columns)));
        lines.extend(panel.warnings.iter().flat_map(|it| warning(it)));
        lines.push(String::new());
    }
    lines.push(
        "Percent, 95 % intervals over classes or objects. Compare models inside one block only."
            .to_owned(),
    );
    lines.join("\n") + "\n"
}

/// Widths of the columns: the name's, then the cells'.
struct Columns {
    name: usize,
    cells: [usize; 6],
}

fn columns(page: &InvariancePage, headings: &[String; 6], panels: &[Vec<[String; 6]>]) -> Columns {
    let mut cells = headings.each_ref().map(|it| width_of(it));
    for row in panels.iter().flatten() {
        for (width, cell) in cells.iter_mut().zip(row) {
            *width = (*width).max(width_of(cell));
        }
    }
    let taken: usize = cells.iter().map(|it| it + GAP).sum();
    let names = page.models.iter().map(|it| width_of(&printable(&it.name)));
    let room = WIDTH.saturating_sub(taken + GAP).max(MIN_NAME);
    Columns {
        name: names.max().unwrap_or(0).clamp("model".len(), room),
        cells,
    }
}

fn warning(text: &str) -> Vec<String> {
    wrapped(&format!("! {}", printable(text)), "  ")
}

fn heading(page: &InvariancePage, panel: &Panel) -> Vec<String> {
    let title = match origin(page, panel).as_str() {
        "" => panel.invariance.clone(),
        origin => format!("{}, {origin}", panel.invariance),
    };
    let mut text = format!("{}: {}", printable(&title), counts(panel));
    let left_out: usize = panel.left_out.iter().map(|it| it.count).sum();
    if left_out > 0 {
        let _ = write!(text, "; {} left out", grouped(left_out));
    }
    wrapped(&text, "")
}

fn rows(page: &InvariancePage, panel: &Panel) -> Vec<[String; 6]> {
    let results = panel.models.iter().take(page.models.len());
    results
        .map(|it| {
            it.as_ref()
                .map_or_else(empty_row, |it| row(page, panel, it))
        })
        .collect()
}

fn empty_row() -> [String; 6] {
    ["", "not scored", "", "", "", ""].map(str::to_owned)
}

fn row(page: &InvariancePage, panel: &Panel, result: &ModelResult) -> [String; 6] {
    let score = result.score(page.shown);
    let estimate = |it: Option<Estimate>| match it.and_then(|it| Some((it.known()?, it.ends()))) {
        Some((value, ends)) => {
            let ends = interval(ends).map_or_else(String::new, |it| format!(" {it}"));
            format!("{}{ends}", tenth(Some(value)))
        }
        None => "-".to_owned(),
    };
    let number = |it: Option<f64>| {
        it.and_then(finite)
            .map_or_else(|| "-".to_owned(), |it| tenth(Some(it)))
    };
    let chance = panel.retrieval_chance.and_then(finite);
    [
        result.num_units.to_string(),
        estimate(score.map(|it| it.estimate)),
        number(score.and_then(|it| it.control())),
        number(score.and_then(|it| it.ceiling)),
        estimate(result.retrieval),
        chance.map_or_else(|| "-".to_owned(), |it| level(Some(it))),
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

/// Without what would move the cursor or colour the terminal.
fn printable(name: &str) -> String {
    name.chars()
        .map(|it| if it.is_control() { '?' } else { it })
        .collect()
}

/// Lines of words no wider than the table; a word that is wider is cut.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        let word = shortened(word, WIDTH - 2 * GAP, "..");
        if !is_empty && width_of(&line) + 1 + width_of(&word) > WIDTH {
            lines.push(line);
            // What goes on stands further in.
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
    fn what_would_move_the_cursor_is_not_passed_on() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a?[31m?b");
    }

    #[test]
    fn words_go_on_in_the_next_line() {
        let lines = wrapped(&"word ".repeat(60), "  ");
        assert!(lines.len() > 2 && lines.iter().all(|it| it.chars().count() <= WIDTH));
        assert!(lines.iter().skip(1).all(|it| it.starts_with("    ")));
    }
}
