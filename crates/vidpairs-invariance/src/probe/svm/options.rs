//! Options of training and of the choice of the cost.

use vidpairs_types::readable;

use super::super::InputsError;

/// Options of support vector machines and of the choice of their cost.
///
/// Each class takes the cost of the greatest average precision ([`ApKind::Steps`](crate::probe::precision::ApKind::Steps), which VISSL takes
/// from scikit-learn), averaged over the folds, which are stratified for each class on its own. Training images that are
/// [ignored](crate::probe::Truth::Ignored) for a class are negatives, also where costs are compared, as in VISSL.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmOptions {
    /// Costs `C` to compare, ascending.
    pub costs: Vec<f64>,
    /// Number of folds of the cross-validation, at least 2.
    pub num_folds: usize,
    /// Weight of positives in the loss.
    pub positive_weight: f64,
    /// Value of the constant feature whose weight is the bias.
    pub intercept_scaling: f64,
    /// Training ends when the projected gradient of the dual varies by at most this over all images. Unitless, compared with the margin 1.
    pub tolerance: f64,
    /// Training also ends after this many passes over the images; the machine is then [not converged](super::Convergence).
    pub max_epochs: usize,
}

impl SvmOptions {
    /// Protocol of VISSL for VOC07: its 11 costs from 0.01 to 1000 by average precision in 3 folds, positives with weight 2, ignored images as
    /// negatives in training, tolerance 1e-4, at most 2,000 passes.
    pub fn vissl() -> Self {
        Self {
            costs: vec![
                0.01, 0.1, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0, 1000.0,
            ],
            num_folds: 3,
            positive_weight: 2.0,
            intercept_scaling: 1.0,
            tolerance: 1e-4,
            max_epochs: 2000,
        }
    }

    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<(), SvmError> {
        let refuse = |key, value: String, expected| {
            Err(SvmError::Option {
                key,
                value,
                expected,
            })
        };
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        let ascends = self.costs.is_sorted_by(|a, b| a < b);
        if self.costs.is_empty() || !ascends || !self.costs.iter().copied().all(is_positive) {
            let value = format!("{:?}", self.costs);
            return refuse("costs", value, "finite numbers above 0, ascending");
        }
        if self.num_folds < 2 {
            return refuse("num_folds", self.num_folds.to_string(), "at least 2");
        }
        for (key, value) in [
            ("positive_weight", self.positive_weight),
            ("intercept_scaling", self.intercept_scaling),
            ("tolerance", self.tolerance),
        ] {
            if !is_positive(value) {
                return refuse(key, readable(value), "a finite number above 0");
            }
        }
        if self.max_epochs == 0 {
            return refuse("max_epochs", "0".to_owned(), "at least 1");
        }
        Ok(())
    }
}

/// Why no machine can be trained. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SvmError {
    /// Inputs do not fit each other. A bug of the caller.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// No class has both a positive and a negative.
    #[error(
        "no class can be learned from {num_images} training images: each of {num_classes} classes lacks a positive or a negative"
    )]
    NothingToLearn {
        /// Number of training images.
        num_images: usize,
        /// Number of classes.
        num_classes: usize,
    },
    /// Folds that are given do not fit.
    #[error("{found} foldings of the images; expected {expected}")]
    Folds {
        /// Number of foldings given.
        found: usize,
        /// One for each class.
        expected: usize,
    },
    /// An option is out of range.
    #[error("{key} is {value}; expected {expected}")]
    Option {
        /// Name of the option.
        key: &'static str,
        /// Value given.
        value: String,
        /// Accepted values.
        expected: &'static str,
    },
}
