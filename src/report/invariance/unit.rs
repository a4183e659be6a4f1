//! Chosen units of a model: the set that fires them, and the firing over the transformation.

use maud::{Markup, html};

use super::budget::Budget;
use super::curve::{are_over_their_places, curve};
use super::number::{evenly, grouped, level, tenth};
use super::view::{SetPicture, UnitCard};
use crate::report::picture::data_uri;

/// Fewer pictures than these never stand over the curve: they would be blown up.
const OVER_CURVE_FROM: usize = 6;

pub(super) fn unit(card: &UnitCard, budget: Budget) -> Markup {
    let shown = evenly(&card.pictures, budget.per_set);
    let num_over = num_over_curve(card, &shown);
    let style = format!("--columns:{}", shown.len().max(OVER_CURVE_FROM));
    let shots = match num_over {
        Some(_) => "shots",
        None => "shots row-of-its-own",
    };
    html! {
        div.unit {
            div.words {
                h4 { "Unit " (card.unit) }
                p { "responds to " b { (card.target) } }
                p.how {
                    "fires for " b { (tenth(Some(card.fires_for_target))) " %" } " of its images, "
                    (level(Some(card.fires_for_all))) " % of all"
                }
                @if shown.len() < card.pictures.len() {
                    p.how { (shown.len()) " of " (card.pictures.len()) " pictures of a set" }
                }
                @if card.num_sets > 1 && !shown.is_empty() {
                    p.how { "shown: of its " (grouped(card.num_sets)) " sets the one in which it fires most" }
                }
            }
            div.strip style=(style) {
                @if !shown.is_empty() { div class=(shots) { @for it in &shown { (shot(it, &card.target)) } } }
                @if let Some(it) = &card.curve {
                    @if num_over.is_none() && !shown.is_empty() { p.how { "The curve has an axis of its own:" } }
                    (curve(it, num_over))
                }
            }
        }
    }
}

/// How many pictures stand each over its place on the curve: all, or it is not said.
fn num_over_curve(card: &UnitCard, shown: &[&SetPicture]) -> Option<usize> {
    let along = &card.curve.as_ref()?.along;
    let places: Vec<Option<f64>> = shown.iter().map(|it| it.place).collect();
    let is_over = shown.len() >= OVER_CURVE_FROM && are_over_their_places(&places, along);
    is_over.then_some(shown.len())
}

/// A picture; in a thick frame with a dot where it fires, faint with a ring where it does not.
pub(super) fn shot(shot: &SetPicture, target: &str) -> Markup {
    let (class, words) = match shot.fires {
        Some(true) => ("shot fires", ", fires"),
        Some(false) => ("shot silent", ", does not fire"),
        None => ("shot", ""),
    };
    html! {
        figure class=(class) {
            div.picture {
                @match &shot.picture {
                    Ok(picture) => {
                        img src=(data_uri(picture.media_type, &picture.bytes)) loading="lazy"
                            alt={ (target) " " (shot.caption) (words) };
                    }
                    Err(why) => p { "cannot be shown: " (why) },
                }
            }
            @if !shot.caption.is_empty() { figcaption { (shot.caption) } }
        }
    }
}
