//! Draws the tables of the page: an overview of models by invariances, and a table of all figures.

use maud::{Markup, html};

use vidpairs_invariance::run::{Figure, InvarianceSummary, MeasuredPanel, ModelScores};

use super::words;
use crate::report::models::mark::key;
use crate::report::models::number::{UNKNOWN, grouped, interval, level, shortened, tenth, whole};

/// Maximum number of letters of an origin over a column.
const ORIGIN: usize = 30;

/// Models by invariances. A cell has the score, its interval, the control and the ceiling.
pub(super) fn overview(summary: &InvarianceSummary) -> Markup {
    html! {
        div.scroll {
            table.overview {
                thead {
                    tr {
                        th { "Model" }
                        @for panel in &summary.panels {
                            @let origin = words::origin(summary, panel);
                            th {
                                (words::invariance(panel))
                                span title=(origin) { (shortened(&origin, ORIGIN, "…")) }
                            }
                        }
                    }
                }
                tbody {
                    @for (index, model) in summary.models.iter().enumerate() {
                        tr {
                            th { (key(index)) " " (model.name) @if !model.note.is_empty() { span { (model.note) } } }
                            @for panel in &summary.panels { (cell(panel.models[index].as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(scores: Option<&ModelScores>) -> Markup {
    let Some(score) = scores.and_then(ModelScores::shown) else {
        return html! { td { span { (UNKNOWN) } } };
    };
    html! {
        td {
            b { (tenth(Some(score.figure.value))) }
            span { (interval(score.figure.interval).unwrap_or_default()) }
            span { "random " (tenth(score.control())) " · ceiling " (whole(&tenth(Some(score.ceiling)))) }
        }
    }
}

const HEADINGS: [&str; 9] = [
    "Model",
    "Units",
    "Score",
    "Percent",
    "95 % interval over targets",
    "over sets",
    "Gaussian control",
    "Shuffled control",
    "Ceiling",
];

/// Every score, and retrieval with its chance level.
pub(super) fn all_figures(summary: &InvarianceSummary) -> Markup {
    html! {
        details {
            summary { "All scores: every version and K, and retrieval" }
            div.scroll {
                table.figures {
                    thead { tr { @for heading in HEADINGS { th { (heading) } } } }
                    @for panel in &summary.panels {
                        tbody {
                            tr { th.group colspan=(HEADINGS.len()) { (words::title(summary, panel)) } }
                            @for (model, scores) in summary.models.iter().zip(&panel.models) {
                                @if let Some(scores) = scores { (figures(&model.name, panel, scores)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figures(model: &str, panel: &MeasuredPanel, scores: &ModelScores) -> Markup {
    let units = grouped(scores.units);
    let ends = |ends| interval(ends).unwrap_or_else(|| UNKNOWN.to_owned());
    html! {
        @for score in &scores.scores {
            tr {
                td { (model) } td { (units) } td { (words::score(score.version, score.k)) }
                td { (tenth(Some(score.figure.value))) }
                td { (ends(score.figure.interval)) }
                td { (ends(score.interval_over_sets)) }
                td { (tenth(score.control_gaussian)) }
                td { (tenth(score.control_shuffled)) }
                td { (tenth(Some(score.ceiling))) }
            }
        }
        @if let Some(Figure { value, interval }) = scores.retrieval {
            tr {
                td { (model) } td { (units) } td { "retrieval accuracy, chance " (level(panel.retrieval_chance)) }
                td { (tenth(Some(value))) }
                td { (ends(interval)) }
                @for _ in 0..4 { td { (UNKNOWN) } }
            }
        }
    }
}
