//! Draws the curves of training runs: loss and kNN accuracy over steps, further metrics folded.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::HumanCount;
use maud::{Markup, html};

use super::chart::{Chart, Level, Line, chart, sample};
use super::groups::Group;
use crate::experiment::{StepMetrics, TrainingRun};
use crate::report::models::number::{finite, tenth};

/// Maximum number of points of a line.
const MAX_POINTS: u64 = 160;
/// Maximum number of groups with a line for each seed. With more, the means alone can be told apart.
const MAX_WITH_SEEDS: usize = 12;

/// A metric of steps, with its title and its axis.
type Metric = (&'static str, &'static str, fn(&StepMetrics) -> Option<f64>);

const FURTHER: [Metric; 7] = [
    (
        "Similarity of positives",
        "mean cosine; supervised: share classified correctly",
        |metrics| metrics.positive_similarity,
    ),
    ("Similarity of negatives", "mean cosine", |metrics| {
        metrics.negative_similarity
    }),
    (
        "Spread",
        "1 if embeddings are spread evenly, 0 if they collapse",
        |metrics| metrics.spread,
    ),
    ("Effective dimensions", "of the embeddings", |metrics| {
        metrics.effective_dimensions
    }),
    ("Learning rate", "", |metrics| metrics.learning_rate),
    ("Throughput", "records per second", |metrics| {
        metrics.images_per_second
    }),
    ("Waiting for data", "share of the time, %", |metrics| {
        Some(100.0 * metrics.waiting?)
    }),
];

