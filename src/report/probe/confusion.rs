//! Draws the confusion of classes: a matrix of counts for few classes, one of shades for more, and a list of the most frequent mistakes.

use std::fmt::Write as _;

use maud::{Markup, html};
use vidpairs_invariance::run::probe::{Confusion, ProbeScores, ProbeTable};

use crate::report::models::number::{grouped, shortened};

/// Maximum number of classes of a matrix with counts.
pub(super) const MAX_COUNTS: usize = 25;
/// Maximum number of classes of a matrix with shades.
pub(super) const MAX_SHADES: usize = 150;
/// Maximum number of mistakes in the list.
const MAX_MISTAKES: usize = 12;
/// Maximum number of letters of a class's name beside the matrix.
const NAME: usize = 18;
/// Side of a shaded cell, and room for a name beside the cells, px.
const CELL_PX: usize = 10;
const NAME_PX: usize = 104;
/// Shares of a row up to which a cell has the first shade, the second, and so on; all greater ones have the last.
const SHADES: [f64; 4] = [0.1, 0.25, 0.5, 0.75];

pub(super) fn confusion(table: &ProbeTable, scores: &ProbeScores) -> Markup {
    let classes = table.classes.as_slice();
    html! {
        @if let Some(confusion) = &scores.confusion {
            @if classes.len() <= MAX_SHADES {
                h4 { "Confusion" }
                p.how { (READING) }
                div.scroll {
                    @if classes.len() <= MAX_COUNTS { (counts(classes, confusion)) } @else { (shades(classes, confusion)) }
                }
            }
            (mistakes(classes, confusion))
        }
    }
}

const READING: &str = "Rows are the classes of the images, columns the answers. A cell is darker the greater its share of the row.";

/// A table with the numbers of images.
fn counts(classes: &[String], confusion: &Confusion) -> Markup {
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    for &(truth, answer, num) in &confusion.counts {
        if let Some(count) = counts.get_mut(truth).and_then(|row| row.get_mut(answer)) {
            *count = num;
        }
    }
    html! {
        table.confusion {
            thead {
                tr { th {} @for class in classes { th.column title=(class) { span { (short(class)) } } } }
            }
            tbody {
                @for (class, row) in classes.iter().zip(&counts) {
                    @let all: usize = row.iter().sum();
                    tr {
                        th title=(class) { (short(class)) }
                        @for (answer, &num) in classes.iter().zip(row) {
                            @let share = num as f64 / all.max(1) as f64;
                            @let title = format!("{class} answered {answer}: {num}");
                            td class=(if share > 0.5 { "cell dark" } else { "cell" }) title=(title)
                                style=(format!("--share:{:.0}%", 100.0 * share)) {
                                @if num > 0 { (num) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A drawing in which all cells of one shade are one path, so that its size depends little on the number of classes.
fn shades(classes: &[String], confusion: &Confusion) -> Markup {
    let mut of_rows = vec![0; classes.len()];
    for &(truth, _, num) in &confusion.counts {
        if let Some(of_row) = of_rows.get_mut(truth) {
            *of_row += num;
        }
    }
    let mut paths = vec![String::new(); SHADES.len() + 1];
    for &(truth, answer, num) in &confusion.counts {
        if let Some(&all) = of_rows.get(truth) {
            let share = num as f64 / all.max(1) as f64;
            let shade = SHADES.iter().filter(|&&limit| share > limit).count();
            let _ = write!(paths[shade], "M{answer} {truth}h1v1h-1z");
        }
    }
    let cells_px = classes.len() * CELL_PX;
    let side_px = NAME_PX + cells_px;
    // A middle of each row and column in the px of the drawing.
    let middle = |place: usize| NAME_PX + place * CELL_PX + CELL_PX / 2;
    html! {
        svg.shades width=(side_px) height=(side_px) role="img" aria-label="confusion of the classes" {
            @for (place, class) in classes.iter().enumerate() {
                @let at = middle(place);
                text x=(NAME_PX - 4) y=(at + 3) text-anchor="end" { title { (class) } (short(class)) }
                text transform=(format!("translate({} {}) rotate(-90)", at + 3, NAME_PX - 4)) {
                    title { (class) } (short(class))
                }
            }
            svg x=(NAME_PX) y=(NAME_PX) width=(cells_px) height=(cells_px)
                viewBox=(format!("0 0 {0} {0}", classes.len())) {
                rect.room width=(classes.len()) height=(classes.len()) {}
                @for place in (5..classes.len()).step_by(5) {
                    path.rule d=(format!("M{place} 0v{0}M0 {place}h{0}", classes.len())) {}
                }
                @for (shade, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
                    path.cells d=(path) fill-opacity=(format!("{:.1}", 0.2 * (shade + 1) as f64)) {}
                }
            }
        }
    }
}

/// A name that fits beside the matrix; the whole one is its title.
fn short(class: &str) -> String {
    shortened(class, NAME, "…")
}

fn mistakes(classes: &[String], confusion: &Confusion) -> Markup {
    let name = |class: usize| classes.get(class).map_or("", String::as_str);
    let mut wrong: Vec<&(usize, usize, usize)> = confusion
        .counts
        .iter()
        .filter(|(truth, answer, _)| truth != answer)
        .collect();
    wrong.sort_by_key(|(.., num)| std::cmp::Reverse(*num));
    html! {
        @if !wrong.is_empty() {
            h4 { "Most frequent mistakes" }
            ul.mistakes {
                @for &&(truth, answer, num) in wrong.iter().take(MAX_MISTAKES) {
                    li { b { (name(truth)) } " taken for " b { (name(answer)) } ": " (grouped(num)) }
                }
            }
        }
    }
}
