//! The scores for a terminal: aligned columns, no wider than 100.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::number::{finite, grouped, interval, level, tenth};
use super::panel::counts;
use super::view::{Estimate, InvariancePage, ModelResult, Panel};

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
    let mut text = String::new();
    let headings = [
        "units",
        &page.shown.words(),
        "random",
        "ceiling",
        "retrieval",
        "chance",
    ]
    .map(str::to_owned);
    let panels: Vec<Vec<[String; 6]>> = page.panels.iter().map(|it| rows(page, it)).collect();
    let mut widths = headings.clone().map(|it| width_of(&it));
    for row in panels.iter().flatten() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(width_of(cell));
        }
    }
    let taken: usize = widths.iter().map(|it| it + GAP).sum();
    let longest = page
        .models
        .iter()
        .map(|it| width_of(&printable(&it.name)))
        .max()
        .unwrap_or(0);
    let room = WIDTH.saturating_sub(taken + GAP).max(MIN_NAME);
    let name_width = longest.clamp("model".len(), room);
    for (panel, rows) in page.panels.iter().zip(panels) {
        for line in heading(panel) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "{}", line("model", name_width, &headings, &widths));
        for (model, row) in page.models.iter().zip(&rows) {
            let _ = writeln!(text, "{}", line(&model.name, name_width, row, &widths));
        }
        for warning in &panel.warnings {
            for line in wrapped(&format!("! {}", printable(warning)), "  ") {
                let _ = writeln!(text, "{line}");
            }
        }
        text.push('\n');
    }
    for warning in &page.warnings {
        for line in wrapped(&format!("! {}", printable(warning)), "") {
            let _ = writeln!(text, "{line}");
        }
    }
    for line in wrapped(
        "Percent, 95 % intervals over classes or objects. Compare models inside one block only.",
        "",
    ) {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn heading(panel: &Panel) -> Vec<String> {
    let title = match panel.data_set.as_str() {
        "" => panel.invariance.clone(),
        data_set => format!("{}, {data_set}", panel.invariance),
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

fn line(name: &str, name_width: usize, cells: &[String; 6], widths: &[usize; 6]) -> String {
    let name = cut(&printable(name), name_width);
    let mut line = format!(
        "{:GAP$}{name}{:2$}",
        "",
        "",
        name_width.saturating_sub(width_of(&name))
    );
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(
            line,
            "{:1$}{cell}",
            "",
            GAP + width.saturating_sub(width_of(cell))
        );
    }
    line.trim_end().to_owned()
}

/// Without what would move the cursor or colour the terminal.
fn printable(name: &str) -> String {
    name.chars()
        .map(|it| if it.is_control() { '?' } else { it })
        .collect()
}

fn width_of(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// The beginning and the end, where names of checkpoints differ.
fn cut(name: &str, width: usize) -> String {
    if width_of(name) <= width {
        return name.to_owned();
    }
    let room = width.saturating_sub(2);
    let start = fitting(name.chars(), room.div_ceil(2));
    let end: String = fitting(name.chars().rev(), room / 2)
        .chars()
        .rev()
        .collect();
    format!("{start}..{end}")
}

fn fitting(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0;
    let fits = |it: &char| {
        taken += it.width().unwrap_or(0);
        taken <= width
    };
    chars.take_while(fits).collect()
}

/// Lines of words no wider than the table; a word that is wider is cut.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        let word = cut(word, WIDTH - 2 * GAP);
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
    fn a_long_name_keeps_its_two_ends() {
        assert_eq!(cut("runs/long/name/epoch-200", 12), "runs/..h-200");
        assert_eq!(cut("short", 12), "short");
        assert_eq!(width_of(&cut("視点視点視点視点視点", 12)), 10);
    }

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
