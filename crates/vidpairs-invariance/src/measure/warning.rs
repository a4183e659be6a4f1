//! Warnings about scores that cannot distinguish models.

use std::fmt;

use super::Version;
use super::plan::Plan;
use super::rule::Rule;

/// Units per `K` below which the best units are chosen among too few.
const UNITS_PER_TOP: usize = 20;
/// Number of targets below which single targets dominate the mean.
const FEW_TARGETS: usize = 10;
/// Share of the ceiling from which a score counts as saturated.
const SATURATED: f64 = 0.98;

/// Reason why a score may not distinguish models. [`Display`](fmt::Display) gives a sentence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The best units are chosen among few: the score may not change when the representation changes.
    FewUnits {
        /// Units `D`.
        num_units: usize,
        /// `K`.
        num_top: usize,
    },
    /// There are fewer than `K` units per target, so the ceiling is below 100.
    SharedUnits {
        /// Units `D`.
        num_units: usize,
        /// `K`.
        num_top: usize,
        /// Targets `C`.
        num_targets: usize,
    },
    /// The score is a mean over few targets.
    FewTargets {
        /// Targets `C`.
        num_targets: usize,
    },
    /// With a single target, an invariant unit cannot be distinguished from one that fires for every image.
    OneTarget,
    /// Targets without a set that is large enough score 0.
    TargetsWithoutSets {
        /// Number of such targets.
        num: usize,
    },
    /// Sets have images of several classes; the class of the first image counts.
    MixedSets {
        /// Number of such sets.
        num: usize,
    },
    /// The score is close to its ceiling.
    Saturated {
        /// `K`.
        num_top: usize,
        /// Score, percent.
        score: f64,
        /// Ceiling, percent.
        ceiling: f64,
    },
}

impl Warning {
    /// Warnings about the labels and the number of units.
    pub(super) fn of(plan: &Plan, rule: &Rule, num_units: usize) -> Vec<Self> {
        let mut warnings = Vec::new();
        if rule.version == Version::Goodfellow {
            return warnings;
        }
        let num_targets = rule.num_targets();
        for &num_top in &plan.options().top {
            if num_units < UNITS_PER_TOP * num_top {
                warnings.push(Self::FewUnits { num_units, num_top });
            }
            if rule.version == Version::Formula && num_units < num_top * num_targets {
                warnings.push(Self::SharedUnits {
                    num_units,
                    num_top,
                    num_targets,
                });
            }
        }
        match num_targets {
            1 => warnings.push(Self::OneTarget),
            few if few < FEW_TARGETS => warnings.push(Self::FewTargets { num_targets }),
            _ => {}
        }
        let num_empty = rule.num_sets.iter().filter(|&&num| num == 0.0).count();
        if num_empty > 0 {
            warnings.push(Self::TargetsWithoutSets { num: num_empty });
        }
        let sets = plan.labels().sets();
        let num_mixed = sets.iter().filter(|set| set.is_mixed).count();
        if num_mixed > 0 {
            warnings.push(Self::MixedSets { num: num_mixed });
        }
        warnings
    }

    /// A warning if `score` is close to its ceiling.
    pub(super) fn saturated(num_top: usize, score: f64, ceiling: f64) -> Option<Self> {
        (score > 0.0 && score >= SATURATED * ceiling).then_some(Self::Saturated {
            num_top,
            score,
            ceiling,
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FewUnits { num_units, num_top } => write!(
                f,
                "K = {num_top} with only {num_units} units: the score may not change when the representation changes; \
                 use {} units or more",
                UNITS_PER_TOP * num_top
            ),
            Self::SharedUnits {
                num_units,
                num_top,
                num_targets,
            } => write!(
                f,
                "{num_units} units are fewer than {num_top} for each of {num_targets} targets, and a unit can be perfect for one \
                 target only: the ceiling is below 100"
            ),
            Self::FewTargets { num_targets } => write!(
                f,
                "only {num_targets} targets: a single target can dominate the score; look at the score of each target"
            ),
            Self::OneTarget => f.write_str(
                "only one target: a unit that fires for every image cannot be distinguished from an invariant one",
            ),
            Self::TargetsWithoutSets { num: 1 } => {
                f.write_str("1 target has no set that is large enough and scores 0")
            }
            Self::TargetsWithoutSets { num } => write!(
                f,
                "{num} targets have no set that is large enough and score 0"
            ),
            Self::MixedSets { num: 1 } => f.write_str(
                "1 set has images of several classes; the class of its first image counts",
            ),
            Self::MixedSets { num } => write!(
                f,
                "{num} sets have images of several classes; the class of the first image counts"
            ),
            Self::Saturated {
                num_top,
                score,
                ceiling,
            } => write!(
                f,
                "saturated: K = {num_top} scores {score:.1}, the ceiling is {ceiling:.1}; better models cannot score higher"
            ),
        }
    }
}
