//! Lists warnings by what they are about.

use maud::{Markup, html};

/// The warnings below their titles. Empty if there are none.
pub(in crate::report) fn warnings(warnings: &[(String, &[String])]) -> Markup {
    html! {
        @if warnings.iter().any(|(_, warnings)| !warnings.is_empty()) {
            section.warnings {
                h2 { "Warnings" }
                ul {
                    @for (title, warnings) in warnings {
                        @if !warnings.is_empty() {
                            li { strong { (title) } ul { @for warning in *warnings { li { (warning) } } } }
                        }
                    }
                }
            }
        }
    }
}
