//! Draws the comparison of two models, one point per target.

use maud::{Markup, html};
use vidpairs_invariance::run::{
    InvarianceSummary, MeasuredPair, MeasuredPanel, ModelScores, TargetScore,
};

use super::label::{FIELD, HIGHER, LEFT, Place, TOP, cut, labels};
use super::words;
use crate::report::models::difference::{difference_strip, sentence};
use crate::report::models::mark::key;
use crate::report::models::number::{counted, finite, grouped, tenth};

const SIZE: (f64, f64) = (392.0, 384.0);
/// Maximum number of points with tooltips.
const MAX_TITLES: usize = 300;

pub(super) fn paired(
    summary: &InvarianceSummary,
    panel: &MeasuredPanel,
    pair: &MeasuredPair,
) -> Markup {
    let [a, b] = [pair.a, pair.b].map(|model| summary.models[model].name.as_str());
    let places = places(panel, pair);
    html! {
        article.paired {
            div.heading {
                h3 { (key(pair.b)) "\u{a0}" (b) " compared with " (key(pair.a)) "\u{a0}" (a) }
            }
            div.beside {
                @if !places.is_empty() { (plot(&places, [a, b])) }
                div.words {
                    (in_words(panel, pair, &places, [a, b], &words::shown_score(summary)))
                    (difference_strip("score", pair.b, pair.difference))
                    @if let Some(difference) = pair.retrieval_difference {
                        (difference_strip("retrieval accuracy", pair.b, difference))
                    }
                }
            }
        }
    }
}

/// The targets with their scores under both models.
fn places<'a>(panel: &'a MeasuredPanel, pair: &MeasuredPair) -> Vec<Place<'a>> {
    let targets = |model: usize| -> &'a [TargetScore] {
        let scores = panel.models[model].as_ref().and_then(ModelScores::shown);
        scores.map_or(&[], |shown| &shown.per_target)
    };
    let both = targets(pair.a).iter().zip(targets(pair.b));
    both.filter_map(|(a, b)| {
        Some(Place {
            name: &a.target,
            a: finite(a.score)?,
            b: finite(b.score)?,
        })
    })
    .collect()
}

fn in_words(
    panel: &MeasuredPanel,
    pair: &MeasuredPair,
    places: &[Place<'_>],
    [a, b]: [&str; 2],
    score: &str,
) -> Markup {
    let higher = places.iter().filter(|place| place.b > place.a).count();
    let lower = places.iter().filter(|place| place.b < place.a).count();
    let [one, many] = words::targets(panel);
    html! {
        p { (sentence(score, pair.difference, [a, b])) }
        @if let Some(difference) = pair.retrieval_difference { p { (sentence("Retrieval accuracy", difference, [a, b])) } }
        @if !places.is_empty() {
            p.how {
                "The score is higher with " (b) " for " (grouped(higher)) ", lower for " (grouped(lower))
                " of " (counted(places.len(), one, many)) "."
            }
        }
    }
}

/// Ends of both axes: multiples of ten, at least twenty apart.
fn domain(places: &[Place<'_>]) -> (f64, f64) {
    let values = places.iter().flat_map(|place| [place.a, place.b]);
    let (low, high) = values.fold((100.0_f64, 0.0_f64), |(low, high), score| {
        (low.min(score), high.max(score))
    });
    let low = ((low / 10.0).floor() * 10.0).clamp(0.0, 80.0);
    let high = ((high / 10.0).ceil() * 10.0).clamp(low + 20.0, 100.0);
    (low, high)
}

fn plot(places: &[Place<'_>], [a, b]: [&str; 2]) -> Markup {
    let (low, high) = domain(places);
    let x = |score: f64| LEFT + FIELD * ((score - low) / (high - low)).clamp(0.0, 1.0);
    let y = |score: f64| TOP + FIELD - FIELD * ((score - low) / (high - low)).clamp(0.0, 1.0);
    let view_box = format!("0 0 {} {}", SIZE.0, SIZE.1);
    let turned = format!("rotate(-90 14 {})", TOP + FIELD / 2.0);
    let is_titled = places.len() <= MAX_TITLES;
    let (bottom, right) = (TOP + FIELD, LEFT + FIELD);
    let labels = labels(places, x, y);
    html! {
        svg.scatter viewBox=(view_box) role="img" aria-label={ "Scores of " (b) " over scores of " (a) } {
            polygon.above points=(format!("{LEFT},{bottom} {LEFT},{TOP} {right},{TOP}")) {}
            @for tick in ticks(low, high) {
                line.rule x1=(x(tick)) x2=(x(tick)) y1=(TOP) y2=(bottom) {}
                line.rule x1=(LEFT) x2=(right) y1=(y(tick)) y2=(y(tick)) {}
                text x=(x(tick)) y=(bottom + 16.0) text-anchor="middle" { (tick) }
                text x=(LEFT - 7.0) y=(y(tick) + 4.0) text-anchor="end" { (tick) }
            }
            line.diagonal x1=(LEFT) y1=(bottom) x2=(right) y2=(TOP) {}
            g.points {
                @for place in places {
                    circle cx=(format!("{:.1}", x(place.a))) cy=(format!("{:.1}", y(place.b))) r="3.6" {
                        @if is_titled { title { (place.name) ": " (tenth(Some(place.a))) ", " (tenth(Some(place.b))) } }
                    }
                }
            }
            @for label in &labels {
                circle.named cx=(format!("{:.1}", label.point.0)) cy=(format!("{:.1}", label.point.1)) r="4.6" {}
            }
            text.side x=(LEFT + 8.0) y=(TOP + 17.0) { (HIGHER) (cut(b)) }
            text.side x=(right - 8.0) y=(bottom - 9.0) text-anchor="end" { (HIGHER) (cut(a)) }
            @for label in &labels {
                text.name x=(format!("{:.1}", label.x)) y=(format!("{:.1}", label.y)) text-anchor=(label.anchor) {
                    (cut(label.name))
                }
            }
            text x=(LEFT + FIELD / 2.0) y=(SIZE.1 - 8.0) text-anchor="middle" { "score of " (cut(a)) ", %" }
            text x="14" y=(TOP + FIELD / 2.0) text-anchor="middle" transform=(turned) { "score of " (cut(b)) ", %" }
        }
    }
}

fn ticks(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let step = if high - low > 50.0 { 20.0 } else { 10.0 };
    let first = (low / step).ceil();
    (0..=10)
        .map(move |index| (first + f64::from(index)) * step)
        .take_while(move |tick| *tick <= high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_axes_have_the_same_ends_around_all_points() {
        let place = |a, b| Place { name: "", a, b };
        assert_eq!(
            domain(&[place(23.0, 31.0), place(44.9, 58.0)]),
            (20.0, 60.0)
        );
        assert_eq!(domain(&[place(99.0, 100.0)]), (80.0, 100.0));
        assert_eq!(
            ticks(20.0, 100.0).collect::<Vec<_>>(),
            [20.0, 40.0, 60.0, 80.0, 100.0]
        );
    }
}
