//! Draws the test images that a model recognises best and worst.

use maud::{Markup, html};
use vidpairs_invariance::run::probe::{MAX_CARDS, ProbeCard, ProbeScores, ProbeTable};

use super::words;
use crate::report::picture::data_uri;

pub(super) fn cards(table: &ProbeTable, scores: &ProbeScores) -> Markup {
    let (headings, grid) = match words::is_of_pixels(table) {
        true => (
            [
                "Segmented best: image, prediction, truth",
                "Segmented worst: image, prediction, truth",
            ],
            "images triples",
        ),
        false => (["Recognised best", "Recognised worst"], "images"),
    };
    let [best, worst] = headings;
    html! {
        (row(best, grid, &scores.best))
        (row(worst, grid, &scores.worst))
    }
}

/// - `grid`: class of the grid of pictures.
fn row(heading: &str, grid: &str, cards: &[ProbeCard]) -> Markup {
    html! {
        @if !cards.is_empty() {
            h4 { (heading) }
            @if cards.iter().any(|card| card.jpeg.is_ok()) {
                div class=(grid) { @for card in cards.iter().take(MAX_CARDS) { (drawn(card)) } }
            } @else {
                ul.mistakes {
                    @for card in cards.iter().take(MAX_CARDS) { li { (card.id) ", " b { (shown(card)) } ", answer " (card.answer) } }
                }
            }
        }
    }
}

fn drawn(card: &ProbeCard) -> Markup {
    html! {
        figure.shot title=(card.id) {
            div.picture {
                @match &card.jpeg {
                    Ok(jpeg) => img src=(data_uri("image/jpeg", jpeg)) loading="lazy" alt=(card.class);,
                    Err(_) => p { (card.id) },
                }
            }
            figcaption { b { (shown(card)) } br; (card.answer) }
        }
    }
}

/// Classes that the image shows.
fn shown(card: &ProbeCard) -> &str {
    match card.class.as_str() {
        "" => "no class",
        class => class,
    }
}
