//! The Representation Invariance Score (RIS): how steadily the units of a representation fire while what they respond to is transformed.
//!
//! **Takes** [`Features`] (`N x D`: a row per image, a column per unit) and [`Labels`] (which set of transformed
//! images each image belongs to, and the target that it shows). **Gives** a [`Score`] for each [`Version`] of the
//! measure: per target and on average, beside the [`ceiling`](TopScore::ceiling) that these data allow and
//! [`Warning`]s where they allow too little to be told. **Fails** on lengths that disagree, numbers that are not finite and
//! options out of range; never on data that are merely odd: a unit that is constant scores 0. **Source**: Purushwalkam
//! and Gupta, "Demystifying Contrastive Self-Supervised Learning", NeurIPS 2020; Goodfellow et al., "Measuring Invariances
//! in Deep Networks", NeurIPS 2009.
//!
//! A unit fires for an image where its value, under a sign of its own, is above a threshold of its own, which is set so that
//! it fires for a small share of all images. What the definitions leave open is decided at [`Version`], and marked there as
//! our choice.
//!
//! A [`Plan`] is made once from the labels. Blocks of units are scored by it in any order, by any number of threads
//! ([`Plan::score_units`]); a [`Combiner`] takes them in the order of the units. [`score`] does both.
//!
//! What stands beside a score: [`retrieval`] across the transformation, [`control`]s that know nothing, and how far figures can be
//! trusted ([`interval`]).
//!
//! # Examples
//! ```
//! use vidpairs_invariance::measure::{Features, Labels, ScoreOptions, Version, score};
//!
//! // Two objects in three views each; the first unit fires for the first object, the second for a view.
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
pub use plan::{Plan, ScoreError, score};
pub use result::{Combiner, Score, TopScore, UnitMatrix};
pub use units::{NUM_UNITS_AT_ONCE, ScoredUnits, Scratch};
pub use warning::Warning;
