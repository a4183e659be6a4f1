//! What representations ignore: several models on several invariances, as a page, a table and a CSV.
//!
//! **Takes** an [`InvariancePage`]: plain numbers in percent, words, encoded thumbnails. **Gives** one file of HTML
//! ([`render`]), a table for a terminal ([`render_table`]), a table for programs ([`write_scores_csv`]).
//! **Fails** where the CSV cannot be written, and nowhere else.
//! **Source**: HTML by maud, CSV by the csv crate (RFC 4180).
//!
//! A page has bounds, so that it opens everywhere: see the constants. Pictures beyond them are not shown, and of a
//! set that is cut the page says so.

mod budget;
mod curve;
mod mark;
mod notes;
mod number;
mod paired;
mod panel;
mod scores_csv;
mod table;
mod target;
mod text_table;
mod unit;
mod view;

use maud::{Markup, html};

use super::page;
use budget::Budget;
use number::tenth;

pub use super::page::Fact;
pub use super::sheet::Picture;
pub use scores_csv::write_scores_csv;
pub use text_table::render_table;
pub use view::{
    Along, Counts, Curve, CurveLine, Estimate, InvariancePage, LeftOutNote, ModelName, ModelResult,
    PairedPoint, PairedScores, Panel, Quantity, Score, ScoreKind, SetPicture, Side, TargetCard,
    TargetWord, UnitCard,
};

/// Units of one model on one invariance that the page shows.
pub const MAX_UNITS: usize = 3;
/// Pictures of a set that the page shows beside a unit; fewer where [`MAX_PICTURE_BYTES`] demands it.
pub const MAX_PICTURES: usize = 12;
/// Targets at each end, the most and the least invariant, that the page shows.
pub const MAX_TARGETS: usize = 4;
/// Pictures of such a target that the page shows; fewer where [`MAX_PICTURE_BYTES`] demands it.
pub const MAX_TARGET_PICTURES: usize = 5;
/// Pairs of models that the page draws in one panel.
pub const MAX_PAIRS: usize = 6;
/// Names of what was left out for one reason.
pub const MAX_NAMES: usize = 6;
/// What all pictures of a page may take in it, bytes. Six models on seven invariances have room for six pictures of
/// each set if a thumbnail has 6 kB: pass JPEGs of about 128 px.
pub const MAX_PICTURE_BYTES: usize = 8_000_000;

/// The page: one file of HTML, images included, no script; 10 MB at most as long as there are no more than some ten
/// thousand points in the paired plots.
pub fn render(shown: &InvariancePage) -> String {
    let budget = budget::budget(shown);
    let body = html! {
        header {
            (page::summary(&shown.title, &shown.headline, &shown.facts))
            (notes::warnings(shown))
        }
        main {
            @if shown.panels.is_empty() { p { "Nothing was scored." } } @else {
                (panel::legend(shown))
                @for it in &shown.panels { (panel::panel(shown, it)) }
                (notes::reading())
                section.wide {
                    h2 { "Models by invariances" }
                    p.how { (shown.shown.words()) ": percent, 95 % interval, what random features get, and the ceiling." }
                    (table::overview(shown))
                    (table::all_figures(shown))
                }
                @for it in &shown.panels { (details(shown, it, budget)) }
            }
        }
        footer { (notes::left_out(shown)) }
    };
    page::page(&shown.title, include_str!("style.css"), &body)
}

/// Up to so many models stand open, and can be seen beside each other; of more only the first.
const OPEN_UP_TO: usize = 2;

/// Everything of one invariance: pairs, then each model's units and targets.
fn details(shown: &InvariancePage, panel: &Panel, budget: Budget) -> Markup {
    let pairs = panel.pairs.iter().take(MAX_PAIRS);
    let models = shown.models.iter().zip(&panel.models).enumerate();
    let models =
        models.filter_map(|(index, (model, result))| Some((index, model, result.as_ref()?)));
    let with_details = models.filter(|(.., it)| has_details(it));
    let with_details: Vec<(usize, &ModelName, &ModelResult)> = with_details.collect();
    html! {
        @if !panel.pairs.is_empty() || !with_details.is_empty() {
            section.wide {
                h2.invariance { (panel.invariance) @if !panel.data_set.is_empty() { " " span { (panel.data_set) } } }
                p.how { (about(panel)) }
                div.pairs { @for pair in pairs { (paired::paired(shown, panel, pair)) } }
                @for (place, (index, model, result)) in with_details.into_iter().enumerate() {
                    details.model open[place == 0 || shown.models.len() <= OPEN_UP_TO] {
                        summary {
                            (mark::key(index)) " " b { (model.name) }
                            span { (model_note(shown, result)) }
                        }
                        (units(result, budget))
                        (target::targets(panel, result, budget))
                    }
                }
            }
        }
    }
}

fn has_details(result: &ModelResult) -> bool {
    !(result.units.is_empty()
        && result.most.is_empty()
        && result.least.is_empty()
        && result.target_scores.is_empty())
}

fn about(panel: &Panel) -> String {
    let near = match panel.near.as_str() {
        "" => String::new(),
        near => format!("Left out as neighbours: {near}."),
    };
    let about = match panel.about.as_str() {
        "" => String::new(),
        about => format!("{about}: "),
    };
    format!("{about}{}. {near}", panel::counts(panel))
        .trim_end()
        .to_owned()
}

fn model_note(shown: &InvariancePage, result: &ModelResult) -> String {
    let score = result.score(shown.shown).and_then(|it| it.estimate.known());
    let units = number::counted(result.num_units, "unit", "units");
    let mut note = format!("{} {} of {units}", shown.shown.words(), tenth(score));
    if let Some(retrieval) = result.retrieval.and_then(|it| it.known()) {
        note = format!("{note}; retrieval {}", tenth(Some(retrieval)));
    }
    note
}

fn units(result: &ModelResult, budget: Budget) -> Markup {
    html! {
        @if !result.units.is_empty() {
            p.how {
                "Its most invariant units. " span.sample-fires {} " fires the unit, " span.sample-silent {} " does not."
            }
            @for it in result.units.iter().take(MAX_UNITS) { (unit::unit(it, budget)) }
        }
    }
}

#[cfg(test)]
mod tests;
