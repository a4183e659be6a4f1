//! What keeps a score from telling models apart.

use std::fmt;

use super::rule::Rule;
use super::{Labels, ScoreOptions, TopScore, Version};

/// Fewer units for each of the best than this, and the best are extremes of hardly anything.
const UNITS_PER_TOP: usize = 20;
/// Fewer targets than this, and one of them decides.
const FEW_TARGETS: usize = 10;
/// A score of so much of its ceiling has nowhere to go.
const SATURATED: f64 = 0.98;

/// What keeps a score from telling models apart. [`Display`](fmt::Display) says it in a sentence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The best units are chosen among few: such a score can stay while the representation changes.
    FewUnits {
        /// `D`.
        num_units: usize,
        /// `K`.
        num_top: usize,
    },
    /// There are fewer units than the targets would need for themselves, so the ceiling is below 100.
    SharedUnits {
        /// `D`.
        num_units: usize,
        /// `K`.
        num_top: usize,
        /// `C`.
        num_targets: usize,
    },
    /// The mean is over few targets.
    FewTargets {
        /// `C`.
        num_targets: usize,
    },
    /// With one target no unit can be told from one that fires for everything.
    OneTarget,
    /// No set of a target is large enough: such a target scores 0.
    TargetsWithoutSets {
        /// How many.
        num: usize,
    },
    /// Images of one set have different classes; that of the first counts.
    MixedSets {
        /// How many sets.
        num: usize,
    },
    /// Nearly all that can be reached is reached.
    Saturated {
        /// `K`.
        num_top: usize,
        /// In percent.
        score: f64,
        /// In percent.
        ceiling: f64,
    },
}

impl Warning {
    pub(super) fn of(
        rule: &Rule,
        labels: &Labels,
        options: &ScoreOptions,
        num_units: usize,
    ) -> Vec<Self> {
        let mut found = Vec::new();
        let num_targets = rule.num_targets();
        let mixed = labels.sets().iter().filter(|set| set.is_mixed).count();
        if rule.version == Version::Goodfellow {
            return found;
        }
        for &num_top in &options.top {
            if num_units < UNITS_PER_TOP * num_top {
                found.push(Self::FewUnits { num_units, num_top });
            }
            if rule.version == Version::Formula && num_units < num_top * num_targets {
                found.push(Self::SharedUnits {
                    num_units,
                    num_top,
                    num_targets,
                });
            }
        }
        match num_targets {
            1 => found.push(Self::OneTarget),
            few if few < FEW_TARGETS => found.push(Self::FewTargets { num_targets }),
            _ => {}
        }
        let num_empty = rule.num_sets.iter().filter(|&&num| num == 0.0).count();
        if num_empty > 0 {
            found.push(Self::TargetsWithoutSets { num: num_empty });
        }
        if mixed > 0 {
            found.push(Self::MixedSets { num: mixed });
        }
        found
    }

    pub(super) fn of_top(top: &TopScore) -> Option<Self> {
        let is_saturated = top.mean > 0.0 && top.mean >= SATURATED * top.ceiling;
        is_saturated.then_some(Self::Saturated {
            num_top: top.num_top,
            score: top.mean,
            ceiling: top.ceiling,
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FewUnits { num_units, num_top } => write!(
                f,
                "K = {num_top} of only {num_units} units: the score may stay while the representation changes; \
                 expected {} units or more",
                UNITS_PER_TOP * num_top
            ),
            Self::SharedUnits {
                num_units,
                num_top,
                num_targets,
            } => write!(
                f,
                "{num_units} units are fewer than {num_top} for each of {num_targets} targets, and each can be perfect for one only: \
                 the ceiling is below 100"
            ),
            Self::FewTargets { num_targets } => write!(
                f,
                "only {num_targets} targets: one of them can decide the score; look at each"
            ),
            Self::OneTarget => f.write_str(
                "only one target: a unit that fires for everything cannot be told from an invariant one",
            ),
            Self::TargetsWithoutSets { num: 1 } => {
                f.write_str("1 target has no set that is large enough, and scores 0")
            }
            Self::TargetsWithoutSets { num } => write!(
                f,
                "{num} targets have no set that is large enough, and score 0"
            ),
            Self::MixedSets { num: 1 } => {
                f.write_str("1 set has images of several classes; that of its first image counts")
            }
            Self::MixedSets { num } => write!(
                f,
                "{num} sets have images of several classes; that of the first image counts"
            ),
            Self::Saturated {
                num_top,
                score,
                ceiling,
            } => write!(
                f,
                "the best units (K = {num_top}) score {score:.1} of {ceiling:.1}: better models could not score more"
            ),
        }
    }
}
