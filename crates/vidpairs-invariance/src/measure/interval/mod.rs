//! How far a figure can be trusted: intervals by the bootstrap.
//!
//! **Takes** a figure's parts: one score for each class, counts for each target, or what each set of images
//! contributes; and a [`Seed`](vidpairs_types::Seed). **Gives** the interval that the figure stays in when the parts are drawn
//! again, with replacement, and the difference of two models over the same classes. **Fails** with [`IntervalError`], above all where
//! there is too little to draw from. **Source**: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; each function
//! names what it adds.
//!
//! Two questions, two intervals:
//!
//! - [`over_classes`]: would other classes give the same? The noise of a class's own sets is in its score already, so sets are not drawn too:
//!   drawing both would count it twice (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
//! - [`over_sets`]: would other sets of the same classes give the same? Classes stay.
//!
//! The percentile interval is too narrow where there is little to draw from. For normal scores one that claims 95 % covered the truth
//! in 84 of 100 cases with 5 classes, 91 with 12, 93 with 30 and 95 with 100 (2,000 simulated cases each).

mod bootstrap;
mod classes;
mod paired;
mod sets;

pub use bootstrap::{BootstrapOptions, Interval, IntervalError};
pub use classes::{over_classes, over_targets};
pub use paired::{ClassScores, PairedDifference, Sign, paired_difference, paired_shares};
pub use sets::{ClassSets, SilentSets, over_sets};

#[cfg(test)]
mod tests;
