//! What stands in words: how to read the page, what to be wary of, what was left out.

use maud::{Markup, html};

use super::MAX_NAMES;
use super::number::grouped;
use super::title::title;
use super::view::{InvariancePage, LeftOutNote};

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

/// Nothing where there is nothing to be wary of.
pub(super) fn warnings(page: &InvariancePage) -> Markup {
    let of_panels = || {
        page.panels
            .iter()
            .flat_map(|panel| panel.warnings.iter().map(move |it| (panel, it)))
    };
    html! {
        @if of_panels().next().is_some() {
            section.warnings {
                h2 { "Before you trust a number" }
                ul {
                    @for (panel, warning) in of_panels() { li { strong { (title(page, panel)) } ": " (warning) } }
                }
            }
        }
    }
}

pub(super) fn left_out(page: &InvariancePage) -> Markup {
    let notes = || {
        page.panels
            .iter()
            .flat_map(|panel| panel.left_out.iter().map(move |it| (panel, it)))
    };
    html! {
        @if notes().next().is_some() {
            section {
                h2 { "What was left out" }
                ul {
                    @for (panel, note) in notes() {
                        li {
                            strong { (title(page, panel)) } ": " (grouped(note.count)) " - " (note.reason)
                            " " span.example { (names(note)) }
                        }
                    }
                }
            }
        }
    }
}

fn names(note: &LeftOutNote) -> String {
    let shown = note.first.len().min(MAX_NAMES);
    let names: Vec<&str> = note.first.iter().take(shown).map(String::as_str).collect();
    match (shown, note.count.saturating_sub(shown)) {
        (0, _) => String::new(),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {} more", names.join(", "), grouped(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_was_left_out_are_few_and_counted() {
        let mut note = LeftOutNote {
            count: 2_000,
            first: vec!["x".to_owned(); 40],
            ..LeftOutNote::default()
        };
        assert!(names(&note).ends_with("x and 1,994 more"));
        note = LeftOutNote {
            count: 1,
            first: vec!["x".to_owned()],
            ..note
        };
        assert_eq!(names(&note), "x");
    }
}
