//! Cross-validation of costs in blocks, and the machines of the chosen costs.

use vidpairs_types::Seed;

use super::super::folds::Folds;
use super::super::precision::{ApKind, Ranking};
use super::super::{Truth, Truths};
use super::choice::ChoosingCost;
use super::descent::{Descent, Example};
use super::machine::{Convergence, FittedSvm, LinearSvm};
use super::options::{Criterion, IgnoredInTraining, SvmError, SvmOptions};
use crate::measure::Features;
use crate::measure::direction::energy;

/// Cross-validation of the costs of all classes, in one block for each class and fold, and the training of the chosen machines, in one block
/// for each class.
///
/// A class is validated if it has at least as many positives and as many negatives as there are folds, so that each fold has one of each. It
/// is learned if it has at least one of each. Decisions depend neither on the order of the blocks nor on threads.
///
/// The features are neither stored nor copied. A block takes `D x 8` bytes for each cost and 40 bytes for each image.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::Features;
/// use vidpairs_invariance::probe::svm::{SvmOptions, SvmSearch};
/// use vidpairs_invariance::probe::Truths;
/// use vidpairs_types::Seed;
///
/// let features = Features::new(vec![1.0, 0.1, 0.9, 0.0, 1.0, 0.2, 0.1, 1.0, 0.0, 0.9, 0.2, 1.0], 2)?;
/// let truths = Truths::of_single(&[0, 0, 0, 1, 1, 1], 2)?;
/// let search = SvmSearch::new(&features, truths, SvmOptions::vissl(), Seed::of_run(0))?;
/// let choices = search.choose_all(&features)?;
/// let fitted = search.fit(&features, 0, choices.per_class[0].cost)?.unwrap();
/// let decisions = fitted.svm.decide_all(&features);
/// assert!(decisions[..3].iter().all(|&shown| decisions[3..].iter().all(|&other| shown > other)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SvmSearch {
    truths: Truths,
    options: SvmOptions,
    /// For each class, or one for all.
    folds: Vec<Folds>,
    energies: Vec<f64>,
    num_units: usize,
    seed: Seed,
}

/// Scores of all costs for one class and fold.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScores {
    pub(super) class: usize,
    pub(super) fold: usize,
    /// `None`: the class is not validated.
    pub(super) costs: Option<Vec<CostScore>>,
    /// Images that the decisions are of.
    pub(super) images: Vec<usize>,
}

/// Score of one cost for one class and fold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CostScore {
    /// By average precision.
    pub average_precision: f64,
    /// By accuracy: decision value of each held-out image.
    pub decisions: Vec<f64>,
    pub convergence: Convergence,
}

impl SvmSearch {
    /// Draws the folds.
    ///
    /// - `features`: `N x D`; scale the rows to length 1 with [`unit_rows`](crate::probe::unit_rows), otherwise the costs depend on the
    ///   scale of the features.
    /// - `truths`: of the `N` images.
    ///
    /// # Errors
    /// [`SvmError`].
    pub fn new(
        features: &Features<'_>,
        truths: Truths,
        options: SvmOptions,
        seed: Seed,
    ) -> Result<Self, SvmError> {
        options.check()?;
        let num_folds = options.num_folds;
        let folds = match options.criterion {
            Criterion::Accuracy => {
                let strata = single_classes(&truths)?;
                vec![Folds::stratified(&strata, num_folds, seed)]
            }
            Criterion::AveragePrecision => {
                let folds = truths.classes().enumerate().map(|(class, truths)| {
                    let strata: Vec<usize> = truths
                        .iter()
                        .map(|&truth| usize::from(truth == Truth::Positive))
                        .collect();
                    let seed = seed.for_step("class", &class.to_string());
                    Folds::stratified(&strata, num_folds, seed)
                });
                folds.collect()
            }
        };
        Self::with_folds(features, truths, folds, options, seed)
    }

