//! Writes the notes of the page: how to read it.

use maud::{Markup, html};

/// How to read the scores.
pub(in crate::report) fn reading() -> Markup {
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