/// All curves, with one legend.
pub(super) fn curves(groups: &[Group<'_>]) -> Markup {
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let runs = || groups.iter().flat_map(|group| &group.runs);
    let last_step = runs().map(|run| run.results.last_step()).max().unwrap_or(0);
    let width = last_step.div_ceil(MAX_POINTS).max(1);
    let drawn = |title, y_name, levels: &[Level], has_names, lines: &[Line]| {
        chart(&Chart {
            title,
            y_name,
            lines,
            levels,
            names: &names,
            has_names,
        })
    };
    let of_steps = |value: fn(&StepMetrics) -> Option<f64>| {
        lines(groups, width, |run| {
            run.steps
                .iter()
                .map(|metrics| (metrics.step, value(metrics)))
                .collect()
        })
    };
    let knn = lines(groups, width, |run| {
        let percent = |share: Option<f64>| Some(100.0 * share?);
        run.knn
            .iter()
            .map(|metrics| (metrics.step, percent(metrics.knn)))
            .collect()
    });
    let chance = [Level {
        value: 1.0,
        name: "chance".to_owned(),
    }];
    html! {
        p.how {
            @if width == 1 { "Each point is a logged step." }
            @else { "Each point is the mean of the logged steps in a stretch of " (HumanCount(width)) " steps." }
            @if groups.iter().any(|group| group.runs.len() > 1) {
                " A thick line is the mean of the seeds that have come so far and have a finite value there"
                @if groups.len() <= MAX_WITH_SEEDS { "; the thin lines are the seeds" } "."
            }
        }
        div.key-of-lines {
            @for (index, name) in names.iter().enumerate() { span { (sample(index)) " " bdi { (name) } } }
        }
        (drawn("Loss", "loss / loss at chance level", &chance, true, &of_steps(StepMetrics::loss_over_chance)))
        (drawn("kNN accuracy", "%, on labelled images", &knn_chance(groups), true, &knn))
        details.further {
            summary { "Further curves: similarities, spread, effective dimensions, learning rate, throughput, waiting" }
            div.charts {
                @for (title, y_name, value) in FURTHER { (drawn(title, y_name, &[], false, &of_steps(value))) }
            }
        }
    }
}

/// Levels of always answering the most frequent label. Runs with the same labelled images share one.
fn knn_chance(groups: &[Group<'_>]) -> Vec<Level> {
    let runs = groups.iter().flat_map(|group| &group.runs);
    let chances = runs.filter_map(|run| run.results.knn.last()?.knn_chance);
    let mut levels: Vec<Level> = Vec::new();
    for value in chances.filter_map(|chance| finite(100.0 * chance)) {
        let name = format!("chance {}", tenth(Some(value)));
        if !levels.iter().any(|level| level.name == name) {
            levels.push(Level { value, name });
        }
    }
    levels
}

/// Lines of all groups: one for each run, and the mean of each group with several.
///
/// - `width`: steps whose values are averaged.
/// - `values`: steps and values of a run, ascending.
fn lines(
    groups: &[Group<'_>],
    width: u64,
    values: impl Fn(&TrainingRun) -> Vec<(u64, Option<f64>)>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for (group, runs) in groups.iter().map(|group| &group.runs).enumerate() {
        let line = |points: Bins, is_seed| Line {
            group,
            is_seed,
            points: points.into_values().collect(),
        };
        let binned: Vec<Bins> = runs
            .iter()
            .map(|run| bins(&values(&run.results), width))
            .collect();
        lines.push(line(mean_of(&binned), false));
        if binned.len() > 1 && groups.len() <= MAX_WITH_SEEDS {
            lines.extend(binned.into_iter().map(|points| line(points, true)));
        }
    }
    lines
}

/// Mean step and mean value by stretch of steps; `None` where no value is finite.
type Bins = BTreeMap<u64, Option<(f64, f64)>>;

fn bins(values: &[(u64, Option<f64>)], width: u64) -> Bins {
    let mut sums: BTreeMap<u64, (f64, f64, f64)> = BTreeMap::new();
    for &(step, value) in values {
        // Step 0 is before the training; the first stretch ends with step `width`.
        let sum = sums.entry(step.div_ceil(width)).or_default();
        if let Some(value) = value.and_then(finite) {
            *sum = (sum.0 + 1.0, sum.1 + step as f64, sum.2 + value);
        }
    }
    let mean =
        |(num, steps, values): (f64, f64, f64)| (num > 0.0).then(|| (steps / num, values / num));
    sums.into_iter()
        .map(|(bin, sum)| (bin, mean(sum)))
        .collect()
}

/// The mean over the runs that have come to a stretch. Stretches in which one of these logged nothing are left out, so that the line does not
/// jump between runs that log at different steps.
fn mean_of(runs: &[Bins]) -> Bins {
    let bins: BTreeSet<u64> = runs.iter().flat_map(|run| run.keys().copied()).collect();
    let has_come =
        |run: &&Bins, bin: u64| run.last_key_value().is_some_and(|(last, _)| *last >= bin);
    let mean = |bin: u64| {
        let there = runs.iter().filter(|run| has_come(run, bin));
        let values: Option<Vec<&Option<(f64, f64)>>> = there.map(|run| run.get(&bin)).collect();
        let values: Vec<(f64, f64)> = values?.into_iter().flatten().copied().collect();
        let num = values.len() as f64;
        let sum = values
            .iter()
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        Some((num > 0.0).then(|| (sum.0 / num, sum.1 / num)))
    };
    let means = bins.into_iter().filter_map(|bin| Some((bin, mean(bin)?)));
    means.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_at_most_the_points_that_are_asked_for_and_keeps_the_means() {
        let values: Vec<_> = (1..=1_000).map(|step| (step, Some(step as f64))).collect();
        let binned = bins(&values, 10);
        assert_eq!(binned.len(), 100);
        assert_eq!(binned[&1], Some((5.5, 5.5)));
    }

    #[test]
    fn a_line_is_broken_where_no_value_is_finite_and_the_first_step_stands_alone() {
        let values = [
            (0, Some(0.5)),
            (1, Some(f64::NAN)),
            (2, None),
            (3, Some(1.0)),
        ];
        let points: Vec<_> = bins(&values, 2).into_values().collect();
        assert_eq!(points, [Some((0.0, 0.5)), None, Some((3.0, 1.0))]);
    }

    fn run(values: &[f64]) -> Bins {
        let values: Vec<_> = (1..).zip(values.iter().map(|value| Some(*value))).collect();
        bins(&values, 1)
    }

    fn means(runs: &[Bins]) -> Vec<Option<(f64, f64)>> {
        mean_of(runs).into_values().collect()
    }

    #[test]
    fn the_mean_of_seeds_goes_on_with_the_seeds_that_have_come_so_far() {
        assert_eq!(
            means(&[run(&[1.0, 3.0, 9.0]), run(&[2.0, 5.0]), Bins::new()]),
            [Some((1.0, 1.5)), Some((2.0, 4.0)), Some((3.0, 9.0))]
        );
        assert!(mean_of(&[]).is_empty());
    }

    #[test]
    fn a_seed_whose_loss_is_not_finite_does_not_break_the_mean_of_the_others() {
        assert_eq!(
            means(&[run(&[1.0, f64::NAN]), run(&[2.0, 5.0])]),
            [Some((1.0, 1.5)), Some((2.0, 5.0))]
        );
        assert_eq!(means(&[run(&[f64::NAN])]), [None]);
    }

    #[test]
    fn the_mean_of_seeds_that_log_at_different_steps_is_of_the_steps_that_all_have() {
        let rare = bins(&[(2, Some(1.0)), (4, Some(1.0))], 1);
        assert_eq!(
            means(&[run(&[3.0, 3.0, 3.0, 3.0]), rare]),
            [Some((2.0, 2.0)), Some((4.0, 2.0))]
        );
    }
}
