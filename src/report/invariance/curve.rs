//! A unit over the transformation, under the pictures of a set.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::number::{evenly, finite};
use super::view::{Along, Curve, CurveLine, Quantity, Side};

/// The drawing's own units; it is stretched over its box.
const SIDES: (f64, f64) = (1000.0, 100.0);
/// A curve with more places than these is a line without dots.
const MAX_DOTS: usize = 40;
/// Names of places that fit side by side.
const MAX_TICKS: usize = 12;
const FULL_TURN: f64 = 360.0;
/// A picture whose middle is no further from its place than this still stands over it; of its width.
const MAX_SHIFT: f64 = 0.25;

/// What is drawn where: places along the transformation, and values from the bottom to the top.
struct Axes {
    /// At the left end.
    start: f64,
    /// From the left end to the right.
    period: f64,
    bottom: f64,
    top: f64,
}

/// - `num_over`: how many pictures stand each over its place, see [`are_over_their_places`]; the curve is shifted to have
///   them there. `None` where no picture does.
pub(super) fn curve(curve: &Curve, num_over: Option<usize>) -> Markup {
    let Some(axes) = axes(curve, num_over.unwrap_or(usize::MAX)) else {
        return html! {};
    };
    let (class, label) = match curve.quantity {
        Quantity::Share => ("curve", "share that fires"),
        Quantity::Response { .. } => ("curve response", "mean response"),
    };
    html! {
        div class=(class) {
            div.field {
                svg viewBox={ "0 0 " (SIDES.0) " " (SIDES.1) } preserveAspectRatio="none" role="img" aria-label=(label) {
                    (threshold(curve.quantity, &axes))
                    @for height in rules(curve.quantity, &axes) { path.rule d=(format!("M0 {height:.1}H{}", SIDES.0)) {} }
                    @for (index, line) in curve.lines.iter().enumerate().rev() {
                        (drawn(line, &curve.along, &axes, if index == 0 { "first" } else { "other" }))
                    }
                }
                (ends(curve.quantity, &axes))
            }
            (ticks(&curve.along, &axes))
            p.key {
                (label) ": "
                @for (index, line) in curve.lines.iter().enumerate() {
                    span { (sample(if index == 0 { "first" } else { "other" })) " " (line.name) }
                }
                // Where there is no room beside the curve.
                @if let Some(words) = threshold_words(curve.quantity) { span.narrow { (sample("threshold")) " " (words) } }
            }
        }
    }
}

/// Whether pictures at these `places`, side by side over the whole axis, stand over their places: the first at its start,
/// the others evenly after it.
pub(super) fn are_over_their_places(places: &[Option<f64>], along: &Along) -> bool {
    let step = along.period() / places.len().max(1) as f64;
    let is_over = |(index, place): (usize, &Option<f64>)| {
        place.is_some_and(|it| (it - index as f64 * step).abs() <= MAX_SHIFT * step)
    };
    !places.is_empty() && places.iter().enumerate().all(is_over)
}

impl Along {
    /// From the left end of the axis to the right.
    fn period(&self) -> f64 {
        match self {
            Self::Azimuth(_) => FULL_TURN,
            Self::Named(names) => names.len() as f64,
        }
    }
}

fn axes(curve: &Curve, num_pictures: usize) -> Option<Axes> {
    let period = curve.along.period();
    let places = match &curve.along {
        Along::Azimuth(degrees) => degrees.len(),
        Along::Named(names) => names.len(),
    };
    let values = curve
        .lines
        .iter()
        .flat_map(|it| it.values.iter().take(places));
    let values: Vec<f64> = values.copied().flatten().filter_map(finite).collect();
    if values.is_empty() {
        return None;
    }
    let (bottom, top) = match curve.quantity {
        // A line along an end is drawn whole.
        Quantity::Share => (-0.06, 1.06),
        Quantity::Response { threshold, .. } => range(values.into_iter().chain(finite(threshold))),
    };
    let start = -period / (2.0 * num_pictures.clamp(1, places.max(1)) as f64);
    Some(Axes {
        start,
        period,
        bottom,
        top,
    })
}

/// A little wider than the values, so that none lies on the edge.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), it| {
        (low.min(it), high.max(it))
    });
    let margin = match high - low {
        span if span > 0.0 => 0.06 * span,
        _ => 1.0,
    };
    (low - margin, high + margin)
}

impl Axes {
    fn x(&self, place: f64) -> f64 {
        SIDES.0 * (place - self.start) / self.period
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.bottom) / (self.top - self.bottom);
        SIDES.1 * (1.0 - share.clamp(0.0, 1.0))
    }
}

