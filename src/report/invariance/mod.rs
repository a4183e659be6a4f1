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
mod label;
mod mark;
mod notes;
mod number;
mod paired;
mod panel;
mod scores_csv;
mod short;
mod table;
mod target;
mod text_table;
mod title;
mod unit;
mod view;

use maud::{Markup, html};

use super::page;
use budget::Budget;
use number::tenth;

pub use super::page::Fact;
pub use super::picture::Picture;
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
pub const MAX_TARGET_PICTURES: usize = 4;
/// Pairs of models that the page draws in one panel.
pub const MAX_PAIRS: usize = 6;
/// Names of what was left out for one reason.
pub const MAX_NAMES: usize = 6;
/// What all pictures of a page may take in it, bytes. Six models on seven invariances have room for six pictures of
/// each set if a thumbnail has 3 kB: pass JPEGs of about 128 px.
pub const MAX_PICTURE_BYTES: usize = 7_000_000;

/// Up to so many models stand open, and can be seen beside each other; of more only the first.
const OPEN_UP_TO: usize = 2;

/// The page: one file of HTML, images included, no script; 10 MB at most as long as the paired plots have no more than some
/// forty thousand points.
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
                @let origin = title::origin(shown, panel);
                h2.invariance { (panel.invariance) @if !origin.is_empty() { " " span { (origin) } } }
                p.how { (about(panel)) }
                @if panel.pairs.len() > MAX_PAIRS {
                    p.how { (MAX_PAIRS) " of " (panel.pairs.len()) " pairs of models are drawn." }
                }
                div.pairs { @for pair in pairs { (paired::paired(shown, panel, pair)) } }
                @for (place, (index, model, result)) in with_details.into_iter().enumerate() {
                    details.model open[place == 0 || shown.models.len() <= OPEN_UP_TO] {
                        summary {
                            (mark::key(index)) " " b { (model.name) }
                            span { (model_note(shown, result)) }
                        }
                        (units(shown, result, budget))
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

/// `RIS, top 10: 42.1 · retrieval 95.2 · 512 units`.
fn model_note(shown: &InvariancePage, result: &ModelResult) -> String {
    let score = result.score(shown.shown).map(|it| it.estimate.value);
    let mut parts = vec![format!("{}: {}", shown.shown.words(), tenth(score))];
    if let Some(retrieval) = result.retrieval {
        parts.push(format!("retrieval {}", tenth(Some(retrieval.value))));
    }
    parts.push(number::counted(result.num_units, "unit", "units"));
    parts.join(" · ")
}

fn units(shown: &InvariancePage, result: &ModelResult, budget: Budget) -> Markup {
    html! {
        @if !result.units.is_empty() {
            p.how {
                "Its most invariant units" (chosen_by(shown)) ". " span.sample-fires {} " fires the unit, " span.sample-silent {} " does not."
            }
            @for it in result.units.iter().take(MAX_UNITS) { (unit::unit(it, budget)) }
        }
    }
}

/// Units are those of the formula, whatever the plots show.
fn chosen_by(shown: &InvariancePage) -> String {
    match shown.shown {
        ScoreKind::Formula { .. } => String::new(),
        kind => format!(", chosen by the formula (the plots show {})", kind.words()),
    }
}

#[cfg(test)]
mod tests;
