//! What has to be known before units are scored, and is the same for all of them.

use std::ops::Range;

use super::pivots::Sample;
use super::rule::Rule;
use super::units::Scratch;
use super::warning::Warning;
use super::{
    Combiner, Features, Labels, NUM_UNITS_AT_ONCE, OptionError, Score, ScoreOptions, Version,
    ceiling,
};

/// How units are scored on given labels. Made once, shared by threads.
#[derive(Debug, Clone)]
pub struct Plan {
    labels: Labels,
    options: ScoreOptions,
    rules: Vec<Rule>,
    /// Places in `rules`.
    by_falling_rank: Vec<usize>,
    sample: Sample,
}

/// Why nothing could be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// An option is out of range. Stop.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Features and labels are not of the same images. Stop.
    #[error("features of {num_features} images, labels of {num_labels}")]
    Images {
        /// Rows of features.
        num_features: usize,
        /// Labels given.
        num_labels: usize,
    },
    /// There are no such units, or they were not scored in their order. A bug of the caller: stop.
    #[error("units {first} to {end} of {num_units}, where {expected} was to be the next")]
    Units {
        /// The first that was asked for or given.
        first: usize,
        /// One after the last.
        end: usize,
        /// Of the features.
        num_units: usize,
        /// The first that would have been right.
        expected: usize,
    },
    /// The plan was made for other versions. A bug of the caller: stop.
    #[error("the plan has no {version}")]
    Version {
        /// That was asked for.
        version: Version,
    },
}

impl Plan {
    /// A plan for images with these labels.
    ///
    /// # Errors
    /// [`ScoreError::Option`].
    pub fn new(labels: Labels, options: ScoreOptions) -> Result<Self, ScoreError> {
        options.check()?;
        let versions = options.versions.iter();
        let rules: Vec<Rule> = versions.map(|&it| Rule::new(it, &labels)).collect();
        let rank = |place: &usize| rules.get(*place).map_or(0, |rule| rule.rank);
        let mut by_falling_rank: Vec<usize> = (0..rules.len()).collect();
        by_falling_rank.sort_by_key(|place| std::cmp::Reverse(rank(place)));
        let max_rank = by_falling_rank.first().map_or(0, rank);
        let sample = Sample::new(labels.num_images(), max_rank);
        Ok(Self {
            labels,
            options,
            rules,
            by_falling_rank,
            sample,
        })
    }

    /// What the plan was made from.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// What is scored.
    pub fn options(&self) -> &ScoreOptions {
        &self.options
    }

    /// The highest score, in percent, that features of `num_units` units could have by `version` for its `num_top` best units;
    /// `None` for a version that the plan does not have. [`TopScore::ceiling`](super::TopScore::ceiling) says more.
    pub fn ceiling(&self, version: Version, num_units: usize, num_top: usize) -> Option<f64> {
        let mut rules = self.rules.iter();
        let rule = rules.find(|rule| rule.version == version)?;
        let num_images = self.labels.num_images();
        Some(ceiling::ceiling(rule, num_images, num_units, num_top))
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn by_falling_rank(&self) -> &[usize] {
        &self.by_falling_rank
    }

    pub(super) fn max_rank(&self) -> usize {
        self.rules.iter().map(|rule| rule.rank).max().unwrap_or(0)
    }

    pub(super) fn sample(&self) -> &Sample {
        &self.sample
    }

    pub(super) fn warnings(&self, rule: &Rule, num_units: usize) -> Vec<Warning> {
        Warning::of(rule, &self.labels, &self.options, num_units)
    }

    pub(super) fn check(
        &self,
        features: &Features<'_>,
        units: &Range<usize>,
    ) -> Result<(), ScoreError> {
        if features.num_images() != self.labels.num_images() {
            return Err(ScoreError::Images {
                num_features: features.num_images(),
                num_labels: self.labels.num_images(),
            });
        }
        if units.is_empty() || units.end > features.num_units() {
            return Err(ScoreError::Units {
                first: units.start,
                end: units.end,
                num_units: features.num_units(),
                expected: 0,
            });
        }
        Ok(())
    }
}

/// Scores all units of `features` on the caller's thread: a [`Score`] for each of `options.versions`.
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
