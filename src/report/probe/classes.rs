//! Draws the scores of the classes of a model as bars.

use maud::{Markup, html};
use vidpairs_invariance::run::class_color;
use vidpairs_invariance::run::probe::{ClassScore, ProbeScores, ProbeTable};
use vidpairs_types::readable;

use super::words;
use crate::report::models::number::{UNKNOWN, along, finite, grouped, tenth};

/// Maximum number of classes that are drawn: the best and the worst halves of more.
pub(super) const MAX_CLASSES: usize = 60;

/// A bar for each class, the best first.
pub(super) fn classes(table: &ProbeTable, scores: &ProbeScores) -> Markup {
    let mut ranked: Vec<(usize, &ClassScore)> = scores.per_class.iter().enumerate().collect();
    let score = |class: &ClassScore| class.score.and_then(finite).unwrap_or(-1.0);
    ranked.sort_by(|(_, a), (_, b)| score(b).total_cmp(&score(a)));
    let num_hidden = ranked.len().saturating_sub(MAX_CLASSES);
    if num_hidden > 0 {
        let half = MAX_CLASSES / 2;
        ranked.drain(half..half + num_hidden);
    }
    let word = match table.protocol.metric.as_str() {
        "mAP" => "Average precision",
        "mIoU" => "Intersection over union",
        _ => "Accuracy",
    };
    html! {
        h4 { (word) " of each class" }
        @if num_hidden > 0 {
            p.how { "The best and the worst " (MAX_CLASSES / 2) " of " (grouped(scores.per_class.len())) " classes." }
        }
        div.classes {
            @for (number, class) in ranked { (bar(class, color(table, number))) }
        }
    }
}

/// Colour of a class in the pictures of a segmentation.
fn color(table: &ProbeTable, number: usize) -> Option<[u8; 3]> {
    let number = u8::try_from(number).ok()?;
    words::is_of_pixels(table).then(|| class_color(number))
}

/// - `color`: colour of the class in pictures.
fn bar(class: &ClassScore, color: Option<[u8; 3]>) -> Markup {
    let cost = class.cost.map(|cost| format!(", C {}", readable(cost)));
    let counts = format!(
        "{} train, {} test",
        grouped(class.train_images),
        grouped(class.test_images)
    );
    let title = format!("{}: {counts}{}", class.class, cost.unwrap_or_default());
    html! {
        div.class title=(title) {
            span.of {
                @if let Some([red, green, blue]) = color {
                    span.color style=(format!("background: rgb({red} {green} {blue})")) {} " "
                }
                (class.class)
            }
            svg width="100%" height="10" aria-hidden="true" {
                rect.room x="0" y="0" width="100%" height="10" {}
                @if let Some(score) = class.score.and_then(finite) {
                    rect.length x="0" y="0" height="10" width=(along(score)) {}
                }
            }
            b { @match class.score { Some(score) => (tenth(Some(score))), None => (UNKNOWN) } }
            span.counts { (counts) }
        }
    }
}
