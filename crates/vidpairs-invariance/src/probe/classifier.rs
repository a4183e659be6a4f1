//! Linear classifier of several classes.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2};

use super::answers::{Answer, Answers};
use super::inputs::{InputsError, check_length};
use crate::measure::Features;

/// Images that are classified at a time.
const NUM_ROWS: usize = 256;

/// Scores of `K` classes: `W x + b`. The class of the greatest score is the answer; of equal scores, the class that comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearClassifier {
    /// `K x D`.
    weights: Array2<f64>,
    /// `K`.
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
    /// [`InputsError::Lengths`] for features of another number of units.
    pub fn scores(&self, features: &Features<'_>) -> Result<Vec<f64>, InputsError> {
        let mut all = Vec::with_capacity(features.num_images() * self.num_classes());
        self.score_rows(features, |scores| all.extend_from_slice(scores))?;
        Ok(all)
    }

    /// Answer for each image, beside its class.
    ///
    /// - `classes`: class of each image, below `num_classes()`.
    ///
    /// # Errors
    /// [`InputsError`].
    pub fn answers(
        &self,
        features: &Features<'_>,
        classes: &[usize],
    ) -> Result<Answers, InputsError> {
        check_length("labels", classes.len(), features.num_images())?;
        let mut answers = Vec::with_capacity(classes.len());
        // The scores of all images would be `N x K` numbers.
        self.score_rows(features, |scores| {
            answers.push(Answer::of_scores(scores, classes[answers.len()]));
        })?;
        Answers::new(answers, classes, self.num_classes())
    }

    /// Gives the scores of each image in turn to `take`.
    fn score_rows(
        &self,
        features: &Features<'_>,
        mut take: impl FnMut(&[f64]),
    ) -> Result<(), InputsError> {
        let num_units = self.num_units();
        check_length("units of features", features.num_units(), num_units)?;
        let mut sums = vec![0.0; self.num_classes()];
        for values in features.values().chunks(NUM_ROWS * num_units) {
            let rows: Vec<f64> = values.iter().map(|&value| value.into()).collect();
            let num = rows.len() / num_units;
            let rows = ArrayView2::from_shape((num, num_units), &rows).expect("complete rows");
            let mut scores = Array2::zeros((num, self.num_classes()));
            general_mat_mul(1.0, &rows, &self.weights.t(), 0.0, &mut scores);
            for scores in scores.rows() {
                let with_biases = scores.iter().zip(&self.biases);
                for (sum, (score, bias)) in sums.iter_mut().zip(with_biases) {
                    *sum = score + bias;
                }
                take(&sums);
            }
        }
        Ok(())
    }
}
