//! Two models against each other: a point for each target.

use maud::{Markup, html};

use super::mark::{key, mark_at};
use super::number::{UNKNOWN, counted, finite, grouped, signed, tenth, whole};
use super::panel::whisker;
use super::view::{Estimate, InvariancePage, PairedPoint, PairedScores, Panel};

/// Side of the field, and where its corner lies, px.
const FIELD: f64 = 330.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 10.0;
const SIZE: (f64, f64) = (392.0, 384.0);
/// Targets that are named in the plot, at each side of the diagonal.
const NAMED: usize = 2;
/// Letters of a name that have room beside its point.
const LETTERS: usize = 18;
/// Points with names of their own when pointed at.
const MAX_TITLES: usize = 300;

/// A point that can be drawn.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    a: f64,
    b: f64,
}

pub(super) fn paired(page: &InvariancePage, panel: &Panel, pair: &PairedScores) -> Markup {
    let name = |index: usize| {
        page.models
            .get(index)
            .map_or(UNKNOWN, |it| it.name.as_str())
    };
    let (a, b) = (name(pair.a), name(pair.b));
    let places = places(&pair.points);
    html! {
        article.paired {
            div.heading {
                h3 { (key(pair.b)) " " (b) " against " (key(pair.a)) " " (a) }
            }
            div.beside {
                @if !places.is_empty() { (plot(&places, [a, b])) }
                div.words {
                    (in_words(panel, pair, &places, [a, b], &page.shown.words()))
                    (difference_strip("score", pair.b, pair.difference))
                    @if let Some(it) = pair.retrieval_difference { (difference_strip("retrieval", pair.b, it)) }
                }
            }
        }
    }
}

fn places(points: &[PairedPoint]) -> Vec<Place<'_>> {
    let known = points.iter().filter_map(|it| {
        Some(Place {
            name: &it.name,
            a: finite(it.a)?,
            b: finite(it.b)?,
        })
    });
    known.collect()
}

fn in_words(
    panel: &Panel,
    pair: &PairedScores,
    places: &[Place<'_>],
    [a, b]: [&str; 2],
    kind: &str,
) -> Markup {
    let higher = places.iter().filter(|it| it.b > it.a).count();
    let lower = places.iter().filter(|it| it.b < it.a).count();
    let (one, many) = (panel.target.one(), panel.target.many());
    html! {
        p { (sentence(kind, pair.difference, [a, b])) }
        @if let Some(it) = pair.retrieval_difference { p { (sentence("Retrieval", it, [a, b])) } }
        @if !places.is_empty() {
            p.how {
                "The score is higher under " (b) " for " (grouped(higher)) ", lower for " (grouped(lower))
                " of " (counted(places.len(), one, many)) "."
            }
        }
    }
}

/// What a difference says, and whether chance could have made it.
fn sentence(kind: &str, difference: Estimate, [a, b]: [&str; 2]) -> String {
    let Some(value) = difference.known() else {
        return format!("{kind}: the difference is not known.");
    };
    let by = tenth(Some(value.abs()));
    let than = match value {
        _ if by == "0.0" => format!("{b} and {a} are equal"),
        it if it > 0.0 => format!("{b} is {by} points higher than {a}"),
        _ => format!("{b} is {by} points lower than {a}"),
    };
    match difference.ends() {
        Some([low, high]) => {
            let (low_text, high_text) = (signed(Some(low)), signed(Some(high)));
            let verdict = match low <= 0.0 && high >= 0.0 {
                true => "; it holds 0, so these targets do not tell the two apart",
                false => "",
            };
            format!("{kind}: {than} (95 % interval {low_text} to {high_text}{verdict}).")
        }
        None => format!("{kind}: {than}."),
    }
}

/// The difference on an axis of its own, with 0 in the middle.
fn difference_strip(name: &str, model_index: usize, difference: Estimate) -> Markup {
    let Some(value) = difference.known() else {
        return html! {};
    };
    let ends = difference.ends();
    let widest = ends
        .into_iter()
        .flatten()
        .chain([value])
        .map(f64::abs)
        .fold(0.0, f64::max);
    let reach = reach(widest);
    let x = |it: f64| format!("{:.2}%", 50.0 + 50.0 * it / reach);
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
                    span style=(format!("left:{left}%")) { (whole(signed(Some(share * reach)))) }
                }
            }
        }
    }
}