/// Heights of lines to read values off.
fn rules(quantity: Quantity, axes: &Axes) -> Vec<f64> {
    match quantity {
        Quantity::Share => [0.0, 0.5, 1.0].map(|it| axes.y(it)).into(),
        Quantity::Response { .. } => vec![0.0, SIDES.1],
    }
}

/// The line, and a shade on the side that fires.
fn threshold(quantity: Quantity, axes: &Axes) -> Markup {
    let Quantity::Response { threshold, fires } = quantity else {
        return html! {};
    };
    let Some(y) = finite(threshold).map(|it| axes.y(it)) else {
        return html! {};
    };
    let (top, height) = match fires {
        Side::Above => (0.0, y),
        Side::Below => (y, SIDES.1 - y),
    };
    html! {
        rect.firing x="0" width=(SIDES.0) y=(format!("{top:.1}")) height=(format!("{height:.1}")) {}
        path.threshold d=(format!("M0 {y:.1}H{}", SIDES.0)) {}
    }
}

fn drawn(line: &CurveLine, along: &Along, axes: &Axes, class: &str) -> Markup {
    let points = points(line, along);
    let num_known = line.values.iter().flatten().count();
    html! {
        path class={ "curve " (class) } d=(path_of(&points, axes)) {}
        @if class == "first" && num_known <= MAX_DOTS { path.dots d=(dots_of(&points, axes)) {} }
    }
}

/// Places and values from the left to the right; a turn goes on at both ends. `None` breaks the line.
fn points(line: &CurveLine, along: &Along) -> Vec<Option<(f64, f64)>> {
    let value = |index: usize| line.values.get(index).copied().flatten().and_then(finite);
    match along {
        Along::Named(names) => (0..names.len())
            .map(|it| Some((it as f64, value(it)?)))
            .collect(),
        Along::Azimuth(degrees) => {
            let known = degrees.iter().enumerate().filter(|(_, it)| it.is_finite());
            let mut turn: Vec<(f64, Option<f64>)> = known
                .map(|(index, it)| (it.rem_euclid(FULL_TURN), value(index)))
                .collect();
            turn.sort_by(|a, b| a.0.total_cmp(&b.0));
            // Half a turn more on both sides: what lies outside the drawing is cut.
            let turns = [-FULL_TURN, 0.0, FULL_TURN].into_iter();
            let all =
                turns.flat_map(|by| turn.iter().map(move |(place, value)| (place + by, *value)));
            let all = all.filter(|(place, _)| (-0.5 * FULL_TURN..=1.5 * FULL_TURN).contains(place));
            all.map(|(place, value)| Some((place, value?))).collect()
        }
    }
}

fn path_of(points: &[Option<(f64, f64)>], axes: &Axes) -> String {
    let (mut path, mut is_joined) = (String::new(), false);
    for point in points {
        if let Some((place, value)) = *point {
            let letter = if is_joined { 'L' } else { 'M' };
            let _ = write!(path, "{letter}{:.1} {:.1}", axes.x(place), axes.y(value));
        }
        is_joined = point.is_some();
    }
    path
}

fn dots_of(points: &[Option<(f64, f64)>], axes: &Axes) -> String {
    let dots = points.iter().flatten();
    dots.map(|(place, value)| format!("M{:.1} {:.1}h0", axes.x(*place), axes.y(*value)))
        .collect()
}

/// Numbers at the ends of the upright axis, and at the threshold.
fn ends(quantity: Quantity, axes: &Axes) -> Markup {
    match quantity {
        Quantity::Share => html! {
            @for (share, name) in [(1.0, "100 %"), (0.5, "50 %"), (0.0, "0")] {
                span.end style=(format!("top:{:.1}%", axes.y(share))) { (name) }
            }
        },
        Quantity::Response { threshold, .. } => html! {
            @if let Some(words) = threshold_words(quantity) {
                span.end style=(format!("top:{:.1}%", axes.y(threshold))) { (words) }
            }
        },
    }
}

/// `fires above 1.55`.
fn threshold_words(quantity: Quantity) -> Option<String> {
    match quantity {
        Quantity::Share => None,
        Quantity::Response { threshold, fires } => {
            let side = match fires {
                Side::Above => "above",
                Side::Below => "below",
            };
            Some(format!("fires {side} {}", short(finite(threshold)?)))
        }
    }
}

