//! Draws curves over the steps of a training. The drawing is stretched over its box, and all text is HTML, so that it can be read on
//! narrow screens.

use std::fmt::Write as _;

use indicatif::HumanCount;
use maud::{Markup, html};

use super::axis::Axis;
use crate::report::models::mark::{mark_at, shade};
use crate::report::models::number::shortened;

/// Number of patterns of lines.
const NUM_PATTERNS: usize = 6;
/// Number of groups up to which their names are at the ends of their lines.
const MAX_NAMED: usize = 14;
/// Maximum number of letters of a name at the end of a line.
const NAME: usize = 18;
/// Smallest distance of names, percent of the height.
const NAME_GAP: f64 = 7.0;
/// Number of marks on a line, besides the one at its end.
const NUM_MARKS: usize = 3;

/// Number of values from which some can be far from the others.
const MIN_FOR_RANGE: usize = 20;
/// Distance beyond the quartiles up to which values determine the axis, interquartile ranges.
const REACH: f64 = 20.0;
/// Smallest interquartile range that is assumed, as a share of the median.
const MIN_SPREAD: f64 = 0.1;

/// A line over steps.
pub(super) struct Line {
    /// Group, which has the mark and colour.
    pub group: usize,
    /// Whether it is one of several seeds: thin, without marks.
    pub is_seed: bool,
    /// Step and value; `None` breaks the line.
    pub points: Vec<Option<(f64, f64)>>,
}

/// A level to compare with, such as chance.
pub(super) struct Level {
    pub value: f64,
    pub name: String,
}

/// A chart.
pub(super) struct Chart<'a> {
    pub title: &'a str,
    /// Quantity and unit of the vertical axis.
    pub y_name: &'a str,
    pub lines: &'a [Line],
    pub levels: &'a [Level],
    /// Names of the groups.
    pub names: &'a [&'a str],
    /// Whether the names are at the ends of the lines.
    pub has_names: bool,
}

/// The chart; nothing without a known value.
pub(super) fn chart(chart: &Chart<'_>) -> Markup {
    let points = || {
        chart
            .lines
            .iter()
            .flat_map(|line| line.points.iter().flatten())
    };
    let values: Vec<f64> = points().map(|(_, value)| *value).collect();
    let [low, high] = usual_range(&values);
    let is_usual = |value: &f64| (low..=high).contains(value);
    let usual = values.iter().copied().filter(is_usual);
    let shown = usual.chain(chart.levels.iter().map(|level| level.value));
    let (Some(x), Some(y)) = (
        Axis::from_0(points().map(|(step, _)| *step)),
        Axis::of(shown),
    ) else {
        return html! {};
    };
    let is_cut = !values.iter().all(is_usual);
    if points().next().is_none() {
        return html! {};
    }
    let label = format!("{}: {} over steps", chart.title, chart.y_name);
    let names = match chart.has_names && chart.names.len() <= MAX_NAMED {
        true => end_names(chart, &y),
        false => Vec::new(),
    };
    html! {
        figure.chart.named[!names.is_empty()] {
            figcaption {
                b { (chart.title) } " " span { (chart.y_name) }
                @if is_cut { " " span { "(values far beyond the axis are drawn at its edge)" } }
            }
            div.y { @for tick in y.ticks() { span style=(format!("bottom:{:.2}%", y.along(tick))) { (y.text(tick)) } } }
            div.field role="img" aria-label=(label) {
                svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" {
                    @for tick in y.ticks() { (level("rule", &y, tick)) }
                    @for level in chart.levels { (self::level("level", &y, level.value)) }
                    @for line in chart.lines.iter().filter(|line| line.is_seed) { (path(line, &x, &y)) }
                    @for line in chart.lines.iter().filter(|line| !line.is_seed) { (path(line, &x, &y)) }
                }
                svg.marks width="100%" height="100%" aria-hidden="true" {
                    @for line in chart.lines.iter().filter(|line| !line.is_seed) { (marks(line, &x, &y)) }
                }
                @for level in chart.levels {
                    span.of-level style=(format!("bottom:{:.2}%", y.along(level.value))) { (level.name) }
                }
            }
            @if !names.is_empty() {
                div.ends aria-hidden="true" {
                    @for (group, top) in &names {
                        span class=(shade(*group)) style=(format!("top:{top:.2}%")) { (shortened(chart.names[*group], NAME, "…")) }
                    }
                }
            }
            div.x {
                @for tick in x.ticks() { span style=(format!("left:{:.2}%", x.along(tick))) { (HumanCount(tick as u64)) } }
            }
            div.x-name { "step" }
        }
    }
}

/// The range that holds all `values`, or all but those so far from the others that an axis with them would show nothing else.
fn usual_range(values: &[f64]) -> [f64; 2] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
    let everything = [f64::NEG_INFINITY, f64::INFINITY];
    if sorted.len() < MIN_FOR_RANGE {
        return everything;
    }
    let [low, middle, high] = [1, 2, 3].map(at);
    // Equal quarters say nothing of the spread.
    let reach = REACH * (high - low).max(MIN_SPREAD * middle.abs());
    match reach > 0.0 {
        true => [low - reach, high + reach],
        false => everything,
    }
}

