//! Draws the comparison of two models, one point per target.

use maud::{Markup, html};
use vidpairs_invariance::run::{
    Figure, InvarianceSummary, MeasuredPair, MeasuredPanel, ModelScores, TargetScore,
};

use super::label::{FIELD, HIGHER, LEFT, Place, TOP, cut, labels};
use super::mark::{key, mark_at};
use super::number::{counted, ends, finite, grouped, known, signed, tenth, whole};
use super::panel::whisker;
use super::words;

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

/// States a difference and whether it is significant.
fn sentence(score: &str, difference: Figure, [a, b]: [&str; 2]) -> String {
    let Some(value) = known(difference) else {
        return format!("{score}: the difference is unknown.");
    };
    let by = tenth(Some(value.abs()));
    let than = match value {
        _ if by == "0.0" => format!("{b} and {a} are equal"),
        value if value > 0.0 => format!("{b} is {by} percentage points higher than {a}"),
        _ => format!("{b} is {by} percentage points lower than {a}"),
    };
    match ends(difference.interval) {
        Some([low, high]) => {
            let (low_text, high_text) = (signed(Some(low)), signed(Some(high)));
            let verdict = match low <= 0.0 && high >= 0.0 {
                true => "; it contains 0, so the difference is not significant",
                false => "",
            };
            format!(
                "{score}: {than} (95\u{a0}% confidence interval {low_text} to {high_text}{verdict})."
            )
        }
        None => format!("{score}: {than}."),
    }
}

/// Draws a difference on its own axis, with 0 in the middle.
fn difference_strip(name: &str, model_index: usize, difference: Figure) -> Markup {
    let Some(value) = known(difference) else {
        return html! {};
    };
    let ends = ends(difference.interval);
    let widest = ends
        .into_iter()
        .flatten()
        .chain([value])
        .map(f64::abs)
        .fold(0.0, f64::max);
    let reach = reach(widest);
    let x = |points: f64| format!("{:.2}%", 50.0 + 50.0 * points / reach);
    html! {
        div.difference {
            p.how { "Difference in " (name) ", percentage points" }
            div.track {
                svg.row width="100%" height="28" aria-hidden="true" {
                    @for tick in ["0%", "25%", "75%", "100%"] { line.rule x1=(tick) x2=(tick) y1="0" y2="28" {} }
                    line.level x1="50%" x2="50%" y1="0" y2="28" {}
                    @if let Some(ends) = ends { (whisker(ends.map(x), 14)) }
                    (mark_at(model_index, &x(value), "14"))
                }
            }
            div.axis aria-hidden="true" {
                @for (left, share) in [(0, -1.0), (25, -0.5), (50, 0.0), (75, 0.5), (100, 1.0)] {
                    span style=(format!("left:{left}%")) { (whole(&signed(Some(share * reach)))) }
                }
            }
        }
    }
}

/// End of the axis of a difference: a round number of at least 1.
fn reach(widest: f64) -> f64 {
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0];
    steps
        .into_iter()
        .find(|step| *step >= widest)
        .unwrap_or(200.0)
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

    fn figure(value: f64, low: f64, high: f64) -> Figure {
        Figure {
            value,
            interval: Some([low, high]),
        }
    }

    #[test]
    fn a_difference_whose_interval_contains_0_is_not_called_significant() {
        let names = ["A", "B"];
        assert_eq!(
            sentence("Score", figure(3.2, 2.1, 4.3), names),
            "Score: B is 3.2 percentage points higher than A (95\u{a0}% confidence interval +2.1 to +4.3)."
        );
        assert!(
            sentence("Score", figure(-0.5, -1.5, 0.4), names)
                .contains("0.5 percentage points lower than A")
        );
        assert!(sentence("Score", figure(-0.5, -1.5, 0.4), names).contains("not significant"));
        assert!(sentence("Score", figure(f64::NAN, 0.0, 1.0), names).contains("unknown"));
    }

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
