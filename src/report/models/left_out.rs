//! Lists what was left out by its reason.

use maud::{Markup, html};
use vidpairs_invariance::run::LeftOutGroup;

use super::number::grouped;

/// Maximum number of names shown for each reason of leaving out.
const MAX_NAMES: usize = 6;

/// What was left out, below its title. Empty if there is nothing.
pub(in crate::report) fn left_out(groups: &[(String, &[LeftOutGroup])]) -> Markup {
    html! {
        @if groups.iter().any(|(_, groups)| !groups.is_empty()) {
            section {
                h2 { "Left out" }
                ul {
                    @for (title, groups) in groups {
                        @if !groups.is_empty() {
                            li {
                                strong { (title) }
                                ul {
                                    @for group in *groups {
                                        li {
                                            (grouped(group.count)) " left out: " (group.reason) " "
                                            span.example { (names(group)) }
                                        }
                                    }
                                }
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
