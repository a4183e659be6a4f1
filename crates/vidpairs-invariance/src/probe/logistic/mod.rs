//! Trains multinomial logistic regression on stored features.
//!
//! **Takes** features (`N x D`) and the class of each image. **Gives** a [`LinearClassifier`]. **Fails** with
//! [`LogisticError`]. **Source**: the objective of scikit-learn's `LogisticRegression`; Liu and Nocedal, "On the limited memory BFGS method
//! for large scale optimization", 1989.
//!
//! With `N` images and the cost `C`, the mean over the images of `-log p(class | x)` plus `|W|^2 / (2 C N)` is minimised; biases are not
//! regularised. Units are standardised first: mean 0 and variance 1 over the training images for each unit, and no weight for a constant
//! unit. So features multiplied by a constant give the same classifier, and the classifier that comes out is one of the features as they are.
//! Two classes are treated like any other number of classes, with a row of weights each.

mod lbfgs;
mod problem;

use vidpairs_types::readable;

pub use problem::{LogisticProblem, LossPart};

use super::{InputsError, LinearClassifier};
use lbfgs::{Lbfgs, Told};

/// Options of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticOptions {
    /// Cost `C`: the greater, the weaker the regularisation.
    pub cost: f64,
    /// Training ends when no component of the gradient exceeds this.
    pub tolerance: f64,
    /// Training also ends after this many iterations.
    pub max_iterations: usize,
}

impl Default for LogisticOptions {
    /// Cost 1, tolerance 1e-4 as in scikit-learn, 1,000 iterations.
    fn default() -> Self {
        Self {
            cost: 1.0,
            tolerance: 1e-4,
            max_iterations: 1000,
        }
    }
}

/// Why no classifier can be trained. Stop.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogisticError {
    /// Inputs do not fit each other. A bug of the caller.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// All images are of one class.
    #[error("all {num_images} training images are of class {class}; expected at least 2 classes")]
    OneClass {
        /// Number of training images.
        num_images: usize,
        /// The class.
        class: usize,
    },
    /// All units are constant, so that nothing can be told apart.
    #[error("all {num_units} units are constant over {num_images} training images")]
    AllConstant {
        /// Number of units.
        num_units: usize,
        /// Number of training images.
        num_images: usize,
    },
    /// An option is out of range.
    #[error("{key} is {}; expected {expected}", readable(*.value))]
    Option {
        /// Name of the option.
        key: &'static str,
        /// Value given.
        value: f64,
        /// Accepted values.
        expected: &'static str,
    },
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticEnd {
    /// Iterations.
    pub num_iterations: usize,
    /// Greatest component of the gradient at the end.
    pub steepness: f64,
    /// Whether it fell to the tolerance. If not, the classifier is near the best one at most.
    pub is_converged: bool,
    /// Loss, nats per image, with the regularisation.
    pub loss: f64,
}

/// Training in progress. While there is a [`point`](Self::point), evaluate all blocks there and [`tell`](Self::tell) their sum.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::Features;
/// use vidpairs_invariance::probe::logistic::{Fitting, LogisticOptions, LogisticProblem};
///
/// let features = Features::new(vec![0.0, 1.0, 0.2, 0.9, 1.0, 0.0, 0.8, 0.1], 2)?;
/// let problem = LogisticProblem::new(&features, &[0, 0, 1, 1], 2, LogisticOptions::default())?;
/// let mut fitting = Fitting::new(&problem);
/// while let Some(point) = fitting.point() {
///     let mut sum = problem.evaluate(&features, point, 0)?;
///     for block in 1..problem.num_blocks() {
///         sum += problem.evaluate(&features, point, block)?;
///     }
///     fitting.tell(&problem, sum);
/// }
/// let (classifier, end) = fitting.finish(&problem);
/// assert!(end.is_converged);
/// assert_eq!(classifier.answers(&features, &[0, 0, 1, 1])?.top(1, None), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fitting {
    search: Lbfgs,
    options: LogisticOptions,
    num_iterations: usize,
    loss: f64,
    /// Whether it converged, when it has ended.
    end: Option<bool>,
}

impl Fitting {
    /// Starts with all weights 0.
    pub fn new(problem: &LogisticProblem) -> Self {
        Self::from(problem, vec![0.0; problem.num_variables()])
    }

    fn from(problem: &LogisticProblem, start: Vec<f64>) -> Self {
        Self {
            search: Lbfgs::new(start),
            options: *problem.options(),
            num_iterations: 0,
            loss: f64::INFINITY,
            end: None,
        }
    }

    /// Starts where the training for another cost ended, of the same features and classes.
    pub fn after(&self, problem: &LogisticProblem) -> Self {
        Self::from(problem, self.search.best().to_vec())
    }

    /// Where to evaluate the blocks next; `None` when training has ended.
    pub fn point(&self) -> Option<&[f64]> {
        self.end.is_none().then(|| self.search.point())
    }

    /// Takes the sum of all blocks at the point.
    pub fn tell(&mut self, problem: &LogisticProblem, sum: LossPart) {
        if self.end.is_some() {
            return;
        }
        let (loss, gradient) = problem.objective(self.search.point(), sum);
        match self.search.tell(loss, gradient) {
            Told::Again => return,
            Told::Stuck => {
                self.end = Some(false);
                return;
            }
            Told::Better => self.loss = loss,
        }
        if self.search.steepness() <= self.options.tolerance {
            self.end = Some(true);
        } else if self.num_iterations == self.options.max_iterations {
            self.end = Some(false);
        } else {
            self.num_iterations += 1;
        }
    }

    /// The classifier at the best point, and how training ended.
    pub fn finish(&self, problem: &LogisticProblem) -> (LinearClassifier, LogisticEnd) {
        let end = LogisticEnd {
            num_iterations: self.num_iterations,
            steepness: self.search.steepness(),
            is_converged: self.end == Some(true),
            loss: self.loss,
        };
        (problem.classifier(self.search.best()), end)
    }
}
