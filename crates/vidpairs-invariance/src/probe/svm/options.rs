//! Options of training and of the choice of the cost.

/// What costs are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// Each class takes the cost of the greatest average precision ([`ApKind::Steps`](crate::probe::precision::ApKind::Steps), which VISSL
    /// takes from scikit-learn), averaged over the folds. Folds are stratified for each class on its own.
    AveragePrecision,
    /// All classes take the cost of the greatest accuracy of the class with the greatest decision value, averaged over the folds. For images
    /// of one class each; the folds are the same for all classes and stratified by class.
    Accuracy,
}

impl Criterion {
    /// `average-precision` or `accuracy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AveragePrecision => "average-precision",
            Self::Accuracy => "accuracy",
        }
    }
}

/// Use of training images that are [ignored](crate::probe::Truth::Ignored) for a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoredInTraining {
    /// They are negatives, also where costs are compared. VISSL does this.
    Negatives,
    /// They are left out of the training and the comparison of costs for this class.
    LeftOut,
}

/// Options of support vector machines and of the choice of their cost.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmOptions {
    /// Costs `C` to compare, ascending.
    pub costs: Vec<f64>,
    /// What the costs are compared by.
    pub criterion: Criterion,
    /// Number of folds of the cross-validation, at least 2.
    pub num_folds: usize,
    /// Weight of positives in the loss.
    pub positive_weight: f64,
    /// Use of ignored training images.
    pub ignored: IgnoredInTraining,
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
            criterion: Criterion::AveragePrecision,
            num_folds: 3,
            positive_weight: 2.0,
            ignored: IgnoredInTraining::Negatives,
            intercept_scaling: 1.0,
            tolerance: 1e-4,
            max_epochs: 2000,
        }
    }

    /// One machine against the rest for each class, for images of one class each: as [`vissl`](Self::vissl), but by accuracy and without a
    /// weight of positives, the defaults of `LinearSVC`.
    pub fn one_against_rest() -> Self {
        Self {
            criterion: Criterion::Accuracy,
            positive_weight: 1.0,
            ..Self::vissl()
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
                return refuse(key, value.to_string(), "a finite number above 0");
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
    /// Inputs have different numbers of images or units. A bug of the caller.
    #[error("{found} {what}; expected {expected}")]
    Lengths {
        /// Input: `labels`, for example.
        what: &'static str,
        /// Number found.
        found: usize,
        /// Number expected.
        expected: usize,
    },
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
    /// An image shows no class or several, but accuracy was asked for.
    #[error(
        "training image {image_index} shows {num_classes} classes; accuracy needs images of one class"
    )]
    NotSingle {
        /// First such image, from 0.
        image_index: usize,
        /// Number of its classes.
        num_classes: usize,
    },
    /// Folds that are given do not fit.
    #[error("{found} foldings of the images; expected {expected}")]
    Folds {
        /// Number of foldings given.
        found: usize,
        /// One for each class, or one for all classes by accuracy.
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
