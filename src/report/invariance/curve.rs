//! Draws the response of a unit along the transformation, under the pictures of a set.

use std::fmt::Write as _;

use maud::{Markup, html};
use vidpairs_invariance::run::{Along, CurveLine, UnitCurve};

use crate::report::models::number::{evenly, finite};

/// Width and height of the drawing in its own units; it is stretched over its box.
const SIDES: (f64, f64) = (1000.0, 100.0);
/// Maximum number of positions of a curve with dots.
const MAX_DOTS: usize = 40;
/// Maximum number of tick labels.
const MAX_TICKS: usize = 12;
const FULL_TURN: f64 = 360.0;
/// Maximum distance between the middle of a picture and its position, in widths of a picture.
const MAX_SHIFT: f64 = 0.25;

/// Axes: positions along the transformation, and values.
struct Axes {
    /// Position at the left end.
    start: f64,
    /// Distance from the left end to the right.
    period: f64,
    bottom: f64,
    top: f64,
}

/// Draws a curve; nothing if no value is known.
///
/// - `num_over`: number of pictures over the curve, see [`are_over_their_places`]; the axis is shifted so that each is over its position.
///   `None` if the pictures are drawn elsewhere.
pub(super) fn curve(curve: &UnitCurve, num_over: Option<usize>) -> Markup {
    let Some(axes) = axes(curve, num_over.unwrap_or(usize::MAX)) else {
        return html! {};
    };
    let words = finite(curve.threshold).map(|threshold| {
        let side = if curve.fires_above { "above" } else { "below" };
        format!("fires {side} {}", short(threshold))
    });
    html! {
        div.curve {
            div.field {
                svg viewBox={ "0 0 " (SIDES.0) " " (SIDES.1) } preserveAspectRatio="none" role="img" aria-label="mean response" {
                    (threshold(curve, &axes))
                    @for height in [0.0, SIDES.1] { path.rule d=(format!("M0 {height:.1}H{}", SIDES.0)) {} }
                    @for (index, line) in curve.lines.iter().enumerate().rev() {
                        (drawn(line, &curve.along, &axes, class_of(index)))
                    }
                }
                @if let Some(words) = &words {
                    span.end style=(format!("top:{:.1}%", axes.y(curve.threshold))) { (words) }
                }
            }
            (ticks(&curve.along, &axes))
            p.key {
                "mean response: "
                @for (index, line) in curve.lines.iter().enumerate() {
                    span { (sample(class_of(index))) " " (line.name) }
                }
                // On narrow screens there is no room beside the curve.
                @if let Some(words) = &words { span.narrow { (sample("threshold")) " " (words) } }
            }
        }
    }
}

fn class_of(line_index: usize) -> &'static str {
    if line_index == 0 { "first" } else { "other" }
}

/// Whether pictures at these `places`, side by side over the whole axis, are drawn over their positions: the first at the start of the axis,
/// the others evenly after it.
pub(super) fn are_over_their_places(places: &[Option<f64>], along: &Along) -> bool {
    let step = period(along) / places.len().max(1) as f64;
    let is_over = |(index, place): (usize, &Option<f64>)| {
        place.is_some_and(|place| (place - index as f64 * step).abs() <= MAX_SHIFT * step)
    };
    !places.is_empty() && places.iter().enumerate().all(is_over)
}

/// Distance from the left end of the axis to the right.
fn period(along: &Along) -> f64 {
    match along {
        Along::Azimuth(_) => FULL_TURN,
        Along::Named(names) => names.len() as f64,
    }
}

fn axes(curve: &UnitCurve, num_pictures: usize) -> Option<Axes> {
    let period = period(&curve.along);
    let num_places = match &curve.along {
        Along::Azimuth(degrees) => degrees.len(),
        Along::Named(names) => names.len(),
    };
    let lines = curve.lines.iter();
    let values = lines.flat_map(|line| line.values.iter().take(num_places));
    let values: Vec<f64> = values.copied().flatten().filter_map(finite).collect();
    if values.is_empty() {
        return None;
    }
    let (bottom, top) = range(values.into_iter().chain(finite(curve.threshold)));
    Some(Axes {
        start: -period / (2.0 * num_pictures.clamp(1, num_places.max(1)) as f64),
        period,
        bottom,
        top,
    })
}

/// The range of the values and a margin, so that none lies on the edge.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
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

