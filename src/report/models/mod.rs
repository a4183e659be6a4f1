//! Renders what the pages and tables of models share: marks, numbers, plots, differences, lines of a terminal and of CSV.

pub(super) mod csv;
pub(super) mod difference;
pub(super) mod left_out;
pub(super) mod mark;
pub(super) mod number;
pub(super) mod plot;
pub(super) mod text;
pub(super) mod warnings;

/// Style sheet of pages of models, to which a page adds its own.
pub(super) const STYLE: &str = include_str!("style.css");
