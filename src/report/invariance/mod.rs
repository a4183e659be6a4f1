//! Presents the invariances of several models as a page, a table and a CSV file.
//!
//! **Takes** an [`InvarianceSummary`]. **Gives** one HTML file ([`render`]), a table for a terminal ([`render_table`]) and a table for
//! programs ([`scores_csv`]). **Fails** never. **Source**: HTML by maud, CSV by the csv crate (RFC 4180).
//!
//! All text is escaped. A number that is not finite counts as unknown. The size of a page is limited: see the constants. The page
//! states where items are left out.

mod budget;
mod cards;
mod curve;
mod label;
pub(super) mod notes;
mod paired;
mod panel;
mod scores_csv;
mod table;
mod text_table;
pub(super) mod words;

use maud::{Markup, html};
use vidpairs_invariance::run::{InvarianceSummary, MeasuredModel, MeasuredPanel, ModelScores};

use super::models::difference::Pairs;
use super::models::left_out::left_out;
use super::models::number::{counted, tenth};
use super::models::warnings::warnings;
use super::models::{self, mark};
use super::page::{self, Fact};
use budget::Budget;

pub use scores_csv::scores_csv;
pub use text_table::render_table;

/// Maximum number of pairs of models drawn in a panel.
pub const MAX_PAIRS: usize = 6;
/// Maximum size of all pictures in the page, bytes. Six models on seven invariances have room for six pictures of each set if a picture has
/// 3 kB.
pub const MAX_PICTURE_BYTES: usize = 7_000_000;

/// Number of models up to which the details of all are open; with more models only those of the first are.
const OPEN_UP_TO: usize = 2;
const TITLE: &str = "Invariances";
/// Style sheet of this page, besides that of models.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page: one HTML file with its images and without scripts. At most 10 MB unless the paired plots have more than about forty thousand
/// points.
pub fn render(summary: &InvarianceSummary) -> String {
    let facts = [Fact {
        name: "Program",
        value: format!("vidpairs {}", summary.program_version),
    }];
    let body = html! {
        header {
            (page::summary(TITLE, &headline(summary), &facts))
            (all_warnings(summary))
        }
        main {
            @if summary.panels.is_empty() { p { "Nothing was scored." } } @else {
                (plots(summary))
                (notes::reading())
                (tables(summary))
                (all_details(summary, Pairs::Shown))
            }
        }
        footer { (all_left_out(summary)) }
    };
    page::page(TITLE, &[models::STYLE, STYLE].concat(), &body)
}

/// `3 models on 2 invariances`.
pub(super) fn headline(summary: &InvarianceSummary) -> String {
    format!(
        "{} on {}",
        counted(summary.models.len(), "model", "models"),
        counted(summary.panels.len(), "invariance", "invariances")
    )
}

/// The warnings of all panels. Empty if there are none.
pub(super) fn all_warnings(summary: &InvarianceSummary) -> Markup {
    let panels = summary.panels.iter();
    let warned: Vec<(String, &[String])> = panels
        .map(|panel| (words::title(summary, panel), panel.warnings.as_slice()))
        .collect();
    warnings(&warned)
}

/// A plot for each panel, with a legend.
pub(super) fn plots(summary: &InvarianceSummary) -> Markup {
    html! {
        (panel::legend(summary))
        @for panel in &summary.panels { (panel::panel(summary, panel)) }
    }
}

/// Tables of all panels: an overview, and all figures.
pub(super) fn tables(summary: &InvarianceSummary) -> Markup {
    html! {
        section.wide {
            h2 { "Overview" }
            p.how {
                (words::shown_score(summary))
                ", percent: score, 95 % confidence interval, random features (control) and ceiling."
            }
            (table::overview(summary))
            (table::all_figures(summary))
        }
    }
}

/// Details of every panel.
pub(super) fn all_details(summary: &InvarianceSummary, pairs: Pairs) -> Markup {
    let budget = budget::budget(summary);
    html! { @for panel in &summary.panels { (details(summary, panel, pairs, budget)) } }
}

/// What was left out of each panel. Empty if there is nothing.
pub(super) fn all_left_out(summary: &InvarianceSummary) -> Markup {
    let panels = summary.panels.iter();
    let groups: Vec<_> = panels
        .map(|panel| (words::title(summary, panel), panel.left_out.as_slice()))
        .collect();
    left_out(&groups)
}

/// Details of one invariance: pairs of models, then the units and targets of each model.
fn details(
    summary: &InvarianceSummary,
    panel: &MeasuredPanel,
    pairs: Pairs,
    budget: Budget,
) -> Markup {
    let pairs = pairs.of(&panel.pairs);
    let models = summary.models.iter().zip(&panel.models).enumerate();
    let with_cards: Vec<(usize, &MeasuredModel, &ModelScores)> = models
        .filter_map(|(index, (model, scores))| Some((index, model, scores.as_ref()?)))
        .filter(|(.., scores)| cards::has_cards(scores))
        .collect();
    html! {
        @if !pairs.is_empty() || !with_cards.is_empty() {
            section.wide {
                @let origin = words::origin(summary, panel);
                h2.invariance { (words::invariance(panel)) @if !origin.is_empty() { " " span { (origin) } } }
                p.how {
                    "One set: " (words::about(panel)) ". " (words::counts(panel)) ". Excluded as neighbours in retrieval: "
                    (panel.near) "."
                }
                @if pairs.len() > MAX_PAIRS {
                    p.how { (MAX_PAIRS) " of " (pairs.len()) " pairs of models are shown." }
                }
                div.pairs {
                    @for pair in pairs.iter().take(MAX_PAIRS) { (paired::paired(summary, panel, pair)) }
                }
                @for (place, (index, model, scores)) in with_cards.into_iter().enumerate() {
                    details.model open[place == 0 || summary.models.len() <= OPEN_UP_TO] {
                        summary {
                            (mark::key(index)) " " b { (model.name) }
                            span { (model_note(scores)) }
                        }
                        (cards::units(scores, budget))
                        (cards::targets(panel, scores, budget))
                    }
                }
            }
        }
    }
}

/// `RIS (published code), top 10: 42.1 · retrieval accuracy 95.2 · 512 units`.
fn model_note(scores: &ModelScores) -> String {
    let mut parts = Vec::new();
    if let Some(shown) = scores.shown() {
        let name = words::score(shown.version, shown.k);
        parts.push(format!("{name}: {}", tenth(Some(shown.figure.value))));
    }
    if let Some(retrieval) = scores.retrieval {
        parts.push(format!(
            "retrieval accuracy {}",
            tenth(Some(retrieval.value))
        ));
    }
    parts.push(counted(scores.units, "unit", "units"));
    parts.join(" · ")
}

#[cfg(test)]
mod tests;
