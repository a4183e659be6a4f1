//! Presents the probes of several models as a page, tables for a terminal and a CSV file.
//!
//! **Takes** a [`ProbeSummary`]. **Gives** one HTML file ([`render`]), tables for a terminal ([`render_tables`]) and a table for programs
//! ([`scores_csv`]). **Fails** never. **Source**: HTML by maud, CSV by the csv crate (RFC 4180).
//!
//! All text is escaped. A number that is not finite counts as unknown. The page states where items are left out.

mod cards;
mod classes;
mod confusion;
pub(super) mod overview;
mod scores_csv;
mod text_table;
pub(super) mod words;

use maud::{Markup, html};
use vidpairs_invariance::run::LeftOutGroup;
use vidpairs_invariance::run::probe::{ProbePair, ProbeScores, ProbeSummary, ProbeTable};
use vidpairs_types::readable;

use super::models::difference::{Pairs, difference_strip, sentence};
use super::models::left_out::left_out;
use super::models::mark::key;
use super::models::number::{UNKNOWN, counted, grouped, interval, signed, tenth};
use super::models::plot::{Names, Row, plot};
use super::models::{self};
use super::page::{self, Fact};
use cards::cards;
use classes::classes;
use confusion::confusion;
use overview::{anchor, overview};

pub use scores_csv::scores_csv;
pub use text_table::render_tables;

/// Number of pairs of models whose differences are drawn; all are in the table.
pub const MAX_PAIRS: usize = 6;

/// Number of models up to which the details of all are open; with more models only those of the first are.
const OPEN_UP_TO: usize = 2;
/// Number of tables up to which details are open.
const OPEN_TABLES: usize = 2;
const TITLE: &str = "Probes";
/// Beginning of the addresses of the tables on the page of one probe.
const OWN_IDS: &str = "table";
/// Style sheet of this page, besides that of models.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page: one HTML file with its images and without scripts.
pub fn render(summary: &ProbeSummary) -> String {
    let facts = [Fact {
        name: "Program",
        value: format!("vidpairs {}", summary.program_version),
    }];
    let tables = || summary.tables.iter();
    let num_warnings: usize = tables().map(|table| table.warnings.len()).sum();
    let body = html! {
        header {
            (page::summary(TITLE, &headline(summary), &facts))
            @if num_warnings > 0 {
                section.warnings {
                    p {
                        (counted(num_warnings, "warning", "warnings"))
                        @if summary.tables.len() > 1 { " below the tables that are marked ⚠ in the overview. " }
                        @else { " below the scores. " }
                        "Read the warnings of a table before you trust its scores."
                    }
                }
            }
        }
        main {
            @if summary.tables.is_empty() { p { "Nothing was scored." } } @else {
                (legend())
                (overview(summary, OWN_IDS))
                (all_sections(summary, OWN_IDS, Pairs::Shown))
            }
        }
        footer { (all_left_out(summary)) }
    };
    page::page(TITLE, &[models::STYLE, STYLE].concat(), &body)
}

/// `3 models in 2 tables`.
pub(super) fn headline(summary: &ProbeSummary) -> String {
    format!(
        "{} in {}",
        counted(summary.models.len(), "model", "models"),
        counted(summary.tables.len(), "table", "tables")
    )
}

/// How to read the plots.
pub(super) fn legend() -> Markup {
    html! {
        p.how {
            "All values are percent. A mark is a score, and the line through it its 95 % confidence interval over the test \
            images. " span.swatch {} " The shade ends at the score of guessing. Compare models only within one table, and \
            decide whether two differ by their paired difference, not by the overlap of their intervals."
        }
    }
}

/// Every table with its details.
///
/// - `ids`: beginning of the addresses of the tables, other than that of other probes on the page.
pub(super) fn all_sections(summary: &ProbeSummary, ids: &str, pairs: Pairs) -> Markup {
    html! {
        @for index in 0..summary.tables.len() { (section(summary, index, &anchor(ids, index), pairs)) }
    }
}

/// What was left out of each data set. Empty if there is nothing.
pub(super) fn all_left_out(summary: &ProbeSummary) -> Markup {
    left_out(&left_out_groups(summary))
}

/// What was left out of each data set: the tables of a data set leave out the same, and the first that does names it.
fn left_out_groups(summary: &ProbeSummary) -> Vec<(String, &[LeftOutGroup])> {
    let mut listed: Vec<(String, &[LeftOutGroup])> = Vec::new();
    for table in &summary.tables {
        let groups = table.left_out.as_slice();
        if !listed.iter().any(|(_, other)| *other == groups) {
            listed.push((words::title(summary, table), groups));
        }
    }
    listed
}

/// The models of a table in rows, with the protocol.
fn scores(summary: &ProbeSummary, table: &ProbeTable) -> Markup {
    let scores = || table.models.iter().map(Option::as_ref);
    let row = |figure, floor| Row {
        figure,
        floor,
        ..Row::default()
    };
    let rows: Vec<Row> = scores()
        .map(|scores| {
            let floor = table.chance.filter(|_| scores.is_some());
            row(scores.map(|scores| scores.score), floor)
        })
        .collect();
    // The first of the further figures is drawn, all are in the table.
    let further = scores().map(|scores| {
        let figure = scores.and_then(|scores| *words::further_figures(table, scores).first()?);
        row(figure, None)
    });
    let further: Vec<Row> = further.collect();
    let has_further = further.iter().any(|row| row.figure.is_some());
    let names = |title: &str, floor| Names {
        title: title.to_owned(),
        floor,
        floor_rest: "",
    };
    html! {
        article.panel {
            div class=(if has_further { "plots two" } else { "plots" }) {
                (plot(&names(words::metric(table), "guessing"), &summary.models, &rows))
                @if has_further {
                    (plot(&names(&words::in_title(words::further(table)[0]), ""), &summary.models, &further))
                }
            }
            p.protocol { (table.protocol.line()) "." }
        }
    }
}