fn level(class: &str, y: &Axis, value: f64) -> Markup {
    let at = format!("{:.2}", 100.0 - y.along(value));
    html! { line class=(class) x1="0" x2="1000" y1=(at) y2=(at) {} }
}

fn path(line: &Line, x: &Axis, y: &Axis) -> Markup {
    let (mut path, mut is_joined) = (String::new(), false);
    for point in &line.points {
        if let Some((step, value)) = point {
            let letter = if is_joined { 'L' } else { 'M' };
            let (left, top) = (10.0 * x.along(*step), 100.0 - y.along(*value));
            let _ = write!(path, "{letter}{left:.1} {top:.2}");
        }
        is_joined = point.is_some();
    }
    let pattern = pattern(line.group);
    let kind = match line.is_seed {
        true => "seed".to_owned(),
        false => format!("whole d{pattern}"),
    };
    html! { path class={ (kind) " " (shade(line.group)) } d=(path) {} }
}

/// Dashes of a group. They move on against the colours after each round, so that 36 groups differ in colour or dashes.
fn pattern(group: usize) -> usize {
    (group + group / NUM_PATTERNS) % NUM_PATTERNS
}

/// Marks along a line and at its end. Those of different groups are at different steps.
fn marks(line: &Line, x: &Axis, y: &Axis) -> Markup {
    let known: Vec<(f64, f64)> = line.points.iter().flatten().copied().collect();
    let shift = (line.group % NUM_PATTERNS) * known.len() / (NUM_MARKS * NUM_PATTERNS);
    let inner = (0..NUM_MARKS).map(|mark| mark * known.len() / NUM_MARKS + shift);
    let last = known.len().saturating_sub(1);
    let mut places: Vec<usize> = inner.filter(|&at| at < last).chain([last]).collect();
    places.dedup();
    html! {
        @for (step, value) in places.into_iter().filter_map(|at| known.get(at)) {
            @let (left, top) = (format!("{:.2}%", x.along(*step)), format!("{:.2}%", 100.0 - y.along(*value)));
            (mark_at(line.group, &left, &top))
        }
    }
}

/// Groups and the heights of their names, percent from the top, so that names do not overlap.
fn end_names(chart: &Chart<'_>, y: &Axis) -> Vec<(usize, f64)> {
    let lines = chart.lines.iter().filter(|line| !line.is_seed);
    let mut names: Vec<(usize, f64)> = lines
        .filter_map(|line| {
            let (_, value) = line.points.iter().rev().flatten().next()?;
            Some((line.group, 100.0 - y.along(*value)))
        })
        .collect();
    names.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut next = 0.0_f64;
    for (_, top) in &mut names {
        *top = top.max(next);
        next = *top + NAME_GAP;
    }
    let mut last = 100.0_f64;
    for (_, top) in names.iter_mut().rev() {
        *top = top.min(last);
        last = *top - NAME_GAP;
    }
    names
}

/// A piece of the line of a group, for the legend.
pub(super) fn sample(group: usize) -> Markup {
    let pattern = pattern(group);
    html! {
        svg.sample-line width="44" height="16" aria-hidden="true" {
            path class={ "whole d" (pattern) " " (shade(group)) } d="M0 8H44" {}
            (mark_at(group, "22", "8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_giant_value_does_not_flatten_the_others_and_the_caption_says_so() {
        let drawn = |values: &[f64]| {
            let points = (0..)
                .zip(values)
                .map(|(step, value)| Some((f64::from(step), *value)));
            let line = Line {
                group: 0,
                is_seed: false,
                points: points.collect(),
            };
            let chart = chart(&Chart {
                title: "Loss",
                y_name: "",
                lines: &[line],
                levels: &[],
                names: &["a"],
                has_names: false,
            });
            chart.into_string()
        };
        let falling: Vec<f64> = (0..40).map(|step| 1.0 - 0.01 * f64::from(step)).collect();
        assert!(!drawn(&falling).contains("beyond the axis"));
        for giant in [1e9, f64::MAX] {
            let html = drawn(&[&falling[..], &[giant]].concat());
            assert!(html.contains("beyond the axis"), "{html}");
            assert!(html.contains(">0.8<") && !html.contains("e9"), "{html}");
        }
        // The first steps of a training are no such values.
        let fast: Vec<f64> = (0..200)
            .map(|step| if step < 5 { 1.4 } else { 0.5 })
            .collect();
        assert!(!drawn(&fast).contains("beyond the axis"));
    }

    #[test]
    fn thirty_six_groups_differ_in_the_colour_or_the_dashes_of_their_lines() {
        let looks = |group| (shade(group), pattern(group));
        for group in 0..36 {
            assert!(
                (0..group).all(|other| looks(other) != looks(group)),
                "{group}"
            );
        }
    }
}
