//! Prepares the scoring of units on given labels.

use std::ops::Range;

use super::pivots::Sample;
use super::rule::Rule;
use super::{Features, Labels, OptionError, ScoreOptions, Version, ceiling};

/// Prepared scoring of units on given labels. Made once and shared by threads.
#[derive(Debug, Clone)]
pub struct Plan {
    labels: Labels,
    options: ScoreOptions,
    /// One rule for each version of the options.
    rules: Vec<Rule>,
    /// Indices into `rules`, by falling rank.
    by_falling_rank: Vec<usize>,
    sample: Sample,
}

/// Error of scoring.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// An option is out of range. Stop.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Features and labels differ in their number of images. Stop.
    #[error("features of {num_features} images, labels of {num_labels}")]
    Images {
        /// Rows of features.
        num_features: usize,
        /// Labels given.
        num_labels: usize,
    },
    /// The units do not exist or are out of order. A bug of the caller: stop.
    #[error("units {first} to {end} of {num_units}; expected units from {expected} on")]
    Units {
        /// First unit given.
        first: usize,
        /// One after the last unit given.
        end: usize,
        /// Units of the features.
        num_units: usize,
        /// Expected first unit.
        expected: usize,
    },
    /// The plan lacks the version. A bug of the caller: stop.
    #[error("the plan has no version {version}")]
    Version {
        /// Version asked for.
        version: Version,
    },
}

impl Plan {
    /// Makes a plan for images with these labels.
    ///
    /// # Errors
    /// [`ScoreError::Option`].
    pub fn new(labels: Labels, options: ScoreOptions) -> Result<Self, ScoreError> {
        options.check()?;
        let rules: Vec<Rule> = options
            .versions
            .iter()
            .map(|&version| Rule::new(version, &labels))
            .collect();
        let mut by_falling_rank: Vec<usize> = (0..rules.len()).collect();
        by_falling_rank.sort_by_key(|&rule| std::cmp::Reverse(rules[rule].rank));
        let sample = Sample::new(labels.num_images(), rules[by_falling_rank[0]].rank);
        Ok(Self {
            labels,
            options,
            rules,
            by_falling_rank,
            sample,
        })
    }

    /// Labels of the images.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Options of scoring.
    pub fn options(&self) -> &ScoreOptions {
        &self.options
    }

    /// Upper bound, in percent, of the score by `version` at `K = num_top` for any features of `num_units` units; `None` if the plan
    /// lacks the version. See [`TopScore::ceiling`](super::TopScore::ceiling).
    pub fn ceiling(&self, version: Version, num_units: usize, num_top: usize) -> Option<f64> {
        let rule = self.rules.iter().find(|rule| rule.version == version)?;
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
        self.rules[self.by_falling_rank[0]].rank
    }

    pub(super) fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Checks that features fit the labels and have the units.
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
