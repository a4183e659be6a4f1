//! Draws the overview of several tables: models in rows, tables in columns.

use maud::{Markup, html};
use vidpairs_invariance::run::probe::{ProbeSummary, ProbeTable};

use super::words;
use crate::report::models::mark::key;
use crate::report::models::number::{UNKNOWN, counted, interval, known, tenth};

/// Address of a table within the page.
pub(super) fn anchor(ids: &str, table_index: usize) -> String {
    format!("{ids}-{table_index}")
}

/// Scores of all models in all tables; the best of each table is marked. A heading leads to its table. Empty for a single table.
///
/// - `ids`: beginning of the addresses of the tables.
pub(in crate::report) fn overview(summary: &ProbeSummary, ids: &str) -> Markup {
    let groups = groups(summary);
    let columns: Vec<usize> = groups.iter().flatten().copied().collect();
    let best: Vec<Option<String>> = columns.iter().map(|&index| best(summary, index)).collect();
    html! {
        @if columns.len() > 1 {
            section.wide {
                h2 { "Overview" }
                p.how {
                    "Scores in percent, with their 95 % intervals. "
                    @if best.iter().any(Option::is_some) {
                        b.best { "Marked" } " is the best score of a table. "
                    }
                    "A heading leads to its table, where the models are compared."
                }
                div.scroll {
                    table.overview.tables {
                        thead {
                            tr {
                                th rowspan="2" { "Model" }
                                @for group in &groups { (heading(summary, group)) }
                            }
                            tr { @for &index in &columns { (column(ids, index, &summary.tables[index])) } }
                        }
                        tbody {
                            @for (model, measured) in summary.models.iter().enumerate() {
                                tr {
                                    th { (key(model)) " " (measured.name) @if !measured.note.is_empty() { span { (measured.note) } } }
                                    @for (&index, best) in columns.iter().zip(&best) {
                                        (cell(&summary.tables[index], model, best.as_deref()))
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

/// Tables of one classifier on one data set, which differ in their stage.
fn groups(summary: &ProbeSummary) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, table) in summary.tables.iter().enumerate() {
        let is_of = |group: &&mut Vec<usize>| {
            let first = &summary.tables[group[0]];
            let of = |table: &ProbeTable| {
                (
                    table.kind.clone(),
                    table.path.clone(),
                    table.protocol.probe.clone(),
                )
            };
            table.stage.is_some() && of(first) == of(table)
        };
        match groups.iter_mut().find(is_of) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// Classifier, data set and score over the columns of a group.
fn heading(summary: &ProbeSummary, group: &[usize]) -> Markup {
    let table = &summary.tables[group[0]];
    html! {
        th.group colspan=(group.len()) {
            (words::classifier(table))
            span { (words::data_set(summary, table)) ", " (table.protocol.metric) }
        }
    }
}

/// Heading of one column: the stage, and whether there are warnings.
fn column(ids: &str, index: usize, table: &ProbeTable) -> Markup {
    let stage = table.stage.as_deref();
    let warnings = counted(table.warnings.len(), "warning", "warnings");
    html! {
        th {
            a href={ "#" (anchor(ids, index)) } { (stage.unwrap_or("scores")) }
            @if !table.warnings.is_empty() { " " i.warned title=(warnings) { "⚠" } }
        }
    }
}

/// The best score as it is shown; `None` if there is nothing to compare.
fn best(summary: &ProbeSummary, table_index: usize) -> Option<String> {
    let models = summary.tables[table_index].models.iter().flatten();
    let scores: Vec<f64> = models.filter_map(|scores| known(scores.score)).collect();
    let best = scores.iter().copied().reduce(f64::max)?;
    (scores.len() > 1).then(|| tenth(Some(best)))
}

/// Models whose scores look the same are all marked.
fn cell(table: &ProbeTable, model: usize, best: Option<&str>) -> Markup {
    let scores = table.models.get(model).and_then(Option::as_ref);
    let Some(scores) = scores else {
        return html! { td { span { (UNKNOWN) } } };
    };
    let score = tenth(Some(scores.score.value));
    let class = if best == Some(&score) { "best" } else { "" };
    html! {
        td { b class=(class) { (score) } span { (interval(scores.score.interval).unwrap_or_default()) } }
    }
}
