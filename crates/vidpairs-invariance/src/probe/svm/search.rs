//! Cross-validation of costs in blocks, and the machines of the chosen costs.

use std::borrow::Cow;

use vidpairs_types::Seed;

use super::super::folds::Folds;
use super::super::inputs::check_length;
use super::super::precision::{ApKind, Ranking};
use super::super::{Truth, Truths};
use super::choice::ChoosingCost;
use super::descent::{Descent, Example};
use super::machine::{Convergence, FittedSvm, LinearSvm};
use super::options::{SvmError, SvmOptions};
use crate::measure::Features;
use crate::measure::direction::energy;

/// Cross-validation of the costs of all classes, in one block for each class and fold, and the training of the chosen machines, in one block
/// for each class.
///
/// A class is validated if it has at least as many positives and as many negatives as there are folds, so that each fold has one of each. It
/// is learned if it has at least one of each. Decisions depend neither on the order of the blocks nor on threads.
///
/// The features are neither stored nor copied. The search holds `K x N` bytes of truths and `8 x N` of squared lengths. A block takes
/// `D x 8` bytes for each cost and about `(60 + 8 x costs / folds) x N` more: the folds of its class, which are drawn anew by the seed, an
/// example and a variable for each image, and the decision values of the held-out images.
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
    /// Folds of each class that were given. Otherwise they are drawn when they are needed: those of all classes are `K x N` numbers.
    given: Option<Vec<Folds>>,
    num_folds: usize,
    energies: Vec<f64>,
    num_units: usize,
    seed: Seed,
}

/// Scores of all costs for one class and fold.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScores {
    pub(super) class: usize,
    /// `None`: the class is not validated.
    pub(super) costs: Option<Vec<CostScore>>,
}

/// Score of one cost for one class and fold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CostScore {
    pub average_precision: f64,
    pub convergence: Convergence,
}

impl SvmSearch {
    /// Checks the inputs.
    ///
    /// - `features`: `N x D`; scale the rows to length 1 with [`unit_rows`](crate::probe::unit_rows), otherwise the costs depend on the
    ///   scale of the features.
    /// - `truths`: of the `N` images.
    /// - `seed`: decides the folds and the order of the steps of training.
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
        let (num_images, num_classes) = (features.num_images(), truths.num_classes());
        check_length("labels", truths.num_images(), num_images)?;
        let search = Self {
            energies: features.images().map(energy).collect(),
            num_units: features.num_units(),
            num_folds: options.num_folds,
            truths,
            options,
            given: None,
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

    /// The same search with folds that are given, one for each class. `options.num_folds` then has no effect.
    ///
    /// # Errors
    /// [`SvmError`].
    pub fn with_folds(mut self, folds: Vec<Folds>) -> Result<Self, SvmError> {
        let num_folds = folds.first().map_or(0, Folds::num_folds);
        let differs = folds.iter().any(|folds| folds.num_folds() != num_folds);
        if folds.len() != self.num_classes() || differs || num_folds < 2 {
            return Err(SvmError::Folds {
                found: folds.len(),
                expected: self.num_classes(),
            });
        }
        for folds in &folds {
            check_length("folds", folds.num_images(), self.truths.num_images())?;
        }
        self.num_folds = num_folds;
        self.given = Some(folds);
        Ok(self)
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
        self.num_classes() * self.num_folds
    }

    /// Starts the choice of the costs, which takes the blocks in order.
    pub fn choosing(&self) -> ChoosingCost {
        ChoosingCost::new(&self.options.costs, self.num_classes(), self.num_folds)
    }

    /// Trains on all folds but one for each cost, and scores the one. A block is a class and a fold; any other block than
    /// `0..num_blocks()` has no score.
    ///
    /// - `features`: the features given to [`new`](Self::new).
    ///
    /// # Errors
    /// [`SvmError::Inputs`] if they are of another shape.
    pub fn validate(&self, features: &Features<'_>, block: usize) -> Result<FoldScores, SvmError> {
        self.check(features)?;
        let (class, fold) = (block / self.num_folds, block % self.num_folds);
        if self.least(class) < self.num_folds {
            return Ok(FoldScores { class, costs: None });
        }
        let folds = self.folds(class);
        let examples = self.examples(class, folds.training(fold));
        let seed = self.seed.for_step("svm", &format!("{class} {fold}"));
        let mut descent = Descent::new(features, &self.energies, &examples, &self.options, seed);
        let costs = self.options.costs.iter();
        let trained: Vec<(LinearSvm, Convergence)> =
            costs.map(|&cost| descent.train(cost)).collect();
        let held_out: Vec<usize> = folds.held_out(fold).collect();
        Ok(FoldScores {
            class,
            costs: Some(self.scored(features, class, &held_out, &trained)),
        })
    }

    /// Trains the machine of one class on all images with cost `cost`; `None` if the class lacks a positive or a negative, or is none of
    /// `0..num_classes()`.
    ///
    /// - `features`: the features given to [`new`](Self::new).
    ///
    /// # Errors
    /// [`SvmError::Inputs`] if they are of another shape.
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
    /// [`SvmError::Inputs`].
    pub fn choose_all(&self, features: &Features<'_>) -> Result<super::CostChoices, SvmError> {
        let mut choosing = self.choosing();
        for block in 0..self.num_blocks() {
            choosing.take(self.validate(features, block)?);
        }
        Ok(choosing.finish())
    }

    /// Folds of a class, stratified into its positives and its negatives.
    fn folds(&self, class: usize) -> Cow<'_, Folds> {
        if let Some(given) = &self.given {
            return Cow::Borrowed(&given[class]);
        }
        let truths = self.truths.of_class(class).iter();
        let strata: Vec<usize> = truths
            .map(|&truth| usize::from(truth == Truth::Positive))
            .collect();
        let seed = self.seed.for_step("class", &class.to_string());
        Cow::Owned(Folds::stratified(&strata, self.num_folds, seed))
    }

