//! Writes the notes of the page: how to read it, warnings, and inputs that were left out.

use maud::{Markup, html};
use vidpairs_invariance::run::{InvarianceSummary, LeftOutGroup};

use super::MAX_NAMES;
use super::number::grouped;
use super::words::title;

pub(super) fn reading() -> Markup {
    html! {
        section.legend {
            h2 { "How to read it" }
            p {
                "Compare models inside one panel only, and only those with as many units as each other: every data \
                set, and every width, has a level of its own. "
                "Random features are far from 0, so what a model learnt is what lies beyond the shade. "
                "K is how many units count for each target, its best ones: a small K asks for a few invariant units, \
                a large one for many. "
                "The intervals are over the targets of the data set; whether two models differ is told by their paired \
                difference, not by lines that overlap."
            }
        }
    }
}

pub(super) fn warnings(summary: &InvarianceSummary) -> Markup {
    let panels = || summary.panels.iter();
    html! {
        @if panels().any(|panel| !panel.warnings.is_empty()) {
            section.warnings {
                h2 { "Before you trust a number" }
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
                h2 { "What was left out" }
                ul {
                    @for panel in panels() {
                        @for group in &panel.left_out {
                            li {
                                strong { (title(summary, panel)) } ": " (grouped(group.count)) " - " (group.reason)
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