/// The threshold, and a shade on the side where the unit fires.
fn threshold(curve: &UnitCurve, axes: &Axes) -> Markup {
    let Some(y) = finite(curve.threshold).map(|threshold| axes.y(threshold)) else {
        return html! {};
    };
    let (top, height) = match curve.fires_above {
        true => (0.0, y),
        false => (y, SIDES.1 - y),
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

/// Positions and values from left to right, continued beyond both ends of a full turn. `None` breaks the line.
fn points(line: &CurveLine, along: &Along) -> Vec<Option<(f64, f64)>> {
    let value = |index: usize| line.values.get(index).copied().flatten().and_then(finite);
    match along {
        Along::Named(names) => (0..names.len())
            .map(|index| Some((index as f64, value(index)?)))
            .collect(),
        Along::Azimuth(degrees) => {
            let known = degrees.iter().enumerate();
            let known = known.filter(|(_, degrees)| degrees.is_finite());
            let mut turn: Vec<(f64, Option<f64>)> = known
                .map(|(index, degrees)| (degrees.rem_euclid(FULL_TURN), value(index)))
                .collect();
            turn.sort_by(|a, b| a.0.total_cmp(&b.0));
            // Half a turn more on both sides; the drawing clips what lies outside.
            let mut points = Vec::new();
            for shift in [-FULL_TURN, 0.0, FULL_TURN] {
                for (place, value) in &turn {
                    let place = place + shift;
                    if (-0.5 * FULL_TURN..=1.5 * FULL_TURN).contains(&place) {
                        points.push(value.map(|value| (place, value)));
                    }
                }
            }
            points
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

/// Three significant digits.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 || (size > 0.0 && size < 0.001) => format!("{value:.1e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn ticks(along: &Along, axes: &Axes) -> Markup {
    let named: Vec<(f64, String)> = match along {
        Along::Azimuth(_) => [0, 45, 90, 135, 180, 225, 270, 315]
            .map(|degrees| (f64::from(degrees), format!("{degrees}°")))
            .into(),
        Along::Named(names) => (0_u32..)
            .map(f64::from)
            .zip(names.iter().cloned())
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

/// A short line in the style of the curve, for the key.
fn sample(class: &str) -> Markup {
    html! {
        svg.stroke viewBox="0 0 28 8" aria-hidden="true" { path class={ "curve " (class) } d="M0 4H28" {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve_of(along: Along, values: &[f64]) -> UnitCurve {
        UnitCurve {
            along,
            threshold: 0.5,
            fires_above: true,
            lines: vec![CurveLine {
                name: "cup".to_owned(),
                values: values.iter().copied().map(Some).collect(),
            }],
        }
    }

    #[test]
    fn each_picture_is_drawn_over_its_position() {
        let turn = curve_of(
            Along::Azimuth((0..72).map(|step| f64::from(5 * step)).collect()),
            &[0.5; 72],
        );
        // The middle of the third of twelve pictures, at 60 degrees, is at 2.5 twelfths.
        assert!((axes(&turn, 12).unwrap().x(60.0) - 2.5 / 12.0 * SIDES.0).abs() < 1e-9);
        let lights = curve_of(Along::Named(vec!["l1".to_owned(); 8]), &[0.5; 8]);
        assert!((axes(&lights, 8).unwrap().x(7.0) - 7.5 / 8.0 * SIDES.0).abs() < 1e-9);
    }

    #[test]
    fn only_pictures_spread_evenly_over_the_whole_axis_are_drawn_over_the_curve() {
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
            "two at the same azimuth"
        );
        assert!(!are_over_their_places(&[None; 6], &turn));
        assert!(!is_over(&[]));
    }

    #[test]
    fn a_full_turn_closes_for_azimuths_in_any_order() {
        let curve = curve_of(Along::Azimuth(vec![240.0, 0.0, 120.0]), &[0.9, 0.1, 0.5]);
        let points = points(&curve.lines[0], &curve.along);
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
    fn a_line_is_broken_at_an_unknown_value() {
        let names = Along::Named(vec![String::new(); 4]);
        let mut curve = curve_of(names, &[0.0, 1.0, f64::NAN, 1.0]);
        let axes = axes(&curve, 4).unwrap();
        assert_eq!(
            path_of(&points(&curve.lines[0], &curve.along), &axes),
            "M125.0 94.6L375.0 5.4M875.0 5.4"
        );
        curve.lines[0].values = vec![None; 4];
        assert!(super::axes(&curve, 4).is_none(), "nothing to draw");
    }

    #[test]
    fn the_side_of_the_threshold_on_which_the_unit_fires_is_shaded() {
        let axes = Axes {
            start: 0.0,
            period: 1.0,
            bottom: 0.0,
            top: 4.0,
        };
        let html = |fires_above| {
            let curve = UnitCurve {
                threshold: 2.0,
                fires_above,
                ..curve_of(Along::Azimuth(Vec::new()), &[])
            };
            threshold(&curve, &axes).into_string()
        };
        assert!(html(true).contains("y=\"0.0\" height=\"50.0\""));
        assert!(html(false).contains("y=\"50.0\" height=\"50.0\""));
    }

    #[test]
    fn a_constant_response_has_an_axis_with_a_margin() {
        let (bottom, top) = range([3.0, 3.0].into_iter());
        assert!(bottom < 3.0 && top > 3.0);
    }
}
