//! Draws the confusion of classes: a matrix of few classes, a list of the most frequent mistakes of many.

use maud::{Markup, html};
use vidpairs_invariance::run::probe::{Confusion, ProbeScores, ProbeTable};

use crate::report::models::number::{grouped, shortened};

/// Maximum number of classes of a matrix.
pub(super) const MAX_MATRIX: usize = 25;
/// Maximum number of mistakes in the list.
const MAX_MISTAKES: usize = 12;
/// Maximum number of letters of a class's name beside the matrix.
const NAME: usize = 18;

pub(super) fn confusion(table: &ProbeTable, scores: &ProbeScores) -> Markup {
    html! {
        @if let Some(confusion) = &scores.confusion {
            @if table.classes.len() <= MAX_MATRIX { (matrix(&table.classes, confusion)) }
            (mistakes(&table.classes, confusion))
        }
    }
}

/// Rows are classes of images, columns answers; a cell is darker the greater its share of the row.
fn matrix(classes: &[String], confusion: &Confusion) -> Markup {
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    for &(truth, answer, num) in &confusion.counts {
        if let Some(count) = counts.get_mut(truth).and_then(|row| row.get_mut(answer)) {
            *count = num;
        }
    }
    html! {
        h4 { "Confusion" }
        p.how { "Rows: class of the images. Columns, in the same order: answer. Numbers: images." }
        div.scroll {
            table.confusion {
                tbody {
                    @for (class, row) in classes.iter().zip(&counts) {
                        @let all: usize = row.iter().sum();
                        tr {
                            th title=(class) { (shortened(class, NAME, "…")) }
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
