//! Draws overlap and confidence over the frames of a sequence, as two strips of lines.

use std::fmt::Write as _;

use maud::{Markup, html};
use vidpairs_extract::run::{SampledSequence, SampledTrack};

use super::card::PlacedTrack;
use super::stroke::stroke;

/// Maximum number of points of a line, about what a screen resolves; more are averaged.
const MAX_POINTS: usize = 600;
/// Width and height of the drawing in its own units; it is stretched over the card.
const SIDES: (f64, f64) = (1000.0, 100.0);

/// A tracker's place on the command line, and its value in each frame, 0 to 1; `None` is a gap.
type Values<'a> = (usize, &'a [Option<f64>]);

pub(super) fn charts(sequence: &SampledSequence, tracks: &[PlacedTrack<'_>]) -> Markup {
    fn values<'a>(
        tracks: &[PlacedTrack<'a>],
        of: fn(&SampledTrack) -> &Vec<Option<f64>>,
    ) -> Vec<Values<'a>> {
        let values = tracks
            .iter()
            .map(|&(place, track)| (place, of(track).as_slice()));
        values.collect()
    }
    let num_frames = sequence.truth.len();
    let Some(last) = num_frames.checked_sub(1).filter(|_| !tracks.is_empty()) else {
        return html! {};
    };
    let overlap = values(tracks, |track| &track.overlaps);
    let confidence = values(tracks, |track| &track.confidence);
    let scored = known(&overlap, num_frames);
    let marks: Vec<usize> = sequence
        .pictures
        .iter()
        .map(|picture| picture.frame)
        .collect();
    html! {
        div.charts {
            (strip("overlap", &overlap, &scored, &marks, last))
            (strip("confidence", &confidence, &[], &marks, last))
            div.axis {
                span {
                    "frame 0"
                    @if sequence.first_frame > 0 { " (" (sequence.first_frame) " of the video)" }
                }
                span { (last) }
            }
        }
    }
}

/// A short line for the legend.
pub(super) fn sample(index: usize) -> Markup {
    html! {
        svg.stroke viewBox="0 0 32 8" aria-hidden="true" {
            path class={ "curve " (stroke(index).class) } d="M0 4H32" {}
        }
    }
}

fn strip(
    name: &str,
    lines: &[Values<'_>],
    scored: &[usize],
    marks: &[usize],
    last: usize,
) -> Markup {
    let x = |frame: usize| SIDES.0 * frame as f64 / last.max(1) as f64;
    let gaps = match scored {
        [] => Vec::new(),
        scored => unscored(scored, last + 1),
    };
    let reach = reach(scored);
    html! {
        div.strip {
            span.name { (name) }
            svg viewBox={ "0 0 " (SIDES.0) " " (SIDES.1) } preserveAspectRatio="none" role="img" aria-label=(name) {
                @for (from, to) in gaps {
                    rect.gap x=(format!("{:.1}", x(from))) y="0" height=(SIDES.1)
                        width=(format!("{:.1}", x(to) - x(from))) {}
                }
                @for height in [0.0, 0.5, 1.0] { path.rule d={ "M0 " (SIDES.1 * height) "H" (SIDES.0) } {} }
                @for &mark in marks { path.tick d=(format!("M{:.1} {}v-9", x(mark), SIDES.1)) {} }
                @for &(index, values) in lines {
                    path class={ "curve " (stroke(index).class) } d=(path_of(values, last, reach)) {}
                }
            }
            span.ends { span { "1" } span { "0" } }
        }
    }
}

/// Frames in which at least one tracker has a value.
fn known(lines: &[Values<'_>], num_frames: usize) -> Vec<usize> {
    let has_value = |&frame: &usize| {
        let mut lines = lines.iter();
        lines.any(|(_, values)| matches!(values.get(frame), Some(Some(_))))
    };
    (0..num_frames).filter(has_value).collect()
}

/// Maximum distance in frames of two values that a line joins: twice the median distance, so that ground truth for every tenth
/// frame gives an unbroken line.
fn reach(known: &[usize]) -> usize {
    let pairs = known.iter().zip(known.iter().skip(1));
    let mut steps: Vec<usize> = pairs.map(|(from, to)| to - from).collect();
    steps.sort_unstable();
    2 * steps.get(steps.len() / 2).copied().unwrap_or(1)
}

/// Gaps of the lines after the first frame: first and last frame of each.
fn unscored(known: &[usize], num_frames: usize) -> Vec<(usize, usize)> {
    let reach = reach(known);
    // The first frame is never scored, which is not a gap.
    let ends: Vec<usize> = std::iter::once(1)
        .chain(known.iter().copied())
        .chain(num_frames.checked_sub(1))
        .collect();
    let pairs = ends.iter().zip(ends.iter().skip(1));
    pairs
        .filter(|(from, to)| to.saturating_sub(**from) > reach)
        .map(|(from, to)| (*from, *to))
        .collect()
}

/// SVG path through the values, broken where two are further apart than `reach`; a lone value is a dot.
fn path_of(values: &[Option<f64>], last: usize, reach: usize) -> String {
    let width = values.len().div_ceil(MAX_POINTS).max(1);
    let (mut path, mut before) = (String::new(), None);
    for (place, chunk) in values.chunks(width).enumerate() {
        let known: Vec<f64> = chunk.iter().copied().flatten().collect();
        if known.is_empty() {
            continue;
        }
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let middle = (place * width) as f64 + (chunk.len() - 1) as f64 / 2.0;
        let x = SIDES.0 * middle / last.max(1) as f64;
        let y = SIDES.1 * (1.0 - mean.clamp(0.0, 1.0));
        let is_near =
            before.is_some_and(|before: f64| middle - before <= (reach.max(width)) as f64);
        let _ = match is_near {
            true => write!(path, "L{x:.1} {y:.1}"),
            false => write!(path, "M{x:.1} {y:.1}h0"),
        };
        before = Some(middle);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_no_frame_is_scored() {
        let mut values = vec![Some(0.5); 9];
        values[3..7].fill(None);
        values[0] = None;
        let known = known(&[(0, &values)], 9);
        assert_eq!((reach(&known), unscored(&known, 9)), (2, vec![(2, 7)]));
        assert_eq!(
            path_of(&values, 8, 2),
            "M125.0 50.0h0L250.0 50.0M875.0 50.0h0L1000.0 50.0"
        );
    }

    #[test]
    fn ground_truth_for_every_tenth_frame_gives_a_line_without_gaps() {
        let values: Vec<_> = (0..51)
            .map(|frame| (frame % 10 == 0 && frame > 0).then_some(1.0))
            .collect();
        let known = known(&[(0, &values)], 51);
        assert_eq!(unscored(&known, 51), []);
        assert_eq!(path_of(&values, 50, reach(&known)).matches('M').count(), 1);
    }

    #[test]
    fn a_long_line_has_no_more_points_than_a_screen_shows() {
        let path = path_of(&vec![Some(0.5); 100_000], 99_999, 2);
        assert!(path.matches(['L', 'M']).count() <= MAX_POINTS);
    }
}
