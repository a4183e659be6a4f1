//! Combines the invariances of all units into scores.

use super::firing::Sign;
use super::plan::{Plan, ScoreError};
use super::rule::Rule;
use super::units::{NUM_UNITS_AT_ONCE, ScoredUnits, Scratch, UnitRows};
use super::warning::Warning;
use super::{Features, Labels, ScoreOptions, Version, ceiling};

/// The score by one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Version of the score.
    pub version: Version,
    /// Classes that are targets, ascending; empty for [`Version::Goodfellow`], whose only target is all inputs.
    pub targets: Vec<u32>,
    /// Nominal share `G` of the images for which a unit fires, percent.
    pub firing_percent: f64,
    /// The score at each `K` of the options, in their order; for [`Version::Goodfellow`] one score, over its share of the units.
    pub top: Vec<TopScore>,
    /// Invariance of every unit for every target.
    pub units: UnitMatrix,
    /// Number of units that fire for at least one image of the sets that count.
    pub num_firing_units: usize,
    /// Reasons why the score may not distinguish models.
    pub warnings: Vec<Warning>,
}

/// The score over the best units of each target.
#[derive(Debug, Clone, PartialEq)]
pub struct TopScore {
    /// `K` of the options; for [`Version::Goodfellow`] the number of units in its share.
    pub num_top: usize,
    /// Score of each target, percent.
    pub per_target: Vec<f64>,
    /// Score: mean over the targets, percent.
    pub mean: f64,
    /// Upper bound of the score for any features of the same number of units on these labels, percent.
    ///
    /// A unit fires for a limited number of images (under [`Version::PublishedCode`] for twice that number, one in each tail), and each
    /// image adds a share of a set to a target. The bound assigns the images of all units to the targets where they add most, to each
    /// target at most the images that `K` units can use. It is 100 if targets have sets of the right size and there are enough units.
    /// By the formula a unit can be perfect for one target only: with `C` targets of equal size and fewer than `K C` units the bound is
    /// `100 D / (K C)`. By the published code the bound is multiplied by `G` over the smallest possible `G_i`, which differs from `G`
    /// where `N G` is not a whole number.
    ///
    /// By the formula the bound is exact for `K C` units or more, and for fewer if targets are of equal size and `D` is a multiple of
    /// `K`. Otherwise it may be unreachable, because the images of one unit cannot be divided freely.
    pub ceiling: f64,
}

/// Invariance `I = L / G` of every unit for every target, `D x C`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitMatrix {
    values: Vec<f64>,
    num_targets: usize,
    signs: Vec<Sign>,
}

impl UnitMatrix {
    /// Number of units `D`.
    pub fn num_units(&self) -> usize {
        self.signs.len()
    }

    /// Number of targets `C`, at least 1.
    pub fn num_targets(&self) -> usize {
        self.num_targets
    }

    /// `I` of one unit for every target; empty if there is no such unit.
    pub fn of_unit(&self, unit_index: usize) -> &[f64] {
        let mut rows = self.values.chunks_exact(self.num_targets);
        rows.nth(unit_index).unwrap_or_default()
    }

    /// `I` of every unit for one target; empty if there is no such target.
    pub fn of_target(&self, target_index: usize) -> impl Iterator<Item = f64> + '_ {
        let rows = self.values.chunks_exact(self.num_targets);
        rows.filter_map(move |row| row.get(target_index).copied())
    }

    /// The sign of every unit.
    pub fn signs(&self) -> &[Sign] {
        &self.signs
    }

    /// The `num_top` most invariant units for one target, best first; ties go to the lower index.
    pub fn best_units(&self, target_index: usize, num_top: usize) -> Vec<usize> {
        let mut units: Vec<(f64, usize)> = self.of_target(target_index).zip(0..).collect();
        units.sort_by(|a, b| b.0.total_cmp(&a.0));
        let units = units.into_iter().map(|(_, unit)| unit);
        units.take(num_top).collect()
    }
}

/// Combines blocks of units. Holds `D x C` numbers of 8 bytes for each version.
#[derive(Debug)]
pub struct Combiner {
    num_units: usize,
    next_unit: usize,
    versions: Vec<UnitRows>,
}

impl Combiner {
    /// A combiner for features of `num_units` units, scored by `plan`.
    pub fn new(plan: &Plan, num_units: usize) -> Self {
        let empty = |rule: &Rule| UnitRows {
            invariance: Vec::with_capacity(num_units * rule.num_targets()),
            signs: Vec::with_capacity(num_units),
        };
        Self {
            num_units,
            next_unit: 0,
            versions: plan.rules().iter().map(empty).collect(),
        }
    }