    /// Number of positives or of negatives in training, whichever is smaller; 0 for no class.
    fn least(&self, class: usize) -> usize {
        let truths = self.truths.of_class(class);
        let is_positive = |truth: &&Truth| **truth == Truth::Positive;
        let num_positives = truths.iter().filter(is_positive).count();
        num_positives.min(truths.len() - num_positives)
    }

    /// Images as examples of a class.
    fn examples(&self, class: usize, images: impl Iterator<Item = usize>) -> Vec<Example> {
        let truths = self.truths.of_class(class);
        let example = |image| Example {
            image,
            is_positive: truths[image] == Truth::Positive,
        };
        images.map(example).collect()
    }

    fn scored(
        &self,
        features: &Features<'_>,
        class: usize,
        held_out: &[usize],
        trained: &[(LinearSvm, Convergence)],
    ) -> Vec<CostScore> {
        let mut decisions = vec![Vec::with_capacity(held_out.len()); trained.len()];
        // Each row is loaded once for all costs.
        for &image in held_out {
            let row = &features.values()[image * self.num_units..][..self.num_units];
            for (decisions, (svm, _)) in decisions.iter_mut().zip(trained) {
                decisions.push(svm.decide(row));
            }
        }
        let truths = self.truths.of_class(class);
        let truths: Vec<Truth> = held_out
            .iter()
            .map(|&image| match truths[image] {
                Truth::Positive => Truth::Positive,
                Truth::Negative | Truth::Ignored => Truth::Negative,
            })
            .collect();
        let score = |(decisions, (_, convergence)): (Vec<f64>, &(LinearSvm, Convergence))| {
            let ranking = Ranking::new(&decisions, &truths);
            let ranking = ranking.expect("a machine of finite features decides with numbers");
            CostScore {
                average_precision: ranking.average_precision(ApKind::Steps).unwrap_or_default(),
                convergence: *convergence,
            }
        };
        decisions.into_iter().zip(trained).map(score).collect()
    }

    /// Checks that the features have the shape of those given to [`new`](Self::new).
    fn check(&self, features: &Features<'_>) -> Result<(), SvmError> {
        check_length(
            "rows of features",
            features.num_images(),
            self.energies.len(),
        )?;
        check_length("units", features.num_units(), self.num_units)?;
        Ok(())
    }
}
