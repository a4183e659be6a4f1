//! Formats a table of models for a terminal, in aligned columns.

use std::fmt::Write as _;

use vidpairs_invariance::run::Figure;

use super::number::{interval, known, shortened, tenth, width_of};

/// Maximum width of the table, columns of a terminal.
const WIDTH: usize = 100;
/// Space before the name and between columns.
const GAP: usize = 2;
/// Width to which names may be shortened.
const MIN_NAME: usize = 12;

/// Widths of the columns.
pub(in crate::report) struct Columns {
    name: usize,
    cells: Vec<usize>,
}

impl Columns {
    /// Columns for `rows`, the headings among them. Names of models are shortened if the table would be wider than 100 columns.
    pub fn of<'a, R: AsRef<[String]> + 'a>(
        names: impl Iterator<Item = &'a str>,
        rows: impl Iterator<Item = &'a R>,
    ) -> Self {
        let mut cells: Vec<usize> = Vec::new();
        for row in rows {
            let row = row.as_ref();
            cells.resize(cells.len().max(row.len()), 0);
            for (width, cell) in cells.iter_mut().zip(row) {
                *width = (*width).max(width_of(cell));
            }
        }
        let taken: usize = cells.iter().map(|width| width + GAP).sum();
        let names = names.map(|name| width_of(&printable(name)));
        let room = WIDTH.saturating_sub(taken + GAP).max(MIN_NAME);
        Self {
            name: names.max().unwrap_or(0).clamp("model".len(), room),
            cells,
        }
    }

    /// A line: the name at the left, the cells at the right of their columns.
    pub fn line(&self, name: &str, cells: &[String]) -> String {
        let name = shortened(&printable(name), self.name, "..");
        let rest = self.name.saturating_sub(width_of(&name));
        let mut line = format!("{:GAP$}{name}{:rest$}", "", "");
        for (cell, width) in cells.iter().zip(&self.cells) {
            let space = GAP + width.saturating_sub(width_of(cell));
            let _ = write!(line, "{:space$}{cell}", "");
        }
        line.trim_end().to_owned()
    }
}

/// `42.1 [40.3, 44.0]`; `-` if the figure is unknown.
pub(in crate::report) fn figure(figure: Option<Figure>) -> String {
    let value = figure.and_then(known);
    let ends = figure.and_then(|figure| interval(figure.interval));
    match (value, ends) {
        (Some(_), Some(ends)) => format!("{} {ends}", tenth(value)),
        (Some(_), None) => tenth(value),
        (None, _) => "-".to_owned(),
    }
}

/// The name with `?` instead of control characters, which could move the cursor or change colours.
pub(in crate::report) fn printable(name: &str) -> String {
    name.replace(char::is_control, "?")
}

/// Wraps a text to the width of the table. Continuation lines are indented further; longer words are shortened.
pub(in crate::report) fn wrapped(text: &str, indent: &str) -> Vec<String> {
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