    /// Adds the next block.
    ///
    /// # Errors
    /// [`ScoreError::Units`] if it does not follow the last block.
    pub fn push(&mut self, units: ScoredUnits) -> Result<(), ScoreError> {
        let end = units.first_unit + units.num_units;
        if units.first_unit != self.next_unit || end > self.num_units {
            return Err(self.refused(units.first_unit, end));
        }
        for (all, new) in self.versions.iter_mut().zip(units.versions) {
            all.invariance.extend(new.invariance);
            all.signs.extend(new.signs);
        }
        self.next_unit = end;
        Ok(())
    }

    /// The scores, in the order of the plan's versions.
    ///
    /// # Errors
    /// [`ScoreError::Units`] if units are missing.
    pub fn finish(self, plan: &Plan) -> Result<Vec<Score>, ScoreError> {
        if self.next_unit != self.num_units {
            return Err(self.refused(self.next_unit, self.next_unit));
        }
        let versions = self.versions.into_iter().zip(plan.rules());
        Ok(versions
            .map(|(rows, rule)| {
                let units = UnitMatrix {
                    values: rows.invariance,
                    num_targets: rule.num_targets(),
                    signs: rows.signs,
                };
                summarize(units, rule, plan)
            })
            .collect())
    }

    fn refused(&self, first: usize, end: usize) -> ScoreError {
        ScoreError::Units {
            first,
            end,
            num_units: self.num_units,
            expected: self.next_unit,
        }
    }
}

/// Scores all units of `features` on the calling thread. Returns a [`Score`] for each of `options.versions`.
///
/// # Errors
/// [`ScoreError`].
pub fn score(
    features: &Features<'_>,
    labels: &Labels,
    options: &ScoreOptions,
) -> Result<Vec<Score>, ScoreError> {
    let plan = Plan::new(labels.clone(), options.clone())?;
    let mut combiner = Combiner::new(&plan, features.num_units());
    let mut scratch = Scratch::default();
    for first in (0..features.num_units()).step_by(NUM_UNITS_AT_ONCE) {
        let end = features.num_units().min(first + NUM_UNITS_AT_ONCE);
        combiner.push(plan.score_units(features, first..end, &mut scratch)?)?;
    }
    combiner.finish(&plan)
}

fn summarize(units: UnitMatrix, rule: &Rule, plan: &Plan) -> Score {
    let num_units = units.num_units();
    let tops = match rule.version {
        Version::Goodfellow => vec![plan.options().num_in_share(num_units)],
        Version::Formula | Version::PublishedCode => plan.options().top.clone(),
    };
    let most = tops
        .iter()
        .copied()
        .max()
        .expect("options have at least one K");
    let most = most.min(num_units);
    let best = best_of_targets(&units, most);
    let mut warnings = Warning::of(plan, rule, num_units);
    let mut top = Vec::with_capacity(tops.len());
    for num_top in tops {
        let num = num_top.min(num_units);
        let mean = |best: &[f64]| best.iter().take(num).sum::<f64>() / num as f64;
        let per_target: Vec<f64> = best
            .chunks_exact(most)
            .map(|best| mean(best) * rule.percent)
            .collect();
        let mean = per_target.iter().sum::<f64>() / per_target.len() as f64;
        let ceiling = ceiling::ceiling(rule, plan.labels().num_images(), num_units, num_top);
        warnings.extend(Warning::saturated(num_top, mean, ceiling));
        top.push(TopScore {
            num_top,
            per_target,
            mean,
            ceiling,
        });
    }
    let rows = units.values.chunks_exact(units.num_targets);
    let num_firing_units = rows
        .filter(|row| row.iter().any(|&invariance| invariance > 0.0))
        .count();
    Score {
        version: rule.version,
        targets: match rule.version {
            Version::Goodfellow => Vec::new(),
            Version::Formula | Version::PublishedCode => rule.targets.clone(),
        },
        firing_percent: rule.percent,
        top,
        num_firing_units,
        units,
        warnings,
    }
}

/// The `most` largest invariances of each target, `C x most`, in falling order.
fn best_of_targets(units: &UnitMatrix, most: usize) -> Vec<f64> {
    let mut best = Vec::with_capacity(units.num_targets * most);
    // Several targets at a time, so that rows are read by cache lines.
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); 16];
    for first in (0..units.num_targets).step_by(columns.len()) {
        columns.iter_mut().for_each(Vec::clear);
        for row in units.values.chunks_exact(units.num_targets) {
            let part = row.iter().skip(first);
            for (column, &value) in columns.iter_mut().zip(part) {
                column.push(value);
            }
        }
        for column in columns.iter_mut().filter(|column| !column.is_empty()) {
            let falling = |a: &f64, b: &f64| b.total_cmp(a);
            if most < column.len() {
                column.select_nth_unstable_by(most, falling);
                column.truncate(most);
            }
            column.sort_unstable_by(falling);
            best.extend_from_slice(column);
        }
    }
    best
}
