//! Draws the scores of models whose names differ in their seed alone: a row for each group, with a mark for each seed.

use maud::{Markup, html};
use vidpairs_invariance::run::MeasuredModel;

use super::axis::Axis;
use super::claims::claims;
use super::groups::{Group, distinct, mean_and_ends, seed, tenths, without_seed};
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
    /// Seed of each member by its training run; `None` if one of the runs was not read.
    seeds_of_runs: Option<Vec<String>>,
    /// Number at the end of the name of each member; empty without one.
    seeds_of_names: Vec<String>,
}

impl ModelGroup {
    /// Members of both groups that have the same seed. Seeds are those of the training runs if all of these are known, else the numbers at
    /// the end of the names.
    pub fn paired(&self, other: &Self) -> Vec<(usize, usize)> {
        let (own, others) = match (&self.seeds_of_runs, &other.seeds_of_runs) {
            (Some(own), Some(others)) => (own, others),
            _ => (&self.seeds_of_names, &other.seeds_of_names),
        };
        let partner = |(member, seed): (&usize, &String)| {
            let place = others.iter().position(|other| other == seed)?;
            (!seed.is_empty()).then_some((*member, other.members[place]))
        };
        self.members.iter().zip(own).filter_map(partner).collect()
    }
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
/// are known, these must be of one group as well.
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
    let mut by_stem: Vec<(Option<&str>, Vec<usize>)> = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let stem = without_seed(&model.name);
        let is_same = |(other, _): &&mut (Option<&str>, _)| stem.is_some() && *other == stem;
        match by_stem.iter_mut().find(is_same) {
            Some((_, members)) => members.push(index),
            None => by_stem.push((stem, vec![index])),
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
        let are_seeds = members.len() > 1 && has_one_network && have_own_runs && have_one_group;
        match stem.filter(|_| are_seeds) {
            Some(stem) => groups.push((stem.to_owned(), members)),
            None => groups.extend(
                members
                    .into_iter()
                    .map(|member| (models[member].name.clone(), vec![member])),
            ),
        }
    }
    if groups.iter().all(|(_, members)| members.len() == 1) {
        return None;
    }
    let named = groups.iter().map(|(name, members)| {
        let names = members.iter().map(|&member| models[member].name.as_str());
        (name.clone(), names.collect())
    });
    let names = distinct(named.collect());
    let seed_of_run = |run: usize| {
        let group = &trained[group_of(run)?];
        let place = group.indices.iter().position(|&index| index == run)?;
        seed(&group.runs[place].results)
    };
    let seed_of_name = |model: usize| {
        let name = models[model].name.as_str();
        let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        name[stem.len()..].to_owned()
    };
    let mut taken: Vec<usize> = Vec::new();
    let mut next = trained.len();
    let marked = groups.into_iter().zip(names).map(|((_, members), name)| {
        let run = members.iter().find_map(|&member| run_of(member));
        let own = run.and_then(group_of).filter(|mark| !taken.contains(mark));
        let mark = own.unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        taken.push(mark);
        let seeds_of_runs = members
            .iter()
            .map(|&member| seed_of_run(run_of(member)?))
            .collect();
        ModelGroup {
            name,
            mark,
            seeds_of_runs,
            seeds_of_names: members.iter().map(|&member| seed_of_name(member)).collect(),
            members,
        }
    });
    Some(marked.collect())
}

/// A row for each group, and a table of means and differences.
///
/// - `models`: all models, for the names of those without a score.
pub(super) fn seeds(scores: &Scores, groups: &[ModelGroup], models: &[MeasuredModel]) -> Markup {
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
    let unscored = models.iter().zip(&scores.values);
    let unscored: Vec<&str> = unscored
        .filter(|(_, value)| !value.is_some_and(f64::is_finite))
        .map(|(model, _)| model.name.as_str())
        .collect();
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
            (claims(scores, groups))
            @if !unscored.is_empty() { p.note { "⚠ not scored: " bdi { (unscored.join(", ")) } } }
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
            "Models whose names differ in a number at their end are taken for seeds of one model: "
            (counted(several, "row has", "rows have")) " several. A mark is the score of one seed, percent, the vertical line their mean; the \
            number is the mean, then the smallest and the greatest score. The table has the mean with Student's 95\u{a0}% interval over the seeds, \
            and the mean of the differences between models with equal seeds, with its interval: where it contains 0, the seeds do not show a \
            difference. One seed has no interval. " span.swatch {} " The shade ends at the score without learning. \
            The marks are those of the training runs where these are on the page; in the folded parts each model has its own."
        }
    }
}
