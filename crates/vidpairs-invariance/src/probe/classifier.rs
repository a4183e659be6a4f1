//! Linear classifier of several classes.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2};

use super::answers::{Answer, Answers, AnswersError};
use super::svm::LinearSvm;
use crate::measure::Features;

/// Images that are classified at a time.
const NUM_ROWS: usize = 256;

/// Scores of `K` classes: `W x + b`. The class of the greatest score is the answer; of equal scores, the class that comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearClassifier {
    /// `K x D`.
    weights: Array2<f64>,
    /// `K`; negative infinity for a class that is never an answer.
    biases: Vec<f64>,
}

impl LinearClassifier {
    /// - `weights`: `K x D`, complete; `biases`: `K`, at least one.
    pub(crate) fn new(weights: Vec<f64>, biases: Vec<f64>) -> Self {
        let shape = (biases.len(), weights.len() / biases.len());
        Self {
            weights: Array2::from_shape_vec(shape, weights).expect("complete rows of weights"),
            biases,
        }
    }

    /// Classifier of one machine against the rest for each class. A class without a machine is never an answer.
    ///
    /// - `svms`: for each class; all of the same number of units. `None` if there is no machine at all.
    pub fn of_svms(svms: &[Option<LinearSvm>]) -> Option<Self> {
        let num_units = svms.iter().flatten().next()?.weights.len();
        let absent = vec![0.0; num_units];
        let weights = svms.iter().flat_map(|svm| match svm {
            Some(svm) => svm.weights.iter().copied(),
            None => absent.iter().copied(),
        });
        let biases = svms.iter().map(|svm| match svm {
            Some(svm) => svm.bias,
            None => f64::NEG_INFINITY,
        });
        Some(Self::new(weights.collect(), biases.collect()))
    }

    /// Number of classes `K`.
    pub fn num_classes(&self) -> usize {
        self.biases.len()
    }

    /// Number of units `D`.
    pub fn num_units(&self) -> usize {
        self.weights.ncols()
    }

    /// Scores of each image, `N x K`, row-major.
    ///
    /// # Errors
    /// [`AnswersError::Lengths`] for features of another number of units.
    pub fn scores(&self, features: &Features<'_>) -> Result<Vec<f64>, AnswersError> {
        let (num_units, num_classes) = (self.num_units(), self.num_classes());
        if features.num_units() != num_units {
            return Err(AnswersError::Lengths {
                what: "units of features",
                found: features.num_units(),
                expected: num_units,
            });
        }
        let mut all = Vec::with_capacity(features.num_images() * num_classes);
        for values in features.values().chunks(NUM_ROWS * num_units) {
            let rows: Vec<f64> = values.iter().map(|&value| value.into()).collect();
            let num = rows.len() / num_units;
            let rows = ArrayView2::from_shape((num, num_units), &rows).expect("complete rows");
            let mut scores = Array2::zeros((num, num_classes));
            general_mat_mul(1.0, &rows, &self.weights.t(), 0.0, &mut scores);
            for scores in scores.rows() {
                all.extend(
                    scores
                        .iter()
                        .zip(&self.biases)
                        .map(|(score, bias)| score + bias),
                );
            }
        }
        Ok(all)
    }

    /// Answer for each image, beside its class.
    ///
    /// - `classes`: class of each image, below `num_classes()`.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn answers(
        &self,
        features: &Features<'_>,
        classes: &[usize],
    ) -> Result<Answers, AnswersError> {
        let scores = self.scores(features)?;
        let num_classes = self.num_classes();
        let images = scores.chunks_exact(num_classes).zip(classes);
        let answers = images.map(|(scores, &class)| Answer::of_scores(scores, class));
        let answers: Vec<Answer> = answers.collect();
        if classes.len() != features.num_images() {
            return Err(AnswersError::Lengths {
                what: "labels",
                found: classes.len(),
                expected: features.num_images(),
            });
        }
        Answers::new(answers, classes, num_classes)
    }
}
