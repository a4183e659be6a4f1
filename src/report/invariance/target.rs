//! The most and the least invariant targets of a model, and where all the others lie.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::MAX_TARGETS;
use super::budget::Budget;
use super::number::{along, evenly, finite, tenth};
use super::unit::shot;
use super::view::{ModelResult, Panel, TargetCard};

pub(super) fn targets(panel: &Panel, result: &ModelResult, budget: Budget) -> Markup {
    let many = panel.target.many();
    html! {
        @if !result.target_scores.is_empty() {
            p.how { "Score of each of the " (many) ", percent:" }
            (strip(&result.target_scores))
        }
        @if !result.most.is_empty() || !result.least.is_empty() {
            div.sides {
                (side(&format!("Most invariant {many}"), &result.most, budget))
                (side(&format!("Least invariant {many}"), &result.least, budget))
            }
        }
    }
}

/// A stroke for each target: where they crowd, they are dark.
fn strip(scores: &[f64]) -> Markup {
    // Strokes a quarter of a percent apart are one on a screen; its darkness says how many they are.
    let mut counts = [0_usize; 401];
    for score in scores.iter().copied().filter_map(finite) {
        // Within the counts, being clamped.
        let place = (score.clamp(0.0, 100.0) * 4.0).round() as usize;
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let mut shades = [const { String::new() }; 4];
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let shade = (4.0 * *count as f64 / most).ceil() as usize;
        if let Some(path) = shades.get_mut(shade.saturating_sub(1)) {
            let _ = write!(path, "M{place} 0V20");
        }
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
                        b { (card.name) }
                        (bar(card.score))
                    }
                    div.shots {
                        @for it in evenly(&card.pictures, budget.per_target) { (shot(it, &card.name)) }
                    }
                }
            }
        }
    }
}

/// The score as a length and a number.
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
