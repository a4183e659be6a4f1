//! Draws the table of training runs.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::groups::{Group, mean_and_ends, tenths};
use crate::experiment::{Experiment, TrainingRun};
use crate::report::models::mark::{DIFFERENT_MARKS, key};
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
                "Runs with different seeds and otherwise equal settings share a row, a mark and a colour: the mean, and below it the smallest \
                and the greatest value. The mean is that of the finished runs; the row says if some have no value."
            }
        }
        @if groups.len() > DIFFERENT_MARKS {
            p.how { "Marks repeat after " (DIFFERENT_MARKS) " rows; the lines of the curves differ in their dashes." }
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
                        th { "Time" } th { "Records/s" }
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
                (key(index)) " " bdi { (group.name) }
                @if group.runs.len() > 1 {
                    span { (counted(group.runs.len(), "run", "runs")) ", seeds " (group.seeds()) }
                }
                @if let Some(other) = &group.copy_of {
                    span.warned { "same settings and seed as " bdi { (other) } ": no further seed" }
                }
                @if notes > 0 { span.warned { "⚠ " (counted(notes, "note", "notes")) " below" } }
            }
            td { (first.method()) }
            @match set {
                Some(set) => {
                    td { bdi { (set.name) } span { (kinds(&set.results.inspection)) } }
                    td { (records(first, set.results.inspection.totals.records)) }
                }
                None => {
                    td { span { "shards " (first.dataset_xxh64) } }
                    td {
                        @match (first.chosen_records(), first.records_per_epoch()) {
                            (Some(chosen), _) => b { (HumanCount(chosen)) },
                            (None, Some(records)) => { b { (HumanCount(records)) } span { "an epoch" } }
                            (None, None) => (UNKNOWN),
                        }
                    }
                }
            }
            td { (steps(group)) }
            td { (loss(group)) }
            @if has_knn { td { (knn(group)) } }
            td { (single(group, TrainingRun::seconds, duration)) }
            td { (single(group, TrainingRun::records_per_second, |speed| HumanCount(speed.round() as u64).to_string())) }
        }
    }
}

/// Records that a run trains on, of those of its data set.
fn records(run: &TrainingRun, all: u64) -> Markup {
    html! {
        @match run.chosen_records().filter(|chosen| *chosen < all) {
            Some(chosen) => { b { (HumanCount(chosen)) } span { "of " (HumanCount(all)) } }
            None => b { (HumanCount(all)) },
        }
    }
}

/// The mean of a value.
fn single(
    group: &Group<'_>,
    value: impl Fn(&TrainingRun) -> Option<f64>,
    text: impl Fn(f64) -> String,
) -> Markup {
    let values = group.values(value);
    html! {
        @match mean_and_ends(&values) {
            Some((mean, _)) => { b { (text(mean)) } (coverage(group, values.len())) }
            None => (UNKNOWN),
        }
    }
}

/// Number of seeds that a mean is of, where it is not all of them, and whether it is that of the end.
fn coverage(group: &Group<'_>, num: usize) -> Markup {
    html! {
        @if num < group.runs.len() { span { (num) " of " (counted(group.runs.len(), "seed", "seeds")) } }
        @if !group.is_one_finished() { span { "so far" } }
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
    let ratios = group.values(TrainingRun::final_loss_over_chance);
    let loss = mean_and_ends(&group.values(TrainingRun::final_loss));
    html! {
        @match mean_and_ends(&ratios) {
            None => (UNKNOWN),
            Some((mean, [low, high])) => {
                b { (format!("{mean:.3}")) }
                @if ratios.len() > 1 { span { (format!("{low:.3} to {high:.3}")) } }
                @if let Some((loss, _)) = loss { span { (format!("{loss:.2}")) " nats" } }
                (coverage(group, ratios.len()))
            }
        }
    }
}

fn knn(group: &Group<'_>) -> Markup {
    let both = |run: &TrainingRun| {
        let (first, last) = (run.knn.first()?.knn?, run.knn.last()?.knn?);
        Some((100.0 * first, 100.0 * last))
    };
    let first = group.values(|run| Some(both(run)?.0));
    let last = group.values(|run| Some(both(run)?.1));
    let chance = group.values(|run| Some(100.0 * run.knn.last()?.knn_chance?));
    html! {
        @match (mean_and_ends(&first), mean_and_ends(&last)) {
            (Some((first, _)), Some((mean, ends))) => {
                b { (tenth(Some(first))) " → " (tenth(Some(mean))) }
                @if let Some((chance, _)) = mean_and_ends(&chance) { " (" (tenth(Some(chance))) ")" }
                @if last.len() > 1 { span { "last " (tenths(ends)) } }
                (coverage(group, last.len()))
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
