//! Draws the scores of models: invariances and probes.

use maud::{Markup, html};
use vidpairs_invariance::run::probe::{ProbeScores, ProbeSummary};
use vidpairs_invariance::run::{InvarianceSummary, MeasuredModel, MeasuredPanel};

use super::groups::Group;
use super::seeds::{ModelGroup, Scores, legend, model_groups, seeds};
use crate::experiment::{Experiment, Part};
use crate::report::models::difference::Pairs;
use crate::report::models::number::{counted, known};
use crate::report::{invariance, probe};

/// Number of models up to which the plots of single models are open.
const OPEN_UP_TO: usize = 6;

pub(super) fn invariances(experiment: &Experiment, trained: &[Group<'_>]) -> Markup {
    html! {
        @for part in &experiment.invariances {
            @let summary = &part.results.summary;
            @let groups = model_groups(&summary.models, &part.results.runs, trained);
            div.of-invariances {
                (heading(part, &invariance::headline(summary)))
                @let warnings = summary.panels.iter().map(|panel| panel.warnings.len()).sum();
                (folded_warnings(warnings, &invariance::all_warnings(summary)))
                (of_groups(groups.as_deref(), &panels(summary), &summary.models))
                details.printed open[is_open(groups.as_deref(), summary.models.len())] {
                    summary { "Scores of each model: retrieval, intervals, controls and ceilings" }
                    (invariance::plots(summary))
                    (invariance::tables(summary))
                }
                @let pairs = pairs(groups.as_deref());
                details {
                    summary { @if pairs == Pairs::Shown { "Differences of models, and scores of each target" } @else { "Scores of each target" } }
                    (more_is_in(&part.path, pairs))
                    (invariance::all_details(summary, pairs))
                }
                (invariance::all_left_out(summary))
            }
        }
        (invariance::notes::reading())
    }
}

pub(super) fn probes(experiment: &Experiment, trained: &[Group<'_>]) -> Markup {
    html! {
        @for (index, part) in experiment.probes.iter().enumerate() {
            @let summary = &part.results.summary;
            @let groups = model_groups(&summary.models, &part.results.runs, trained);
            @let ids = format!("probe-{index}");
            div.of-probes {
                (heading(part, &probe::headline(summary)))
                @let warnings: usize = summary.tables.iter().map(|table| table.warnings.len()).sum();
                @if warnings > 0 {
                    p.note {
                        "⚠ " (counted(warnings, "warning", "warnings")) " below the scores of the tables: read them before you trust the scores"
                    }
                }
                (of_groups(groups.as_deref(), &tables(summary), &summary.models))
                @let pairs = pairs(groups.as_deref());
                details.printed open[is_open(groups.as_deref(), summary.models.len())] {
                    summary {
                        "Scores of each model, "
                        @if pairs == Pairs::Shown { "differences of models, " }
                        "classes"
                    }
                    (more_is_in(&part.path, pairs))
                    (probe::legend())
                    (probe::overview::overview(summary, &ids))
                    (probe::all_sections(summary, &ids, pairs))
                }
                (probe::all_left_out(summary))
            }
        }
    }
}

fn heading<T>(part: &Part<T>, headline: &str) -> Markup {
    html! {
        h3.of-part { bdi { (part.name) } " " span { (headline) } }
        (super::notes(&part.notes))
    }
}

fn folded_warnings(num: usize, warnings: &Markup) -> Markup {
    html! {
        @if num > 0 {
            details.printed {
                summary { "⚠ " (counted(num, "warning", "warnings")) " to read before you trust the scores" }
                (warnings)
            }
        }
    }
}

fn of_groups(
    groups: Option<&[ModelGroup]>,
    subjects: &[Scores],
    models: &[MeasuredModel],
) -> Markup {
    html! {
        @if let Some(groups) = groups {
            (legend(groups))
            @for scores in subjects { (seeds(scores, groups, models)) }
        }
    }
}

fn is_open(groups: Option<&[ModelGroup]>, num_models: usize) -> bool {
    groups.is_none() && num_models <= OPEN_UP_TO
}

/// Differences of single models are left out where there are groups, whose differences are in a table.
fn pairs(groups: Option<&[ModelGroup]>) -> Pairs {
    match groups {
        Some(_) => Pairs::LeftOut,
        None => Pairs::Shown,
    }
}

fn more_is_in(path: &str, pairs: Pairs) -> Markup {
    html! {
        p.how {
            "The images of best and worst cases "
            @if pairs == Pairs::LeftOut { "and the differences of single models " }
            "are in " bdi { (path) "/report.html" } "."
        }
    }
}

/// The shown score of every panel.
fn panels(summary: &InvarianceSummary) -> Vec<Scores> {
    let of_panel = |panel: &MeasuredPanel| {
        let models = panel.models.iter().map(Option::as_ref);
        let shown: Vec<_> = models.map(|scores| scores?.shown()).collect();
        Scores {
            title: invariance::words::title(summary, panel),
            counts: invariance::words::counts(panel),
            score: invariance::words::shown_score(summary),
            floors: shown.iter().map(|score| (*score)?.control()).collect(),
            floor_name: "random features",
            values: shown.iter().map(|score| known((*score)?.figure)).collect(),
        }
    };
    summary.panels.iter().map(of_panel).collect()
}

/// The score of every table.
fn tables(summary: &ProbeSummary) -> Vec<Scores> {
    let tables = summary.tables.iter().map(|table| {
        let value = |scores: &ProbeScores| known(scores.score);
        Scores {
            title: probe::words::title(summary, table),
            counts: probe::words::counts(table),
            score: probe::words::metric(table).to_owned(),
            floors: vec![table.chance; summary.models.len()],
            floor_name: "guessing",
            values: table
                .models
                .iter()
                .map(|scores| scores.as_ref().and_then(value))
                .collect(),
        }
    });
    tables.collect()
}
