//! Tables of the page: models by invariances for the eye, and every figure for looking up.

use maud::{Markup, html};

use super::mark::key;
use super::number::{UNKNOWN, grouped, interval, level, tenth, whole};
use super::short::shortened;
use super::title::{origin, title};
use super::view::{Estimate, InvariancePage, ModelResult, Panel};

/// Letters of a data set and its place that have room over a column.
const ORIGIN: usize = 30;

/// Models by invariances; a cell has the score, its interval, and what it is to be read against.
pub(super) fn overview(page: &InvariancePage) -> Markup {
    html! {
        div.scroll {
            table.overview {
                thead {
                    tr {
                        th { "Model" }
                        @for panel in &page.panels {
                            @let origin = origin(page, panel);
                            th { (panel.invariance) span title=(origin) { (shortened(&origin, ORIGIN, "…")) } }
                        }
                    }
                }
                tbody {
                    @for (index, model) in page.models.iter().enumerate() {
                        tr {
                            th { (key(index)) " " (model.name) @if !model.note.is_empty() { span { (model.note) } } }
                            @for panel in &page.panels { (cell(page, panel.models.get(index).and_then(Option::as_ref))) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(page: &InvariancePage, result: Option<&ModelResult>) -> Markup {
    let score = result.and_then(|it| it.score(page.shown));
    let Some(score) = score else {
        return html! { td { span { (UNKNOWN) } } };
    };
    html! {
        td {
            b { (tenth(score.estimate.known())) }
            span { (interval(score.estimate.ends()).unwrap_or_default()) }
            span { "random " (tenth(score.control())) " · ceiling " (whole(tenth(score.ceiling))) }
        }
    }
}

const HEADINGS: [&str; 9] = [
    "Model",
    "Units",
    "Score",
    "Percent",
    "95 %, targets",
    "95 %, sets",
    "Gaussian",
    "Shuffled",
    "Ceiling",
];

/// Every kind of score, and retrieval with its chance level.
pub(super) fn all_figures(page: &InvariancePage) -> Markup {
    html! {
        details {
            summary { "All figures: every K, both versions, Goodfellow's score, retrieval" }
            div.scroll {
                table.figures {
                    thead { tr { @for heading in HEADINGS { th { (heading) } } } }
                    @for panel in &page.panels {
                        tbody {
                            tr { th.group colspan=(HEADINGS.len()) { (title(page, panel)) } }
                            @for (model, result) in page.models.iter().zip(&panel.models) {
                                @if let Some(result) = result { (figures(&model.name, panel, result)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figures(model: &str, panel: &Panel, result: &ModelResult) -> Markup {
    let units = grouped(result.num_units);
    let ends = |it: Option<[f64; 2]>| interval(it).unwrap_or_else(|| UNKNOWN.to_owned());
    let over_sets = |it| {
        Estimate {
            value: 0.0,
            interval: it,
        }
        .ends()
    };
    html! {
        @for score in &result.scores {
            tr {
                td { (model) } td { (units) } td { (score.kind.words()) }
                td { (tenth(score.estimate.known())) }
                td { (ends(score.estimate.ends())) }
                td { (ends(over_sets(score.interval_over_sets))) }
                td { (tenth(score.control_gaussian)) } td { (tenth(score.control_shuffled)) } td { (tenth(score.ceiling)) }
            }
        }
        @if let Some(retrieval) = result.retrieval {
            tr {
                td { (model) } td { (units) } td { "retrieval, chance " (level(panel.retrieval_chance)) }
                td { (tenth(retrieval.known())) }
                td { (ends(retrieval.ends())) }
                @for _ in 0..4 { td { (UNKNOWN) } }
            }
        }
    }
}
