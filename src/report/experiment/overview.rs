//! Draws the table of training runs.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::groups::{Group, mean_and_ends, tenths};
use crate::experiment::{Experiment, TrainingRun};
use crate::report::models::mark::key;
use crate::report::models::number::{UNKNOWN, counted, tenth};

/// One row for each group of runs.
pub(super) fn overview(experiment: &Experiment, groups: &[Group<'_>]) -> Markup {
    let has_knn = experiment
        .runs
        .iter()
        .any(|run| !run.results.knn.is_empty());
    let is_data_known = experiment
        .runs
        .iter()
        .all(|run| run.results.data_set.is_some());
    let has_seeds = groups.iter().any(|group| group.runs.len() > 1);
    html! {
        @if has_seeds {
            p.how {
                "Runs that differ in their seed alone share a row, a mark and a colour: the mean, and below it the smallest and the \
                greatest value."
            }
        }
        p.how {
            "The loss is divided by its value at chance level, since losses with queues of different lengths are not comparable: at 1 \
            nothing is learned. It is the mean of the last 10 lines of the log. "
            @if has_knn { "kNN is the accuracy on labelled images before and after the training. " }
            "The time is that of the training steps, without evaluations and checkpoints."
            @if !is_data_known { " Name the folders of the shards too to see here what a run was trained on." }
        }
        div.scroll {
            table.overview.runs {
                thead {
                    tr {
                        th { "Run" } th { "Method" } th { "Data" } th { "Records" } th { "Steps" }
                        th { "Loss / chance" span { "at the end" } }
                        @if has_knn { th { "kNN, %" span { "first → last (chance)" } } }
                        th { "Time" } th { "Images/s" }
                    }
                }
                tbody {
                    @for (index, group) in groups.iter().enumerate() {
                        (row(experiment, index, group, has_knn))
                    }
                }
            }
        }
    }
}

fn row(experiment: &Experiment, index: usize, group: &Group<'_>, has_knn: bool) -> Markup {
    let first = &group.runs[0].results;
    let set = first
        .data_set
        .and_then(|index| experiment.data_sets.get(index));
    let notes: usize = group.runs.iter().map(|run| run.notes.len()).sum();
    html! {
        tr {
            th {
                (key(index)) " " (group.name)
                @if group.runs.len() > 1 {
                    span { (counted(group.runs.len(), "run", "runs")) ", seeds " (group.seeds()) }
                }
                @if notes > 0 { span.warned { "⚠ " (counted(notes, "note", "notes")) " below" } }
            }
            td { (first.method()) }
            @match set {
                Some(set) => {
                    td { (set.name) span { (kinds(&set.results.inspection)) } }
                    td { b { (HumanCount(set.results.inspection.totals.records)) } }
                }
                None => {
                    td { span { "shards " (first.dataset_xxh64) } }
                    td {
                        @match first.records_per_epoch() {
                            Some(records) => { b { (HumanCount(records)) } span { "an epoch" } }
                            None => (UNKNOWN),
                        }
                    }
                }
            }
            td { (steps(group)) }
            td { (loss(group)) }
            @if has_knn { td { (knn(group)) } }
            td { @match mean_and_ends(&group.values(TrainingRun::seconds)) {
                Some((mean, _)) => b { (duration(mean)) },
                None => (UNKNOWN),
            } }
            td { @match mean_and_ends(&group.values(TrainingRun::images_per_second)) {
                Some((mean, _)) => b { (HumanCount(mean.round() as u64)) },
                None => (UNKNOWN),
            } }
        }
    }
}

/// Kinds of pairs of a data set.
fn kinds(inspection: &crate::inspect::Inspection) -> String {
    let kinds = inspection.kinds.top.iter();
    let kinds: Vec<&str> = kinds.map(|share| share.value.name()).collect();
    kinds.join(", ")
}

fn steps(group: &Group<'_>) -> Markup {
    let of = |run: &TrainingRun| (run.last_step(), run.total_steps().unwrap_or(0));
    let all = group.runs.iter().map(|run| of(&run.results));
    let (steps, total) = all.min().unwrap_or_default();
    html! {
        b { (HumanCount(steps)) }
        @if steps < total { span { "of " (HumanCount(total)) } }
    }
}

fn loss(group: &Group<'_>) -> Markup {
    let ratio = mean_and_ends(&group.values(TrainingRun::final_loss_over_chance));
    let loss = mean_and_ends(&group.values(TrainingRun::final_loss));
    html! {
        @match ratio {
            None => (UNKNOWN),
            Some((mean, [low, high])) => {
                b { (format!("{mean:.3}")) }
                @if group.runs.len() > 1 { span { (format!("{low:.3} to {high:.3}")) } }
                @if let Some((loss, _)) = loss { span { (format!("{loss:.2}")) " nats" } }
            }
        }
    }
}

fn knn(group: &Group<'_>) -> Markup {
    let first = group.values(|run| Some(100.0 * run.knn.first()?.knn?));
    let last = group.values(|run| Some(100.0 * run.knn.last()?.knn?));
    let chance = group.values(|run| Some(100.0 * run.knn.last()?.knn_chance?));
    html! {
        @match (mean_and_ends(&first), mean_and_ends(&last)) {
            (Some((first, _)), Some((last, ends))) => {
                b { (tenth(Some(first))) " → " (tenth(Some(last))) }
                @if let Some((chance, _)) = mean_and_ends(&chance) { " (" (tenth(Some(chance))) ")" }
                @if group.runs.len() > 1 { span { "last " (tenths(ends)) } }
            }
            _ => (UNKNOWN),
        }
    }
}

/// `1 h 5 min`, `3 min 20 s`, `12 s`, `0.4 s`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_units_that_a_reader_can_compare() {
        let texts = [0.44, 12.4, 200.0, 3_900.0].map(duration);
        assert_eq!(texts, ["0.4 s", "12 s", "3 min 20 s", "1 h 5 min"]);
    }
}
