//! Draws the scores of models whose names differ in their seed alone: a row for each group, with a mark for each seed.

use maud::{Markup, html};
use vidpairs_invariance::run::MeasuredModel;

use super::axis::Axis;
use super::groups::{Group, mean_and_ends, tenths, without_seed};
use crate::report::models::mark::{key, mark_at};
use crate::report::models::number::{UNKNOWN, counted, finite, level, shortened, tenth};

/// Maximum number of letters of a name.
const NAME: usize = 16;

/// Models that differ in their seed alone.
pub(super) struct ModelGroup {
    pub name: String,
    /// Number of its mark: that of the training runs that the models come from, if they were read.
    pub mark: usize,
    /// Indices of the models.
    pub members: Vec<usize>,
}

/// Scores of all models on one subject, percent.
pub(super) struct Scores {
    pub title: String,
    pub counts: String,
    /// Name of the score.
    pub score: String,
    /// Level without learning of each model, and its name.
    pub floors: Vec<Option<f64>>,
    pub floor_name: &'static str,
    /// Score of each model.
    pub values: Vec<Option<f64>>,
}

/// Groups of models, in the order of their first ones; `None` if no group has several.
///
/// Models are seeds of one group if their names differ in a number at their end and they have the same network; where their training runs
/// are known, these must differ in the seed alone as well.
pub(super) fn model_groups(
    models: &[MeasuredModel],
    runs: &[Option<usize>],
    trained: &[Group<'_>],
) -> Option<Vec<ModelGroup>> {
    let run_of = |model: usize| runs.get(model).copied().flatten();
    let group_of = |run: usize| {
        trained
            .iter()
            .position(|group| group.indices.contains(&run))
    };
    let mut by_stem: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let stem = without_seed(&model.name).unwrap_or(&model.name);
        match by_stem.iter_mut().find(|(other, _)| other == stem) {
            Some((_, members)) => members.push(index),
            None => by_stem.push((stem.to_owned(), vec![index])),
        }
    }
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (stem, members) in by_stem {
        let has_one_network = members
            .iter()
            .all(|&member| models[member].note == models[members[0]].note);
        let known: Vec<usize> = members
            .iter()
            .filter_map(|&member| run_of(member))
            .collect();
        let have_own_runs = (1..known.len()).all(|at| !known[..at].contains(&known[at]));
        let have_one_group = known.iter().all(|&run| group_of(run) == group_of(known[0]));
        match members.len() > 1 && has_one_network && have_own_runs && have_one_group {
            true => groups.push((stem, members)),
            false => groups.extend(
                members
                    .into_iter()
                    .map(|member| (models[member].name.clone(), vec![member])),
            ),
        }
    }
    if groups.iter().all(|(_, members)| members.len() == 1) {
        return None;
    }
    let mut taken: Vec<usize> = Vec::new();
    let mut next = trained.len();
    let marked = groups.into_iter().map(|(name, members)| {
        let run = members.iter().find_map(|&member| run_of(member));
        let own = run.and_then(group_of).filter(|mark| !taken.contains(mark));
        let mark = own.unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        taken.push(mark);
        ModelGroup {
            name,
            mark,
            members,
        }
    });
    Some(marked.collect())
}

/// A row for each group.
pub(super) fn seeds(scores: &Scores, groups: &[ModelGroup]) -> Markup {
    let finite_of = |values: &[Option<f64>]| -> Vec<f64> {
        values
            .iter()
            .copied()
            .flatten()
            .filter_map(finite)
            .collect()
    };
    let floors = finite_of(&scores.floors);
    let values = finite_of(&scores.values);
    let Some(axis) = Axis::of(values.iter().chain(&floors).copied()) else {
        return html! {};
    };
    let is_same_floor = floors
        .windows(2)
        .all(|pair| level(Some(pair[0])) == level(Some(pair[1])));
    html! {
        article.panel.seeds {
            div.heading { h3 { (scores.title) } span.number { (scores.counts) } }
            div.plot {
                div.title {
                    (scores.score)
                    @if let Some(floor) = floors.first().filter(|_| is_same_floor) {
                        "; " (scores.floor_name) " " (level(Some(*floor)))
                    } @else if !floors.is_empty() { "; the shade ends at " (scores.floor_name) }
                }
                @for group in groups {
                    @let of_group = |values: &[Option<f64>]| {
                        let members = group.members.iter().map(|&member| values.get(member).copied().flatten());
                        finite_of(&members.collect::<Vec<_>>())
                    };
                    @let of_seeds = of_group(&scores.values);
                    @let floor = mean_and_ends(&of_group(&scores.floors)).map(|(mean, _)| mean);
                    div.name title=(group.name) { (key(group.mark)) span { (shortened(&group.name, NAME, "…")) } }
                    div.track { (track(&axis, group.mark, &of_seeds, floor)) }
                    div.value { (value(&of_seeds)) }
                }
                div.axis aria-hidden="true" {
                    @for tick in axis.ticks() { span style=(format!("left:{:.2}%", axis.along(tick))) { (axis.text(tick)) } }
                }
            }
        }
    }
}

fn track(axis: &Axis, mark: usize, values: &[f64], floor: Option<f64>) -> Markup {
    let at = |value: f64| format!("{:.2}%", axis.along(value));
    let upright = |class: &str, value: f64| html! { line class=(class) x1=(at(value)) x2=(at(value)) y1="0" y2="28" {} };
    html! {
        svg.row width="100%" height="28" aria-hidden="true" {
            @if let Some(floor) = floor { rect.floor x="0" y="0" height="28" width=(at(floor)) {} }
            @for tick in axis.ticks() { (upright("rule", tick)) }
            @if let Some(floor) = floor { (upright("level", floor)) }
            @if values.len() > 1 && let Some((mean, _)) = mean_and_ends(values) { (upright("mean", mean)) }
            @for value in values { (mark_at(mark, &at(*value), "14")) }
        }
    }
}

fn value(values: &[f64]) -> Markup {
    html! {
        @match mean_and_ends(values) {
            None => span { (UNKNOWN) },
            Some((mean, ends)) => {
                b { (tenth(Some(mean))) }
                @if values.len() > 1 { span { (tenths(ends)) } }
            }
        }
    }
}

/// How to read the plots.
pub(super) fn legend(groups: &[ModelGroup]) -> Markup {
    let several = groups
        .iter()
        .filter(|group| group.members.len() > 1)
        .count();
    html! {
        p.how {
            "Models whose names differ in a number at their end are taken as seeds of one model: "
            (counted(several, "row has", "rows have")) " several. A mark is the score of one seed, percent, the vertical line their mean; the \
            number is the mean, then the smallest and the greatest score. " span.swatch {} " The shade ends at the score without learning. \
            The marks are those of the training runs where these are on the page; in the folded parts each model has its own."
        }
    }
}
