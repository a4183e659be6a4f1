//! What every page has: one file of HTML, and a head that says what it shows.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `label`, say.
    pub name: &'static str,
    /// In words.
    pub value: String,
}

/// Inputs that were set aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideNote {
    /// How many, and what became of them: `3 refused at decode`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Id of one of them.
    pub example: String,
}

/// The page of `title`: `body` and the styles that all pages share, then its own.
pub(super) fn page(title: &str, own_style: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
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
        dl {
            @for fact in facts {
                div { dt { (fact.name) } dd { (fact.value) } }
            }
        }
    }
}

/// What is missing from the data set, and why; nothing where nothing is.
///
/// - `heading`: `Clips that were set aside`.
pub(super) fn set_aside(heading: &str, notes: &[SetAsideNote]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section {
                h2 { (heading) }
                ul {
                    @for note in notes {
                        li {
                            strong { (note.what) } ": " (note.reason)
                            " " span.example { "such as " (note.example) }
                        }
                    }
                }
            }
        }
    }
}