    /// As [`new`](Self::new), with folds that are given: one for each class, or a single one for all classes if the criterion is
    /// [`Criterion::Accuracy`]. `seed` decides the order of the steps of training alone; `options.num_folds` has no effect.
    ///
    /// # Errors
    /// [`SvmError`].
    pub fn with_folds(
        features: &Features<'_>,
        truths: Truths,
        folds: Vec<Folds>,
        options: SvmOptions,
        seed: Seed,
    ) -> Result<Self, SvmError> {
        options.check()?;
        let (num_images, num_classes) = (features.num_images(), truths.num_classes());
        let lengths = |what, found| match found == num_images {
            true => Ok(()),
            false => Err(SvmError::Lengths {
                what,
                found,
                expected: num_images,
            }),
        };
        lengths("labels", truths.num_images())?;
        let expected = match options.criterion {
            Criterion::Accuracy => {
                single_classes(&truths)?;
                1
            }
            Criterion::AveragePrecision => num_classes,
        };
        let differs = folds
            .iter()
            .any(|other| other.num_folds() != folds[0].num_folds());
        if folds.len() != expected || differs || folds[0].num_folds() < 2 {
            return Err(SvmError::Folds {
                found: folds.len(),
                expected,
            });
        }
        for folds in &folds {
            lengths("folds", folds.num_images())?;
        }
        let search = Self {
            energies: features.images().map(energy).collect(),
            num_units: features.num_units(),
            truths,
            options,
            folds,
            seed,
        };
        let mut classes = 0..num_classes;
        if classes.all(|class| search.least(class) == 0) {
            return Err(SvmError::NothingToLearn {
                num_images,
                num_classes,
            });
        }
        Ok(search)
    }

    /// Number of classes `K`.
    pub fn num_classes(&self) -> usize {
        self.truths.num_classes()
    }

    /// Options in force.
    pub fn options(&self) -> &SvmOptions {
        &self.options
    }

    /// Number of blocks of [`validate`](Self::validate).
    pub fn num_blocks(&self) -> usize {
        self.num_classes() * self.num_folds()
    }

    /// Starts the choice of the costs, which takes the blocks in order.
    pub fn choosing(&self) -> ChoosingCost {
        ChoosingCost::new(&self.options, &self.truths, self.num_folds())
    }

    /// Trains on all folds but one for each cost, and scores the one. A block is a class and a fold; any other block than
    /// `0..num_blocks()` has no score.
    ///
    /// - `features`: the features given to [`new`](Self::new).
    ///
    /// # Errors
    /// [`SvmError::Lengths`] if they are of another shape.
    pub fn validate(&self, features: &Features<'_>, block: usize) -> Result<FoldScores, SvmError> {
        self.check(features)?;
        let (class, fold) = (block / self.num_folds(), block % self.num_folds());
        if class >= self.num_classes() || self.least(class) < self.num_folds() {
            return Ok(FoldScores {
                class,
                fold,
                costs: None,
                images: Vec::new(),
            });
        }
        let folds = &self.folds[class.min(self.folds.len() - 1)];
        let examples = self.examples(class, folds.training(fold));
        let seed = self.seed.for_step("svm", &format!("{class} {fold}"));
        let mut descent = Descent::new(features, &self.energies, &examples, &self.options, seed);
        let costs = self.options.costs.iter();
        let trained: Vec<(LinearSvm, Convergence)> =
            costs.map(|&cost| descent.train(cost)).collect();
        let held_out = self.examples(class, folds.held_out(fold));
        Ok(FoldScores {
            class,
            fold,
            costs: Some(self.scored(features, &held_out, &trained)),
            images: held_out.iter().map(|example| example.image).collect(),
        })
    }

    /// Trains the machine of one class on all images with cost `cost`; `None` if the class lacks a positive or a negative, or is none of
    /// `0..num_classes()`.
    ///
    /// - `features`: the features given to [`new`](Self::new).
    ///
    /// # Errors
    /// [`SvmError::Lengths`] if they are of another shape.
    pub fn fit(
        &self,
        features: &Features<'_>,
        class: usize,
        cost: f64,
    ) -> Result<Option<FittedSvm>, SvmError> {
        self.check(features)?;
        if self.least(class) == 0 {
            return Ok(None);
        }
        let examples = self.examples(class, 0..self.truths.num_images());
        let seed = self.seed.for_step("svm", &class.to_string());
        let mut descent = Descent::new(features, &self.energies, &examples, &self.options, seed);
        // Smaller costs first: each is a start for the next, and all together take less time than the cost alone.
        let smaller = self.options.costs.iter().filter(|&&other| other < cost);
        for &smaller in smaller {
            descent.train(smaller);
        }
        let (svm, convergence) = descent.train(cost);
        Ok(Some(FittedSvm { svm, convergence }))
    }

