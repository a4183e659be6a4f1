//! Chosen units of a model: the set that fires them, and the firing over the transformation.

use maud::{Markup, html};

use super::budget::Budget;
use super::curve::curve;
use super::number::{evenly, level, tenth};
use super::view::{SetPicture, UnitCard};
use crate::report::picture::data_uri;

/// Fewer pictures than these are not stretched over the whole card.
const COLUMNS_FROM: usize = 6;

pub(super) fn unit(card: &UnitCard, budget: Budget) -> Markup {
    let shown = evenly(&card.pictures, budget.per_set);
    let columns = shown.len().max(1);
    let style = format!("--columns:{columns};--room:{}", columns.max(COLUMNS_FROM));
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
            }
            div.strip style=(style) {
                @if !shown.is_empty() { div.shots { @for it in &shown { (shot(it, &card.target)) } } }
                @if let Some(it) = &card.curve { (curve(it, shown.len())) }
            }
        }
    }
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
