//! Overlap and confidence over the frames of a sequence, as two strips of lines.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::TrackCurve;
use crate::report::stroke::stroke;

/// Points of a line: more than a screen shows are averaged.
const MAX_POINTS: usize = 600;
/// The drawing's own units; it is stretched over the card.
const SIDES: (f64, f64) = (1000.0, 100.0);

pub(super) fn charts(curves: &[Option<TrackCurve>], marks: &[usize], first_frame: u64) -> Markup {
    let len = |curve: &TrackCurve| curve.overlap.len().max(curve.confidence.len());
    let num_frames = curves.iter().flatten().map(len).max().unwrap_or(0);
    let Some(last) = num_frames.checked_sub(1) else {
        return html! {};
    };
    let of = |values: fn(&TrackCurve) -> &Vec<Option<f64>>| {
        let lines = curves.iter().enumerate();
        let lines = lines.filter_map(|(index, it)| Some((index, values(it.as_ref()?).as_slice())));
        lines.collect::<Vec<_>>()
    };
    let (overlap, confidence) = (of(|it| &it.overlap), of(|it| &it.confidence));
    html! {
        div.charts {
            (strip("overlap", &overlap, &unscored(&overlap, num_frames), marks, last))
            (strip("confidence", &confidence, &[], marks, last))
            div.axis {
                span {
                    "frame 0"
                    @if first_frame > 0 { " (" (first_frame) " of the video)" }
                }
                span { (last) }
            }
        }
    }
}

/// A short line as it looks in a chart.
pub(super) fn sample(index: usize) -> Markup {
    html! {
        svg.stroke viewBox="0 0 32 8" aria-hidden="true" {
            path class={ "curve " (stroke(index).class) } d="M0 4H32" {}
        }
    }
}

fn strip(
    name: &str,
    lines: &[(usize, &[Option<f64>])],
    gaps: &[(usize, usize)],
    marks: &[usize],
    last: usize,
) -> Markup {
    let x = |frame: usize| SIDES.0 * frame as f64 / last.max(1) as f64;
    html! {
        div.strip {
            span.name { (name) }
            svg viewBox={ "0 0 " (SIDES.0) " " (SIDES.1) } preserveAspectRatio="none" role="img" aria-label=(name) {
                // The first frame is never scored, and no gap to speak of.
                @for &(from, to) in gaps {
                    rect.gap x=(format!("{:.1}", x(from))) y="0" height=(SIDES.1)
                        width=(format!("{:.1}", x(to) - x(from))) {}
                }
                @for height in [0.0, 0.5, 1.0] { path.rule d={ "M0 " (SIDES.1 * height) "H" (SIDES.0) } {} }
                @for &mark in marks { path.tick d=(format!("M{:.1} {}v-9", x(mark), SIDES.1)) {} }
                @for &(index, values) in lines {
                    path class={ "curve " (stroke(index).class) } d=(path_of(values, last)) {}
                }
            }
            span.ends { span { "1" } span { "0" } }
        }
    }
}

/// Stretches `from..to` after the first frame in which no tracker has a value.
fn unscored(lines: &[(usize, &[Option<f64>])], num_frames: usize) -> Vec<(usize, usize)> {
    let has_value = |frame: usize| {
        lines
            .iter()
            .any(|(_, it)| matches!(it.get(frame), Some(Some(_))))
    };
    let mut gaps: Vec<(usize, usize)> = Vec::new();
    for frame in (1..num_frames).filter(|&frame| !has_value(frame)) {
        match gaps.last_mut() {
            Some((_, to)) if *to >= frame => *to = frame + 1,
            _ => gaps.push((frame.saturating_sub(1).max(1), frame + 1)),
        }
    }
    gaps.iter()
        .map(|&(from, to)| (from, to.min(num_frames - 1)))
        .collect()
}

/// A line through the values, broken where there is none; a value alone is a dot.
fn path_of(values: &[Option<f64>], last: usize) -> String {
    let width = values.len().div_ceil(MAX_POINTS).max(1);
    let (mut path, mut is_drawing) = (String::new(), false);
    for (place, chunk) in values.chunks(width).enumerate() {
        let known: Vec<f64> = chunk.iter().copied().flatten().collect();
        if known.is_empty() {
            is_drawing = false;
            continue;
        }
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let middle = (place * width) as f64 + (chunk.len() - 1) as f64 / 2.0;
        let x = SIDES.0 * middle / last.max(1) as f64;
        let y = SIDES.1 * (1.0 - mean.clamp(0.0, 1.0));
        let _ = match is_drawing {
            true => write!(path, "L{x:.1} {y:.1}"),
            false => write!(path, "M{x:.1} {y:.1}h0"),
        };
        is_drawing = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_nothing_is_scored() {
        let values = [None, Some(1.0), Some(0.5), None, Some(0.0)];
        assert_eq!(
            path_of(&values, 4),
            "M250.0 0.0h0L500.0 50.0M1000.0 100.0h0"
        );
        assert_eq!(unscored(&[(0, &values)], 5), [(2, 4)]);
    }

    #[test]
    fn a_long_line_has_no_more_points_than_a_screen_shows() {
        let path = path_of(&vec![Some(0.5); 100_000], 99_999);
        assert!(path.matches(['L', 'M']).count() <= MAX_POINTS);
    }
}
