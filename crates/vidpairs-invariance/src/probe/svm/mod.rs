//! Trains linear support vector machines, and chooses their cost by cross-validation.
//!
//! **Takes** features (`N x D`, 32 bits, shared by all classes and never copied) and the [`Truths`](super::Truths) of the images.
//! **Gives** a [`LinearSvm`] for each class with the cost that [`SvmSearch`] chose, and the scores of all costs. **Fails** with
//! [`SvmError`]. **Source**: Hsieh et al., "A Dual Coordinate Descent Method for Large-scale Linear SVM", ICML 2008, with the shrinking of
//! LIBLINEAR; the protocol is that of VISSL.
//!
//! A machine minimises `|w|^2 / 2 + sum_i C_i max(0, 1 - y_i w.x_i)^2`, with `C_i = C` for negatives and `C` times the weight of positives
//! for positives. The bias is the weight of a constant feature ([`SvmOptions::intercept_scaling`]), so it is regularised too, as in
//! LIBLINEAR and scikit-learn's `LinearSVC`.
//!
//! The dual is solved, not the primal: a step needs one row of features and the weights alone, and the solution of one cost is a good start
//! for the next greater one, which makes a grid of costs little dearer than its hardest cost. Weights are 64-bit numbers, and each product
//! with a 32-bit feature is exact.

mod choice;
mod descent;
mod machine;
mod options;
mod search;

#[cfg(test)]
mod tests;

pub use choice::{ChoosingCost, CostChoice, CostChoices, CostSource};
pub use machine::{Convergence, FittedSvm, LinearSvm};
pub use options::{SvmError, SvmOptions};
pub use search::{FoldScores, SvmSearch};
