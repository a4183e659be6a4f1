//! States and draws the paired difference of two models.

use maud::{Markup, html};
use vidpairs_invariance::run::Figure;

use super::mark::mark_at;
use super::number::{along, ends, known, signed, tenth, whole};
use super::plot::whisker;

/// Whether a page shows the differences of single models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Pairs {
    Shown,
    LeftOut,
}

impl Pairs {
    /// The differences to show.
    pub fn of<T>(self, all: &[T]) -> &[T] {
        match self {
            Self::Shown => all,
            Self::LeftOut => &[],
        }
    }
}

/// States a difference and whether it is significant.
pub(in crate::report) fn sentence(score: &str, difference: Figure, [a, b]: [&str; 2]) -> String {
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
pub(in crate::report) fn difference_strip(
    name: &str,
    model_index: usize,
    difference: Figure,
) -> Markup {
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
    let x = |points: f64| along(50.0 + 50.0 * points / reach);
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
    fn an_end_beyond_all_measurements_is_drawn_at_the_end_of_the_axis() {
        let strip = difference_strip("score", 0, figure(1.0, -5.0, 1e308)).into_string();
        assert!(strip.contains("x2=\"100.00%\""), "{strip}");
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
}
