//! Renders the parts that all pages share: the HTML frame, the summary at the top, the inputs that were set aside.

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use vidpairs_run::{SetAside, counted};

/// One entry of the summary at the top of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Name, such as `label`.
    pub name: &'static str,
    /// Value as text.
    pub value: String,
}

impl Fact {
    pub(super) fn new(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { name, value }
    }
}

/// A complete page.
///
/// - `own_style`: CSS of this kind of page, added to the common style sheet.
pub(super) fn page(title: &str, own_style: &str, body: &Markup) -> String {
    page_with(&html! {}, title, own_style, body)
}

/// As [`page`], with further elements at the start of the head.
pub(super) fn page_with(head: &Markup, title: &str, own_style: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (head)
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " - vidpairs" }
                style { (PreEscaped(include_str!("style.css"))) (PreEscaped(own_style)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// Title, headline and facts.
pub(super) fn summary(title: &str, headline: &str, facts: &[Fact]) -> Markup {
    html! {
        h1 { (title) }
        p.headline { (headline) }
        (self::facts(facts))
    }
}

/// Names and values.
pub(super) fn facts(facts: &[Fact]) -> Markup {
    html! {
        dl {
            @for fact in facts {
                div { dt { (fact.name) } dd { (fact.value) } }
            }
        }
    }
}

/// Inputs that were set aside, by reason. Empty if there are none.
///
/// - `heading`: heading of the section, such as `Clips set aside`.
pub(super) fn set_aside(heading: &str, set_aside: &SetAside) -> Markup {
    let SetAside {
        reasons,
        more_reasons,
        more_clips,
        unreadable_lines,
    } = set_aside;
    html! {
        @if !reasons.is_empty() || *unreadable_lines > 0 {
            section {
                h2 { (heading) }
                ul {
                    @for group in reasons {
                        li {
                            strong { (group.clips) " " (group.outcome.name()) " at " (group.stage.name()) }
                            ": " (group.reason) " " span.example { "such as " (group.example) }
                        }
                    }
                    @if *more_clips > 0 { li { (more_clips) " for " (counted(*more_reasons, "other reason")) } }
                    @if *unreadable_lines > 0 {
                        li { (counted(*unreadable_lines, "line")) " of refused.jsonl cannot be parsed" }
                    }
                }
            }
        }
    }
}

/// Last part of the path of a folder, as the title of its page.
pub(super) fn folder_name(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or(dir.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use vidpairs_run::ReasonGroup;
    use vidpairs_types::{Outcome, Stage};

    use super::*;

    #[test]
    fn every_reason_is_listed_and_the_reasons_beyond_the_list_are_counted() {
        let all = SetAside {
            reasons: vec![ReasonGroup {
                clips: 3,
                outcome: Outcome::Refused,
                stage: Stage::Decode,
                reason: "no <video> stream".to_owned(),
                example: "a.mp4".to_owned(),
            }],
            more_reasons: 2,
            more_clips: 7,
            unreadable_lines: 1,
        };
        let html = set_aside("Clips set aside", &all).into_string();
        for text in [
            "<h2>Clips set aside</h2>",
            "<strong>3 refused at decode</strong>: no &lt;video&gt; stream ",
            "<span class=\"example\">such as a.mp4</span>",
            "<li>7 for 2 other reasons</li>",
            "<li>1 line of refused.jsonl cannot be parsed</li>",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
        let nothing = set_aside("Clips set aside", &SetAside::default());
        assert_eq!(nothing.into_string(), "");
    }
}