/// Three digits that say something.
fn short(value: f64) -> String {
    match value.abs() {
        it if it >= 1000.0 || (it > 0.0 && it < 0.001) => format!("{value:.1e}"),
        it if it >= 100.0 => format!("{value:.0}"),
        it if it >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn ticks(along: &Along, axes: &Axes) -> Markup {
    let named: Vec<(f64, String)> = match along {
        Along::Azimuth(_) => [0, 45, 90, 135, 180, 225, 270, 315]
            .map(|it| (f64::from(it), format!("{it}°")))
            .into(),
        Along::Named(names) => names
            .iter()
            .enumerate()
            .map(|(index, it)| (index as f64, it.clone()))
            .collect(),
    };
    html! {
        div.ticks aria-hidden="true" {
            @for (place, name) in evenly(&named, MAX_TICKS) {
                span style=(format!("left:{:.2}%", 100.0 * axes.x(*place) / SIDES.0)) { (name) }
            }
        }
    }
}

/// A short line as it looks in the curve.
fn sample(class: &str) -> Markup {
    html! {
        svg.stroke viewBox="0 0 28 8" aria-hidden="true" { path class={ "curve " (class) } d="M0 4H28" {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[f64]) -> CurveLine {
        CurveLine {
            name: "it".to_owned(),
            values: values.iter().map(|it| Some(*it)).collect(),
        }
    }

    fn share(along: Along, values: &[f64]) -> Curve {
        Curve {
            along,
            quantity: Quantity::Share,
            lines: vec![line(values)],
        }
    }

    #[test]
    fn each_picture_stands_over_its_place() {
        let turn = share(
            Along::Azimuth((0..72).map(|it| f64::from(5 * it)).collect()),
            &[0.5; 72],
        );
        // The third of twelve pictures, at 60 degrees, has its middle at 2.5 twelfths.
        assert!((axes(&turn, 12).unwrap().x(60.0) - 2.5 / 12.0 * SIDES.0).abs() < 1e-9);
        let lights = share(Along::Named(vec!["l1".to_owned(); 8]), &[0.5; 8]);
        assert!((axes(&lights, 8).unwrap().x(7.0) - 7.5 / 8.0 * SIDES.0).abs() < 1e-9);
    }

    #[test]
    fn only_pictures_spread_evenly_over_the_whole_axis_stand_over_their_places() {
        let turn = Along::Azimuth(vec![0.0, 90.0, 180.0, 270.0]);
        let is_over = |places: &[f64]| {
            let places: Vec<Option<f64>> = places.iter().copied().map(Some).collect();
            are_over_their_places(&places, &turn)
        };
        assert!(is_over(&[0.0, 60.0, 120.0, 185.0, 240.0, 300.0]));
        assert!(
            !is_over(&[0.0, 30.0, 60.0, 90.0, 120.0, 150.0]),
            "half a turn"
        );
        assert!(
            !is_over(&[0.0, 0.0, 120.0, 180.0, 240.0, 300.0]),
            "one twice"
        );
        assert!(!are_over_their_places(&[None; 6], &turn));
        assert!(!is_over(&[]));
    }

    #[test]
    fn a_turn_closes_whatever_the_order_of_its_places() {
        let points = points(
            &line(&[0.9, 0.1, 0.5]),
            &Along::Azimuth(vec![240.0, 0.0, 120.0]),
        );
        let expected = [
            (-120.0, 0.9),
            (0.0, 0.1),
            (120.0, 0.5),
            (240.0, 0.9),
            (360.0, 0.1),
            (480.0, 0.5),
        ];
        assert_eq!(points, expected.map(Some));
    }

    #[test]
    fn a_line_is_broken_where_nothing_is_known() {
        let names = Along::Named(vec![String::new(); 4]);
        let mut curve = share(names, &[0.0, 1.0, f64::NAN, 1.0]);
        let axes = axes(&curve, 4).unwrap();
        assert_eq!(
            path_of(&points(&curve.lines[0], &curve.along), &axes),
            "M125.0 94.6L375.0 5.4M875.0 5.4"
        );
        curve.lines[0].values = vec![None; 4];
        assert!(super::axes(&curve, 4).is_none(), "there is nothing to draw");
    }

    #[test]
    fn the_side_that_fires_is_shaded() {
        let quantity = |fires| Quantity::Response {
            threshold: 2.0,
            fires,
        };
        let axes = Axes {
            start: 0.0,
            period: 1.0,
            bottom: 0.0,
            top: 4.0,
        };
        let html = |fires| threshold(quantity(fires), &axes).into_string();
        assert!(html(Side::Above).contains("y=\"0.0\" height=\"50.0\""));
        assert!(html(Side::Below).contains("y=\"50.0\" height=\"50.0\""));
    }

    #[test]
    fn a_response_that_never_changes_has_an_axis_too() {
        let (bottom, top) = range([3.0, 3.0].into_iter());
        assert!(bottom < 3.0 && top > 3.0);
    }
}
