//! Computes the Representation Invariance Score (RIS): how stably the units of a representation fire while the thing that they respond to
//! is transformed.
//!
//! **Takes** [`Features`] (`N x D`: a row per image, a column per unit) and [`Labels`] (the set of transformed images and the target of
//! each image). **Gives** a [`Score`] for each [`Version`] of the measure: per target and their mean, with the
//! [`ceiling`](TopScore::ceiling) that the data allow, and [`Warning`]s if the data cannot distinguish models. **Fails** on lengths that
//! disagree, numbers that are not finite and options out of range. Unusual data are no error: a constant unit scores 0. **Source**:
//! Purushwalkam and Gupta, "Demystifying Contrastive Self-Supervised Learning", NeurIPS 2020; Goodfellow et al., "Measuring Invariances
//! in Deep Networks", NeurIPS 2009.
//!
//! A unit fires for an image if its value, multiplied by the unit's sign, exceeds the unit's threshold. The threshold is set so that the
//! unit fires for a small share of all images. [`Version`] lists our choices where the definitions leave something open.
//!
//! A [`Plan`] is made once from the labels. It scores blocks of units in any order and on any number of threads
//! ([`Plan::score_units`]); a [`Combiner`] takes the blocks in the order of the units. [`score`] does both.
//!
//! The score is complemented by [`retrieval`] across the transformation, random-feature [`control`]s and confidence intervals
//! ([`interval`]).
//!
//! # Examples
//! ```
//! use vidpairs_invariance::measure::{Features, Labels, ScoreOptions, Version, score};
//!
//! // Two objects in three views each. The first unit fires for the first object, the second for a view.
//! let features = Features::new(vec![9.0, 0.0, 8.0, 0.0, 7.0, 5.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0], 2)?;
//! let labels = Labels::of_instances(&[0, 0, 0, 1, 1, 1])?;
//! let options = ScoreOptions { versions: vec![Version::Formula], top: vec![1], ..ScoreOptions::default() };
//! let scores = score(&features, &labels, &options)?;
//! let top = &scores[0].top[0];
//! assert!((top.per_target[0] - 100.0).abs() < 1e-9 && top.per_target[1].abs() < 1e-9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ceiling;
pub mod control;
pub mod direction;
mod features;
mod firing;
pub mod interval;
mod labels;
mod options;
mod pivots;
mod plan;
mod result;
pub mod retrieval;
mod rule;
mod tails;
mod units;
mod warning;

#[cfg(test)]
mod tests;

pub use features::{Features, FeaturesError};
pub use firing::{Firing, Sign};
pub use labels::{LabelledSet, Labels, LabelsError};
pub use options::{OptionError, ScoreOptions, Version};
pub use plan::{Plan, ScoreError};
pub use result::{Combiner, Score, TopScore, UnitMatrix, score};
pub use units::{NUM_UNITS_AT_ONCE, ScoredUnits, Scratch};
pub use warning::Warning;
