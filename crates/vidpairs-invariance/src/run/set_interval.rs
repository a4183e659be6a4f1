//! The interval of a score over the sets of its targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_types::Seed;

use super::blocks::{BlockCrew, in_blocks};
use crate::measure::interval::{BootstrapOptions, ClassSets, Interval, SilentSets, over_sets};
use crate::measure::{Features, Plan, Score, ScoreError, Version};

/// What is drawn from.
pub(super) struct Resampling {
    /// How often.
    pub options: BootstrapOptions,
    /// Where it starts.
    pub seed: Seed,
}

/// The interval of `score` for its best `num_top` units when each target's sets are drawn again; none where no target has two sets,
/// or where the version has no targets.
///
/// # Errors
/// [`RunError`] if a thread cannot be started, a unit was lost, or the work was cancelled.
pub(super) fn set_interval(
    (features, plan, score): (&Arc<Features<'static>>, &Arc<Plan>, &Score),
    num_top: usize,
    resampling: &Resampling,
    crew: BlockCrew<'_>,
) -> Result<Option<Interval>, RunError> {
    let silent = match score.version {
        Version::Formula => SilentSets::Counted,
        Version::PublishedCode => SilentSets::LeftOut,
        Version::Goodfellow => return Ok(None),
    };
    let sets = Arc::new(sets_of_targets(plan, score));
    if sets.iter().all(|sets| sets.len() < 2) {
        return Ok(None);
    }
    let num_top = num_top.min(score.units.num_units());
    // Of each unit the targets that it is one of the best for, and the place among those.
    let mut users: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for target in 0..score.targets.len() {
        for (place, unit) in score
            .units
            .best_units(target, num_top)
            .into_iter()
            .enumerate()
        {
            users.entry(unit).or_default().push((target, place));
        }
    }
    let mut shares: Vec<Vec<f64>> = sets
        .iter()
        .map(|sets| vec![0.0; sets.len().max(1) * num_top])
        .collect();
    let users: Arc<Vec<_>> = Arc::new(users.into_iter().collect());
    let (version, percent) = (score.version, score.firing_percent);
    let firing = {
        let (features, plan) = (Arc::clone(features), Arc::clone(plan));
        let (users, sets) = (Arc::clone(&users), Arc::clone(&sets));
        move |block: usize| -> Result<Vec<Vec<f64>>, ScoreError> {
            let Some((unit, targets)) = users.get(block) else {
                return Ok(Vec::new());
            };
            let firing = plan.firing(&features, *unit, version)?;
            let of_target = |&(target, _): &(usize, usize)| {
                let sets = sets.get(target).map(Vec::as_slice).unwrap_or_default();
                let share = |&set: &usize| firing.share_of_set.get(set).copied().flatten();
                let shares = sets.iter().map(|set| share(set).unwrap_or(0.0));
                let worth = firing.invariance.get(target).copied().unwrap_or(0.0) * percent;
                scaled(shares.collect(), silent, worth)
            };
            Ok(targets.iter().map(of_target).collect())
        }
    };
    let (mut block, mut error) = (0, None);
    in_blocks("the firing of units", users.len(), crew, firing, |found| {
        let targets = users.get(block).map(|(_, targets)| targets.as_slice());
        match found {
            Err(err) => error = Some(err),
            Ok(found) => {
                for (&(target, place), found) in targets.unwrap_or_default().iter().zip(found) {
                    let rows = shares
                        .get_mut(target)
                        .map(|it| it.chunks_exact_mut(num_top));
                    for (row, share) in rows.into_iter().flatten().zip(found) {
                        if let Some(room) = row.get_mut(place) {
                            *room = share;
                        }
                    }
                }
            }
        }
        block += 1;
    })?;
    if let Some(err) = error {
        return Err(RunError::Lost {
            what: "the firing of units",
            reason: err.to_string(),
        });
    }
    let classes: Vec<ClassSets<'_>> = shares
        .iter()
        .map(|shares| ClassSets {
            shares,
            num_units: num_top,
        })
        .collect();
    Ok(over_sets(&classes, silent, resampling.options, resampling.seed).ok())
}

/// Of each target the places of its sets that are large enough.
fn sets_of_targets(plan: &Plan, score: &Score) -> Vec<Vec<usize>> {
    let labels = plan.labels();
    let mut all = vec![Vec::new(); score.targets.len()];
    for (place, set) in labels.sets().iter().enumerate() {
        let class = labels.classes().get(set.class_index);
        let target = class.and_then(|class| score.targets.binary_search(class).ok());
        let is_counted = set.num_images >= score.version.min_images();
        if let Some(sets) = target
            .filter(|_| is_counted)
            .and_then(|target| all.get_mut(target))
        {
            sets.push(place);
        }
    }
    all
}

/// Shares times the factor that makes their mean what the unit is worth to the target, in percent.
fn scaled(mut shares: Vec<f64>, silent: SilentSets, worth: f64) -> Vec<f64> {
    let num = match silent {
        SilentSets::Counted => shares.len(),
        SilentSets::LeftOut => shares.iter().filter(|&&share| share > 0.0).count(),
    };
    let mean = shares.iter().sum::<f64>() / num.max(1) as f64;
    let factor = if mean > 0.0 { worth / mean } else { 0.0 };
    shares.iter_mut().for_each(|share| *share *= factor);
    shares
}