    /// Chooses the costs on the calling thread.
    ///
    /// # Errors
    /// [`SvmError::Lengths`].
    pub fn choose_all(&self, features: &Features<'_>) -> Result<super::CostChoices, SvmError> {
        let mut choosing = self.choosing();
        for block in 0..self.num_blocks() {
            choosing.take(self.validate(features, block)?);
        }
        Ok(choosing.finish())
    }

    fn num_folds(&self) -> usize {
        self.folds[0].num_folds()
    }

    /// Number of positives or of negatives in training, whichever is smaller.
    fn least(&self, class: usize) -> usize {
        let (mut positives, mut negatives) = (0, 0);
        for example in self.examples(class, 0..self.truths.of_class(class).len()) {
            *(if example.is_positive {
                &mut positives
            } else {
                &mut negatives
            }) += 1;
        }
        usize::min(positives, negatives)
    }

    /// The images that are trained on or scored for a class.
    fn examples(&self, class: usize, images: impl Iterator<Item = usize>) -> Vec<Example> {
        let truths = self.truths.of_class(class);
        let is_used = |image: &usize| {
            truths[*image] != Truth::Ignored || self.options.ignored == IgnoredInTraining::Negatives
        };
        let images = images.filter(is_used);
        let example = |image| Example {
            image,
            is_positive: truths[image] == Truth::Positive,
        };
        images.map(example).collect()
    }

    fn scored(
        &self,
        features: &Features<'_>,
        held_out: &[Example],
        trained: &[(LinearSvm, Convergence)],
    ) -> Vec<CostScore> {
        let mut decisions = vec![Vec::with_capacity(held_out.len()); trained.len()];
        // Each row is loaded once for all costs.
        for example in held_out {
            let row = &features.values()[example.image * self.num_units..][..self.num_units];
            for (decisions, (svm, _)) in decisions.iter_mut().zip(trained) {
                decisions.push(svm.decide(row));
            }
        }
        let truths: Vec<Truth> = held_out
            .iter()
            .map(|example| match example.is_positive {
                true => Truth::Positive,
                false => Truth::Negative,
            })
            .collect();
        let score =
            |(decisions, (_, convergence)): (Vec<f64>, &(LinearSvm, Convergence))| match self
                .options
                .criterion
            {
                Criterion::AveragePrecision => CostScore {
                    average_precision: Ranking::new(&decisions, &truths)
                        .expect("a machine of finite features decides with numbers")
                        .average_precision(ApKind::Steps)
                        .unwrap_or_default(),
                    decisions: Vec::new(),
                    convergence: *convergence,
                },
                Criterion::Accuracy => CostScore {
                    average_precision: 0.0,
                    decisions,
                    convergence: *convergence,
                },
            };
        decisions.into_iter().zip(trained).map(score).collect()
    }

    fn check(&self, features: &Features<'_>) -> Result<(), SvmError> {
        for (what, found, expected) in [
            (
                "rows of features",
                features.num_images(),
                self.energies.len(),
            ),
            ("units", features.num_units(), self.num_units),
        ] {
            if found != expected {
                return Err(SvmError::Lengths {
                    what,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// The class of each image.
fn single_classes(truths: &Truths) -> Result<Vec<usize>, SvmError> {
    let mut found = vec![(0, 0); truths.num_images()];
    for (class, truths) in truths.classes().enumerate() {
        for (found, truth) in found.iter_mut().zip(truths) {
            if *truth == Truth::Positive {
                *found = (class, found.1 + 1);
            }
        }
    }
    let mut images = found.iter().enumerate();
    match images.find(|(_, found)| found.1 != 1) {
        Some((image_index, &(_, num_classes))) => Err(SvmError::NotSingle {
            image_index,
            num_classes,
        }),
        None => Ok(found.into_iter().map(|(class, _)| class).collect()),
    }
}
