//! Writes the notes of the page: how to read it, warnings, and inputs that were left out.

use maud::{Markup, html};
use vidpairs_invariance::run::{InvarianceSummary, LeftOutGroup};

use super::MAX_NAMES;
use super::words::title;
use crate::report::models::number::grouped;

pub(super) fn reading() -> Markup {
    html! {
        section.legend {
            h2 { "How to read the scores" }
            p {
                "Compare models only within one panel, and only models with the same number of units: each data set and each \
                number of units has a level of its own. "
                "Compare a score with that of random features, not with 0: the part above it is learnt. "
                "K is the number of best units that are averaged for each target: a high score at a small K needs few invariant \
                units, at a large K many. "
                "Confidence intervals are from a bootstrap over the targets of the data set. To decide whether two models differ, \
                use their paired difference, not the overlap of their intervals."
            }
        }
    }
}

pub(super) fn warnings(summary: &InvarianceSummary) -> Markup {
    let panels = || summary.panels.iter();
    html! {
        @if panels().any(|panel| !panel.warnings.is_empty()) {
            section.warnings {
                h2 { "Warnings" }
                ul {
                    @for panel in panels() {
                        @for warning in &panel.warnings {
                            li { strong { (title(summary, panel)) } ": " (warning) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn left_out(summary: &InvarianceSummary) -> Markup {
    let panels = || summary.panels.iter();
    html! {
        @if panels().any(|panel| !panel.left_out.is_empty()) {
            section {
                h2 { "Left out" }
                ul {
                    @for panel in panels() {
                        @for group in &panel.left_out {
                            li {
                                strong { (title(summary, panel)) } ": " (grouped(group.count)) " left out: " (group.reason)
                                " " span.example { (names(group)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn names(group: &LeftOutGroup) -> String {
    let names = &group.first[..group.first.len().min(MAX_NAMES)];
    match (names.len(), group.count - names.len()) {
        (0, _) => String::new(),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {} more", names.join(", "), grouped(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_of_inputs_left_out_are_shown_and_the_rest_is_counted() {
        let names = |count, num_names| {
            names(&LeftOutGroup {
                count,
                reason: String::new(),
                first: vec!["x".to_owned(); num_names],
            })
        };
        assert!(names(2_000, 40).ends_with("x and 1,994 more"));
        assert_eq!(names(1, 1), "x");
    }
}
