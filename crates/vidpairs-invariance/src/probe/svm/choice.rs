//! Chooses a cost from the scores of the folds.

use super::super::{Truth, Truths};
use super::options::{Criterion, SvmOptions};
use super::search::FoldScores;

/// Where nothing could be validated, the nearest cost to this is taken.
const FALLBACK: f64 = 1.0;

/// Where the cost of a class comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostSource {
    /// Cross-validation of the class, or of all classes by accuracy.
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
    /// Mean score over the folds of each cost, 0 to 1, in the order of [`SvmOptions::costs`]; empty if the class was not validated, and by
    /// accuracy, whose scores are in [`CostChoices::mean_scores`].
    pub scores: Vec<f64>,
    /// Number of folds in which the machine of each cost did not converge, in the same order.
    pub num_not_converged: Vec<usize>,
}

/// Costs of all classes.
#[derive(Debug, Clone, PartialEq)]
pub struct CostChoices {
    /// Costs that were compared.
    pub costs: Vec<f64>,
    /// Choice for each class.
    pub per_class: Vec<CostChoice>,
    /// Score of each cost: mean over the validated classes, or accuracy. Empty if no class was validated.
    pub mean_scores: Vec<f64>,
}

/// Choice of the costs from blocks in the order of their number.
#[derive(Debug, Clone)]
pub struct ChoosingCost {
    options: SvmOptions,
    num_folds: usize,
    classes: Vec<ClassSum>,
    answers: Answers,
}

#[derive(Debug, Clone, Default)]
struct ClassSum {
    num_folds: usize,
    scores: Vec<f64>,
    num_not_converged: Vec<usize>,
}

/// By accuracy alone.
#[derive(Debug, Clone, Default)]
struct Answers {
    /// True class of each image.
    classes: Vec<usize>,
    /// `costs x N`: the greatest decision value so far, and its class.
    best: Vec<(f64, usize)>,
    fold: Vec<usize>,
}

impl ChoosingCost {
    pub(super) fn new(options: &SvmOptions, truths: &Truths, num_folds: usize) -> Self {
        let num_costs = options.costs.len();
        let empty = ClassSum {
            num_folds: 0,
            scores: vec![0.0; num_costs],
            num_not_converged: vec![0; num_costs],
        };
        let answers = match options.criterion {
            Criterion::AveragePrecision => Answers::default(),
            Criterion::Accuracy => Answers {
                classes: (0..truths.num_images())
                    .map(|image| {
                        let mut classes = truths.classes();
                        let class = classes.position(|truths| truths[image] == Truth::Positive);
                        class.expect("each image shows one class")
                    })
                    .collect(),
                best: vec![(f64::NEG_INFINITY, usize::MAX); num_costs * truths.num_images()],
                fold: vec![0; truths.num_images()],
            },
        };
        Self {
            options: options.clone(),
            num_folds,
            classes: vec![empty; truths.num_classes()],
            answers,
        }
    }

    /// Takes the scores of the next block.
    pub fn take(&mut self, scores: FoldScores) {
        let (Some(costs), Some(sum)) = (scores.costs, self.classes.get_mut(scores.class)) else {
            return;
        };
        sum.num_folds += 1;
        let num_images = self.answers.classes.len();
        for (place, cost) in costs.into_iter().enumerate() {
            sum.scores[place] += cost.average_precision;
            sum.num_not_converged[place] += usize::from(!cost.convergence.is_converged);
            for (&image, decision) in scores.images.iter().zip(cost.decisions) {
                let best = &mut self.answers.best[place * num_images + image];
                // Of equal decision values, the class that comes first.
                if decision > best.0 {
                    *best = (decision, scores.class);
                }
                self.answers.fold[image] = scores.fold;
            }
        }
    }

    /// Chooses.
    pub fn finish(self) -> CostChoices {
        let costs = self.options.costs.clone();
        let mean_scores = match self.options.criterion {
            Criterion::AveragePrecision => self.mean_precisions(),
            Criterion::Accuracy => self.accuracies(),
        };
        let common = best(&mean_scores);
        let by_accuracy = self.options.criterion == Criterion::Accuracy;
        let num_folds = self.num_folds as f64;
        let choose = |sum: ClassSum| {
            let is_validated = sum.num_folds > 0;
            let scores: Vec<f64> = match is_validated && !by_accuracy {
                true => sum.scores.iter().map(|score| score / num_folds).collect(),
                false => Vec::new(),
            };
            let (place, source) = match (best(&scores), common) {
                (Some(own), _) => (own, CostSource::Validated),
                (None, Some(common)) if by_accuracy => (common, CostSource::Validated),
                (None, Some(common)) => (common, CostSource::OtherClasses),
                (None, None) => (nearest_to_fallback(&costs), CostSource::Fallback),
            };
            CostChoice {
                cost: costs[place],
                source,
                scores,
                num_not_converged: sum.num_not_converged,
            }
        };
        CostChoices {
            per_class: self.classes.into_iter().map(choose).collect(),
            mean_scores,
            costs,
        }
    }

    fn mean_precisions(&self) -> Vec<f64> {
        let validated = || self.classes.iter().filter(|sum| sum.num_folds > 0);
        let num = validated().count() * self.num_folds;
        let mean =
            |place: usize| validated().map(|sum| sum.scores[place]).sum::<f64>() / num as f64;
        match num {
            0 => Vec::new(),
            _ => (0..self.options.costs.len()).map(mean).collect(),
        }
    }

    /// Mean over the folds of the accuracy. A fold that no class was validated on has no image here.
    fn accuracies(&self) -> Vec<f64> {
        let Answers {
            classes,
            best,
            fold,
        } = &self.answers;
        if self.classes.iter().all(|sum| sum.num_folds == 0) {
            return Vec::new();
        }
        let accuracy = |best: &[(f64, usize)]| {
            let mut folds = vec![(0.0, 0.0f64); self.num_folds];
            for ((&class, &(_, answer)), &fold) in classes.iter().zip(best).zip(fold) {
                folds[fold].0 += f64::from(u8::from(answer == class));
                folds[fold].1 += 1.0;
            }
            let shares = folds.iter().map(|(right, num)| right / num.max(1.0));
            shares.sum::<f64>() / self.num_folds as f64
        };
        best.chunks_exact(classes.len()).map(accuracy).collect()
    }
}

/// Place of the greatest score, the first of equal ones.
fn best(scores: &[f64]) -> Option<usize> {
    let places = (0..scores.len()).rev();
    places.max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
}

fn nearest_to_fallback(costs: &[f64]) -> usize {
    let ratio = |place: usize| (costs[place] / FALLBACK).ln().abs();
    let places = 0..costs.len();
    places
        .min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)))
        .expect("there is a cost")
}
