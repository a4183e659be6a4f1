//! Chooses a cost from the scores of the folds.

use super::super::grid::{best, fallback};
use super::search::FoldScores;

/// Where the cost of a class comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostSource {
    /// Cross-validation of the class.
    Validated,
    /// The class has too few positives or negatives for the folds. It has the cost of the greatest mean score over the classes that
    /// were validated.
    OtherClasses,
    /// No class could be validated: the cost of the grid that is nearest to 1, as a ratio.
    Fallback,
}

/// Cost of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct CostChoice {
    /// Chosen cost. Of equal scores, the smaller cost.
    pub cost: f64,
    /// Where it comes from.
    pub source: CostSource,
    /// Mean average precision over the folds of each cost, 0 to 1, in the order of [`SvmOptions::costs`](super::SvmOptions::costs); empty if
    /// the class was not validated.
    pub scores: Vec<f64>,
    /// Number of folds in which the machine of each cost did not converge, in the same order.
    pub num_not_converged: Vec<usize>,
    /// Greatest [`violation`](super::Convergence::violation) of each cost over the folds, in the same order.
    pub violations: Vec<f64>,
}

/// Costs of all classes.
#[derive(Debug, Clone, PartialEq)]
pub struct CostChoices {
    /// Costs that were compared.
    pub costs: Vec<f64>,
    /// Choice for each class.
    pub per_class: Vec<CostChoice>,
    /// Score of each cost: mean over the validated classes. Empty if no class was validated.
    pub mean_scores: Vec<f64>,
}

/// Choice of the costs from blocks in the order of their number.
#[derive(Debug, Clone)]
pub struct ChoosingCost {
    costs: Vec<f64>,
    num_folds: usize,
    classes: Vec<ClassSum>,
}

#[derive(Debug, Clone, Default)]
struct ClassSum {
    num_folds: usize,
    scores: Vec<f64>,
    num_not_converged: Vec<usize>,
    violations: Vec<f64>,
}

impl ChoosingCost {
    pub(super) fn new(costs: &[f64], num_classes: usize, num_folds: usize) -> Self {
        let empty = ClassSum {
            num_folds: 0,
            scores: vec![0.0; costs.len()],
            num_not_converged: vec![0; costs.len()],
            violations: vec![0.0; costs.len()],
        };
        Self {
            costs: costs.to_vec(),
            num_folds,
            classes: vec![empty; num_classes],
        }
    }

    /// Takes the scores of the next block.
    pub fn take(&mut self, scores: FoldScores) {
        let (Some(costs), Some(sum)) = (scores.costs, self.classes.get_mut(scores.class)) else {
            return;
        };
        sum.num_folds += 1;
        for (place, cost) in costs.into_iter().enumerate() {
            sum.scores[place] += cost.average_precision;
            sum.num_not_converged[place] += usize::from(!cost.convergence.is_converged);
            let violation = &mut sum.violations[place];
            *violation = violation.max(cost.convergence.violation);
        }
    }

    /// Chooses.
    pub fn finish(self) -> CostChoices {
        let mean_scores = self.mean_scores();
        let common = best(&mean_scores);
        let (costs, num_folds) = (self.costs, self.num_folds as f64);
        let choose = |sum: ClassSum| {
            let scores: Vec<f64> = match sum.num_folds > 0 {
                true => sum.scores.iter().map(|score| score / num_folds).collect(),
                false => Vec::new(),
            };
            let (place, source) = match (best(&scores), common) {
                (Some(own), _) => (own, CostSource::Validated),
                (None, Some(common)) => (common, CostSource::OtherClasses),
                (None, None) => (fallback(&costs), CostSource::Fallback),
            };
            CostChoice {
                cost: costs[place],
                source,
                scores,
                num_not_converged: sum.num_not_converged,
                violations: sum.violations,
            }
        };
        CostChoices {
            per_class: self.classes.into_iter().map(choose).collect(),
            mean_scores,
            costs,
        }
    }

    fn mean_scores(&self) -> Vec<f64> {
        let validated = || self.classes.iter().filter(|sum| sum.num_folds > 0);
        let num = validated().count() * self.num_folds;
        let mean =
            |place: usize| validated().map(|sum| sum.scores[place]).sum::<f64>() / num as f64;
        match num {
            0 => Vec::new(),
            _ => (0..self.costs.len()).map(mean).collect(),
        }
    }
}