/// The end of an axis: a round number, no less than 1.
fn reach(widest: f64) -> f64 {
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0];
    steps.into_iter().find(|it| *it >= widest).unwrap_or(200.0)
}

/// Both axes from and to the same tens, at least twenty apart.
fn domain(places: &[Place<'_>]) -> (f64, f64) {
    let values = places.iter().flat_map(|it| [it.a, it.b]);
    let (low, high) = values.fold((100.0_f64, 0.0_f64), |(low, high), it| {
        (low.min(it), high.max(it))
    });
    let low = ((low / 10.0).floor() * 10.0).clamp(0.0, 80.0);
    let high = ((high / 10.0).ceil() * 10.0).clamp(low + 20.0, 100.0);
    (low, high)
}

fn plot(places: &[Place<'_>], [a, b]: [&str; 2]) -> Markup {
    let (low, high) = domain(places);
    let x = |it: f64| LEFT + FIELD * ((it - low) / (high - low)).clamp(0.0, 1.0);
    let y = |it: f64| TOP + FIELD - FIELD * ((it - low) / (high - low)).clamp(0.0, 1.0);
    let view_box = format!("0 0 {} {}", SIZE.0, SIZE.1);
    let turned = format!("rotate(-90 14 {})", TOP + FIELD / 2.0);
    let is_titled = places.len() <= MAX_TITLES;
    let (bottom, right) = (TOP + FIELD, LEFT + FIELD);
    let labels = labels(places, x, y);
    html! {
        svg.scatter viewBox=(view_box) role="img" aria-label={ "Scores under " (b) " over scores under " (a) } {
            polygon.above points=(format!("{LEFT},{bottom} {LEFT},{TOP} {right},{TOP}")) {}
            @for tick in ticks(low, high) {
                line.rule x1=(x(tick)) x2=(x(tick)) y1=(TOP) y2=(bottom) {}
                line.rule x1=(LEFT) x2=(right) y1=(y(tick)) y2=(y(tick)) {}
                text x=(x(tick)) y=(bottom + 16.0) text-anchor="middle" { (tick) }
                text x=(LEFT - 7.0) y=(y(tick) + 4.0) text-anchor="end" { (tick) }
            }
            line.diagonal x1=(LEFT) y1=(bottom) x2=(right) y2=(TOP) {}
            g.points {
                @for it in places {
                    circle cx=(format!("{:.1}", x(it.a))) cy=(format!("{:.1}", y(it.b))) r="3.6" {
                        @if is_titled { title { (it.name) ": " (tenth(Some(it.a))) ", " (tenth(Some(it.b))) } }
                    }
                }
            }
            @for label in &labels {
                circle.named cx=(format!("{:.1}", label.point.0)) cy=(format!("{:.1}", label.point.1)) r="4.6" {}
            }
            text.side x=(LEFT + 8.0) y=(TOP + 17.0) { "higher under " (cut(b)) }
            text.side x=(right - 8.0) y=(bottom - 9.0) text-anchor="end" { "higher under " (cut(a)) }
            @for label in &labels {
                text.name x=(format!("{:.1}", label.x)) y=(format!("{:.1}", label.y)) text-anchor=(label.anchor) {
                    (cut(label.name))
                }
            }
            text x=(LEFT + FIELD / 2.0) y=(SIZE.1 - 8.0) text-anchor="middle" { "score under " (cut(a)) ", %" }
            text x="14" y=(TOP + FIELD / 2.0) text-anchor="middle" transform=(turned) { "score under " (cut(b)) ", %" }
        }
    }
}

fn ticks(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let step = if high - low > 50.0 { 20.0 } else { 10.0 };
    let first = (low / step).ceil();
    (0..=10)
        .map(move |it| (first + f64::from(it)) * step)
        .take_while(move |it| *it <= high)
}

/// A name and where it stands.
struct Label<'a> {
    name: &'a str,
    point: (f64, f64),
    x: f64,
    y: f64,
    anchor: &'static str,
}

/// Names of the targets that differ most; one that would lie on another is left out.
fn labels<'a>(
    places: &[Place<'a>],
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Vec<Label<'a>> {
    let mut ranked: Vec<&Place<'_>> = places.iter().collect();
    ranked.sort_by(|p, q| (p.b - p.a).total_cmp(&(q.b - q.a)));
    let lowest = ranked.iter().take(NAMED).filter(|it| it.b < it.a);
    let highest = ranked.iter().rev().take(NAMED).filter(|it| it.b > it.a);
    let mut labels: Vec<Label<'_>> = Vec::new();
    for place in highest.chain(lowest) {
        let (px, py) = (x(place.a), y(place.b));
        let is_right = px < LEFT + FIELD / 2.0;
        let (x, anchor) = if is_right {
            (px + 7.0, "start")
        } else {
            (px - 7.0, "end")
        };
        // Below the corner's words and above those at the bottom.
        let y = (py + 4.0).clamp(TOP + 34.0, TOP + FIELD - 26.0);
        let is_free = labels
            .iter()
            .all(|it| (it.y - y).abs() >= 15.0 || it.anchor != anchor && (it.x - x).abs() > 260.0);
        if is_free && (py + 4.0 - y).abs() < 1.0 {
            labels.push(Label {
                name: place.name,
                point: (px, py),
                x,
                y,
                anchor,
            });
        }
    }
    labels
}

/// A name that has room, or its beginning.
fn cut(name: &str) -> String {
    match name.chars().count() {
        it if it <= LETTERS => name.to_owned(),
        _ => name.chars().take(LETTERS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate {
            value,
            interval: Some([low, high]),
        }
    }

    #[test]
    fn a_difference_whose_interval_holds_nothing_is_called_no_difference() {
        let names = ["A", "B"];
        assert_eq!(
            sentence("Score", estimate(3.2, 2.1, 4.3), names),
            "Score: B is 3.2 points higher than A (95 % interval +2.1 to +4.3)."
        );
        assert!(
            sentence("Score", estimate(-0.5, -1.5, 0.4), names).contains("0.5 points lower than A")
        );
        assert!(
            sentence("Score", estimate(-0.5, -1.5, 0.4), names)
                .contains("do not tell the two apart")
        );
        assert!(sentence("Score", estimate(f64::NAN, 0.0, 1.0), names).contains("not known"));
    }

    #[test]
    fn both_axes_have_the_same_ends_around_all_points() {
        let places = [
            Place {
                name: "",
                a: 23.0,
                b: 31.0,
            },
            Place {
                name: "",
                a: 44.9,
                b: 58.0,
            },
        ];
        assert_eq!(domain(&places), (20.0, 60.0));
        assert_eq!(
            domain(&[Place {
                name: "",
                a: 99.0,
                b: 100.0
            }]),
            (80.0, 100.0)
        );
        assert_eq!(
            ticks(20.0, 100.0).collect::<Vec<_>>(),
            [20.0, 40.0, 60.0, 80.0, 100.0]
        );
    }

    #[test]
    fn names_do_not_lie_on_each_other() {
        let crowd: Vec<Place<'_>> = (0..50)
            .map(|it| Place {
                name: "same",
                a: 40.0,
                b: 60.0 + 0.1 * f64::from(it),
            })
            .collect();
        assert_eq!(
            labels(&crowd, |it| it * 3.0, |it| 300.0 - it * 3.0).len(),
            1
        );
    }
}
