//! Scores of all units, and what they come to for each target.

use super::firing::Sign;
use super::plan::{Plan, ScoreError};
use super::rule::Rule;
use super::units::{ScoredUnits, UnitRows};
use super::{Version, Warning};

/// One version of the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Which.
    pub version: Version,
    /// The classes that are targets, ascending; none for [`Version::Goodfellow`], whose one target is all inputs.
    pub targets: Vec<u32>,
    /// The nominal share `G` of images for which a unit fires, in percent.
    pub firing_percent: f64,
    /// For each wanted `K`, in the order of the options; for [`Version::Goodfellow`] one, for its share of the units.
    pub top: Vec<TopScore>,
    /// What every unit is worth to every target.
    pub units: UnitMatrix,
    /// Units that fire for any image that counts.
    pub num_firing_units: usize,
    /// What keeps the score from telling models apart.
    pub warnings: Vec<Warning>,
}

/// The score over the best units of each target.
#[derive(Debug, Clone, PartialEq)]
pub struct TopScore {
    /// `K` as it was asked for; of [`Version::Goodfellow`] the units in its share.
    pub num_top: usize,
    /// For each target, in percent.
    pub per_target: Vec<f64>,
    /// Their mean: the score, in percent.
    pub mean: f64,
    /// The score that no features of so many units can exceed on these labels, in percent.
    ///
    /// A unit may fire for so many images and no more (under [`Version::PublishedCode`] for twice as many, one end each), and
    /// each image brings a target a share of a set. The bound gives the images of all units to the targets where they
    /// bring most, to each at most what `K` units can use. So it is 100 where targets have sets of the right size and
    /// there are units enough. By the formula a unit can be perfect for one target only: `C` targets of
    /// equal size and fewer than `K C` units have `100 D / (K C)`. By the published code the bound is multiplied by `G` over the
    /// smallest possible `G_i`, which is not quite `G` where `N G` is no whole number.
    ///
    /// By the formula it is exact for `K C` units or more, and for fewer where targets are of equal size and `D` is a multiple of `K`.
    /// Otherwise it may be more than what can be reached, since the images of one unit cannot be divided at will.
    pub ceiling: f64,
}

/// `I = L / G` of every unit for every target: `D x C`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitMatrix {
    values: Vec<f64>,
    num_targets: usize,
    signs: Vec<Sign>,
}

impl UnitMatrix {
    /// `D`.
    pub fn num_units(&self) -> usize {
        self.signs.len()
    }

    /// `C`, at least 1.
    pub fn num_targets(&self) -> usize {
        self.num_targets
    }

    /// `I` of one unit for every target; none where there is no such unit.
    pub fn of_unit(&self, unit_index: usize) -> &[f64] {
        let start = unit_index.saturating_mul(self.num_targets);
        let rest = self.values.get(start..).unwrap_or_default();
        rest.get(..self.num_targets).unwrap_or_default()
    }

    /// `I` of every unit for one target; none where there is no such target.
    pub fn of_target(&self, target_index: usize) -> impl Iterator<Item = f64> + '_ {
        let rows = self.values.chunks_exact(self.num_targets);
        rows.filter_map(move |row| row.get(target_index).copied())
    }

    /// The sign of every unit.
    pub fn signs(&self) -> &[Sign] {
        &self.signs
    }

    /// The `num_top` most invariant units for one target, best first; of equal ones the first unit is better.
    pub fn best_units(&self, target_index: usize, num_top: usize) -> Vec<usize> {
        let mut units: Vec<(f64, usize)> = self.of_target(target_index).zip(0..).collect();
        units.sort_by(|a, b| b.0.total_cmp(&a.0));
        let units = units.into_iter().map(|(_, unit)| unit);
        units.take(num_top).collect()
    }
}

/// Puts blocks of units together. Holds `D x C` numbers of 8 bytes for each version.
#[derive(Debug)]
pub struct Combiner {
    num_units: usize,
    next_unit: usize,
    versions: Vec<UnitRows>,
}

impl Combiner {
    /// For features of `num_units` units, scored by `plan`.
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

    /// Takes the next units.
    ///
    /// # Errors
    /// [`ScoreError::Units`] if they do not follow the last ones.
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

fn summarize(units: UnitMatrix, rule: &Rule, plan: &Plan) -> Score {
    let num_units = units.num_units();
    let tops = match rule.version {
        Version::Goodfellow => vec![plan.options().num_in_share(num_units)],
        Version::Formula | Version::PublishedCode => plan.options().top.clone(),
    };
    let most = tops.iter().copied().max().unwrap_or(1).min(num_units);
    let best = best_of_targets(&units, most);
    let top: Vec<TopScore> = tops
        .iter()
        .map(|&num_top| {
            let num = num_top.min(num_units);
            let mean = |best: &[f64]| best.iter().take(num).sum::<f64>() / num as f64;
            let per_target: Vec<f64> = best
                .chunks_exact(most)
                .map(|best| mean(best) * rule.percent)
                .collect();
            TopScore {
                num_top,
                mean: per_target.iter().sum::<f64>() / per_target.len() as f64,
                per_target,
                ceiling: plan
                    .ceiling(rule.version, num_units, num_top)
                    .unwrap_or(100.0),
            }
        })
        .collect();
    let mut warnings = plan.warnings(rule, num_units);
    warnings.extend(top.iter().filter_map(Warning::of_top));
    let rows = units.values.chunks_exact(units.num_targets);
    let num_firing_units = rows.filter(|row| row.iter().any(|&it| it > 0.0)).count();
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

/// The `most` largest numbers of each target, `C x most`, falling.
fn best_of_targets(units: &UnitMatrix, most: usize) -> Vec<f64> {
    let mut best = Vec::with_capacity(units.num_targets * most);
    // Some targets at a time, so that the rows are read by cache lines.
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
