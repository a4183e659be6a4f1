//! Computes the confidence interval of a score over the sets of its targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_types::Seed;

use super::blocks::{BlockCrew, in_blocks};
use crate::measure::interval::{
    BootstrapOptions, ClassSets, Interval, IntervalError, SilentSets, over_sets,
};
use crate::measure::{Features, Plan, Score, ScoreError, Version};

/// Options and seed of the bootstrap.
pub(super) struct Resampling {
    /// Options of the bootstrap.
    pub options: BootstrapOptions,
    /// Random seed.
    pub seed: Seed,
}

/// An interval, or none if there are too few parts to resample, or if two models do not have the same parts.
///
/// # Errors
/// [`RunError::Lost`] for any other reason.
pub(super) fn known(
    interval: Result<Interval, IntervalError>,
) -> Result<Option<Interval>, RunError> {
    match interval {
        Ok(interval) => Ok(Some(interval)),
        Err(
            IntervalError::TooFew { .. }
            | IntervalError::OneSetEach { .. }
            | IntervalError::OtherClasses { .. },
        ) => Ok(None),
        Err(err) => Err(RunError::Lost {
            what: "a confidence interval",
            reason: err.to_string(),
        }),
    }
}

/// The interval of `score` over its `num_top` best units when the sets of each target are resampled; none if no target has two sets, or if
/// the version has no targets.
///
/// # Errors
/// [`RunError`]: a thread cannot be started, a unit was lost, or the work was cancelled.
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
    // For each unit, the targets among whose best units it is, and its rank there.
    let mut users: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for target in 0..score.targets.len() {
        let units = score.units.best_units(target, num_top);
        for (rank, unit) in units.into_iter().enumerate() {
            users.entry(unit).or_default().push((target, rank));
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
            let (unit, targets): &(usize, Vec<(usize, usize)>) = &users[block];
            let firing = plan.firing(&features, *unit, version)?;
            let of_target = |&(target, _): &(usize, usize)| {
                let share = |&set: &usize| {
                    firing.share_of_set[set].expect("only sets that count were collected")
                };
                let shares = sets[target].iter().map(share).collect();
                scaled(shares, silent, firing.invariance[target] * percent)
            };
            Ok(targets.iter().map(of_target).collect())
        }
    };
    let (mut block, mut error) = (0, None);
    in_blocks("the firing of units", users.len(), crew, firing, |found| {
        let (_, targets) = &users[block];
        match found {
            Err(err) => error = Some(err),
            Ok(found) => {
                for (&(target, rank), found) in targets.iter().zip(found) {
                    let rows = shares[target].chunks_exact_mut(num_top);
                    rows.zip(found).for_each(|(row, share)| row[rank] = share);
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
    known(over_sets(
        &classes,
        silent,
        resampling.options,
        resampling.seed,
    ))
}

/// The sets of each target that are large enough to count.
fn sets_of_targets(plan: &Plan, score: &Score) -> Vec<Vec<usize>> {
    let labels = plan.labels();
    let mut all = vec![Vec::new(); score.targets.len()];
    for (index, set) in labels.sets().iter().enumerate() {
        let class = labels.classes()[set.class_index];
        if set.num_images >= score.version.min_images()
            && let Ok(target) = score.targets.binary_search(&class)
        {
            all[target].push(index);
        }
    }
    all
}

/// Scales shares so that their mean is `worth`: the invariance of the unit for the target, percent.
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