/// A table: its scores, differences of models, then classes, confusion and images of each model.
fn section(summary: &ProbeSummary, index: usize, id: &str, pairs: Pairs) -> Markup {
    let table = &summary.tables[index];
    let pairs = pairs.of(&table.pairs);
    let models = summary.models.iter().zip(&table.models).enumerate();
    let scored: Vec<_> = models
        .filter_map(|(index, (model, scores))| Some((index, model, scores.as_ref()?)))
        .collect();
    html! {
        section.wide id=(id) {
            h2.table { (words::classifier(table)) " " span { (words::data(summary, table)) } }
            p.how { (words::counts(table)) "." }
            (scores(summary, table))
            @if !table.warnings.is_empty() {
                section.warnings { ul { @for warning in &table.warnings { li { (warning) } } } }
            }
            (differences(summary, table, pairs))
            (figures(summary, table, pairs))
            @for (place, (index, model, scores)) in scored.into_iter().enumerate() {
                details.model open[is_open(summary, place)] {
                    summary { (key(index)) " " b { (model.name) } span { (note(table, scores)) } }
                    @if let Some(rates) = words::rates(scores) {
                        p.how { "Top-1 accuracy on held-out training images / on test images is " (rates) "." }
                    }
                    (classes(table, scores))
                    (confusion(table, scores))
                    (cards(table, scores))
                }
            }
        }
    }
}

fn is_open(summary: &ProbeSummary, place: usize) -> bool {
    summary.tables.len() <= OPEN_TABLES && (place == 0 || summary.models.len() <= OPEN_UP_TO)
}

/// `mAP 42.1 · 512 features · C 10`.
fn note(table: &ProbeTable, scores: &ProbeScores) -> String {
    let mut parts = vec![format!(
        "{} {}",
        table.protocol.metric,
        tenth(Some(scores.score.value))
    )];
    let further = words::further(table).iter();
    let further = further.zip(words::further_figures(table, scores));
    parts.extend(
        further.filter_map(|(name, figure)| Some(format!("{name} {}", tenth(Some(figure?.value))))),
    );
    parts.push(counted(scores.units, "feature", "features"));
    parts.extend(scores.cost.map(|cost| format!("C {}", readable(cost))));
    parts.extend(
        scores
            .learning_rate
            .map(|rate| format!("learning rate {}", readable(rate))),
    );
    parts.join(" · ")
}

fn differences(summary: &ProbeSummary, table: &ProbeTable, pairs: &[ProbePair]) -> Markup {
    let name = |model: usize| summary.models[model].name.as_str();
    html! {
        @if pairs.len() > MAX_PAIRS {
            p.how { (MAX_PAIRS) " of " (pairs.len()) " pairs of models are drawn." }
        }
        div.pairs {
            @for pair in pairs.iter().take(MAX_PAIRS) {
                article.paired {
                    div.heading {
                        h3 { (key(pair.b)) "\u{a0}" (name(pair.b)) " compared with " (key(pair.a)) "\u{a0}" (name(pair.a)) }
                    }
                    p { (sentence(words::metric(table), pair.difference, [name(pair.a), name(pair.b)])) }
                    (difference_strip(&table.protocol.metric, pair.b, pair.difference))
                }
            }
        }
    }
}

const HEADINGS: [&str; 4] = ["Model", "Features", "Score", "95 % interval"];

/// Every figure of the table.
fn figures(summary: &ProbeSummary, table: &ProbeTable, pairs: &[ProbePair]) -> Markup {
    let ends = |ends| interval(ends).unwrap_or_else(|| UNKNOWN.to_owned());
    let models = summary.models.iter().zip(&table.models);
    let scored: Vec<_> = models
        .filter_map(|(model, scores)| Some((model, scores.as_ref()?)))
        .collect();
    html! {
        details {
            summary { "All figures" }
            div.scroll {
                table.scores {
                    thead { tr {
                        @for heading in HEADINGS { th { (heading) } }
                        @for name in words::further(table) { th { (words::capitalised(name)) } }
                        @if let Some(chosen) = words::chosen(table) { th { (chosen) } }
                    } }
                    tbody {
                        @for (model, scores) in scored {
                            tr {
                                td { (model.name) } td { (grouped(scores.units)) }
                                td { (tenth(Some(scores.score.value))) } td { (ends(scores.score.interval)) }
                                @for figure in words::further_figures(table, scores) { td { (tenth(figure.map(|figure| figure.value))) } }
                                @if words::chosen(table).is_some() {
                                    td { @match scores.cost.or(scores.learning_rate) { Some(chosen) => (readable(chosen)), None => (UNKNOWN) } }
                                }
                            }
                        }
                        @for pair in pairs {
                            tr {
                                td { (summary.models[pair.b].name) " minus " (summary.models[pair.a].name) } td {}
                                td { (signed(Some(pair.difference.value))) } td { (ends(pair.difference.interval)) }
                                @if words::is_of_pixels(table) { td {} td {} } @else {
                                    td { (signed(pair.top5_difference.map(|top5| top5.value))) } td {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
