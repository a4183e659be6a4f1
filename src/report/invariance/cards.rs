//! Draws the cards of a model: units with the images for which they fire, and the most and least invariant targets.

use std::fmt::Write as _;

use maud::{Markup, html};
use vidpairs_invariance::run::{
    CardPicture, MAX_TARGETS, MAX_UNITS, MeasuredPanel, ModelScores, TargetCard, UnitCard,
};

use super::budget::Budget;
use super::curve::{are_over_their_places, curve};
use super::words;
use crate::report::models::number::{along, evenly, finite, grouped, level, tenth};
use crate::report::picture::data_uri;

/// Smallest number of pictures that are drawn over the curve: fewer would be enlarged.
const OVER_CURVE_FROM: usize = 6;

/// Whether there is anything to draw.
pub(super) fn has_cards(scores: &ModelScores) -> bool {
    let targets = scores.shown().map(|shown| &shown.per_target);
    !(scores.unit_cards.is_empty()
        && scores.most.is_empty()
        && scores.least.is_empty()
        && targets.is_none_or(Vec::is_empty))
}

/// The most invariant units.
pub(super) fn units(scores: &ModelScores, budget: Budget) -> Markup {
    html! {
        @if !scores.unit_cards.is_empty() {
            p.how {
                "The most invariant units by the formula. " span.sample-fires {} " The unit fires for the image. "
                span.sample-silent {} " It does not."
            }
            @for card in scores.unit_cards.iter().take(MAX_UNITS) { (unit(card, budget)) }
        }
    }
}

fn unit(card: &UnitCard, budget: Budget) -> Markup {
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
                p { "most invariant for " b { (card.target) } }
                p.how {
                    "fires for " b { (tenth(Some(card.fires_for_target))) "\u{a0}%" } " of the target's images and "
                    (level(Some(card.fires_for_all))) "\u{a0}% of all images"
                }
                @if shown.len() < card.pictures.len() {
                    p.how { "shown: " (shown.len()) " of " (card.pictures.len()) " images" }
                }
                @if card.num_sets > 1 && !shown.is_empty() {
                    p.how { "shown: the set in which it fires most, of " (grouped(card.num_sets)) }
                }
            }
            div.strip style=(style) {
                @if !shown.is_empty() {
                    div class=(shots) { @for picture in &shown { (shot(picture, &card.target)) } }
                }
                @if let Some(unit_curve) = &card.curve {
                    @if num_over.is_none() && !shown.is_empty() { p.how { "The curve has its own axis:" } }
                    (curve(unit_curve, num_over))
                }
            }
        }
    }
}

/// Number of pictures that are drawn over their positions on the curve; none unless all can be.
fn num_over_curve(card: &UnitCard, shown: &[&CardPicture]) -> Option<usize> {
    let along = &card.curve.as_ref()?.along;
    let places: Vec<Option<f64>> = shown.iter().map(|picture| picture.place).collect();
    let is_over = shown.len() >= OVER_CURVE_FROM && are_over_their_places(&places, along);
    is_over.then_some(shown.len())
}

/// A picture: in a thick frame with a dot if the unit fires for it, faint with a ring if not.
fn shot(picture: &CardPicture, target: &str) -> Markup {
    let (class, words) = match picture.fires {
        Some(true) => ("shot fires", ", fires"),
        Some(false) => ("shot silent", ", does not fire"),
        None => ("shot", ""),
    };
    html! {
        figure class=(class) {
            div.picture {
                @match &picture.jpeg {
                    Ok(jpeg) => {
                        img src=(data_uri("image/jpeg", jpeg)) loading="lazy"
                            alt={ (target) " " (picture.caption) (words) };
                    }
                    Err(reason) => p { "cannot be shown: " (reason) },
                }
            }
            @if !picture.caption.is_empty() { figcaption { (picture.caption) } }
        }
    }
}

/// Scores of all targets, and the most and least invariant ones.
pub(super) fn targets(panel: &MeasuredPanel, scores: &ModelScores, budget: Budget) -> Markup {
    let [_, many] = words::targets(panel);
    let per_target = scores.shown().map(|shown| &shown.per_target);
    let per_target = per_target.filter(|targets| !targets.is_empty());
    html! {
        @if let Some(per_target) = per_target {
            p.how { "Scores of all " (many) ", percent:" }
            (strip(per_target.iter().map(|target| target.score)))
        }
        @if !scores.most.is_empty() || !scores.least.is_empty() {
            div.sides {
                (side(&format!("Most invariant {many}"), &scores.most, budget))
                (side(&format!("Least invariant {many}"), &scores.least, budget))
            }
        }
    }
}

/// One stroke per target: darker where there are many.
fn strip(scores: impl Iterator<Item = f64>) -> Markup {
    // Strokes a quarter of a percent apart look like one; the shade shows how many there are.
    let mut counts = [0_usize; 401];
    for score in scores.filter_map(finite) {
        counts[(score.clamp(0.0, 100.0) * 4.0).round() as usize] += 1;
    }
    let most = counts.iter().copied().fold(1, usize::max) as f64;
    let mut shades = [const { String::new() }; 4];
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let shade = (4.0 * *count as f64 / most).ceil() as usize;
        let _ = write!(shades[shade - 1], "M{place} 0V20");
    }
    html! {
        div.strokes {
            svg viewBox="0 0 400 20" preserveAspectRatio="none" aria-hidden="true" {
                @for (shade, path) in shades.iter().enumerate() {
                    @let opacity = format!("stroke-opacity:{:.2}", 0.25 * (shade + 1) as f64);
                    @if !path.is_empty() { path.stroke d=(path) style=(opacity) {} }
                }
            }
            div.axis aria-hidden="true" {
                @for tick in [0, 25, 50, 75, 100] { span style=(format!("left:{tick}%")) { (tick) } }
            }
        }
    }
}

fn side(heading: &str, cards: &[TargetCard], budget: Budget) -> Markup {
    html! {
        div {
            h4 { (heading) }
            @for card in cards.iter().take(MAX_TARGETS) {
                div.target {
                    div.words {
                        b { (card.target) }
                        (bar(card.score))
                    }
                    div.shots {
                        @for picture in evenly(&card.pictures, budget.per_target) { (shot(picture, &card.target)) }
                    }
                }
            }
        }
    }
}

/// A score as a bar and a number.
fn bar(score: f64) -> Markup {
    html! {
        div.bar {
            svg width="100%" height="8" aria-hidden="true" {
                rect.room x="0" y="0" width="100%" height="8" {}
                @if let Some(score) = finite(score) { rect.length x="0" y="0" height="8" width=(along(score)) {} }
            }
            span { (tenth(Some(score))) }
        }
    }
}
