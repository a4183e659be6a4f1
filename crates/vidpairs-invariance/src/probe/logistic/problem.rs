//! Loss of multinomial logistic regression and its gradient, in blocks of images.

use std::ops::AddAssign;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, s};

use super::super::LinearClassifier;
use super::super::inputs::{check_classes, check_length};
use super::{LogisticError, LogisticOptions};
use crate::measure::Features;
use crate::measure::control::FeatureMoments;

/// Images whose standardised features are in memory at a time.
const NUM_ROWS: usize = 256;
/// Blocks at most: each gives a gradient of `K x (D + 1)` numbers.
const MAX_BLOCKS: usize = 64;
const ROWS_ARE_CONTIGUOUS: &str = "the rows of a new matrix are contiguous";

/// Training images and classes of a regression.
///
/// The features are neither stored nor copied as a whole: a block takes `(256 + K) x D x 8` bytes.
#[derive(Debug, Clone)]
pub struct LogisticProblem {
    classes: Vec<usize>,
    num_classes: usize,
    /// Mean of each unit, and 1 over its standard deviation (0 for a constant unit).
    means: Vec<f64>,
    scales: Vec<f64>,
    options: LogisticOptions,
}

/// Loss and gradient summed over some images. Sums over different images can be added.
#[derive(Debug, Clone, PartialEq)]
pub struct LossPart {
    loss: f64,
    /// `K x D` for the weights, then `K` for the biases.
    gradient: Vec<f64>,
}

impl AddAssign for LossPart {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        let sums = self.gradient.iter_mut().zip(other.gradient);
        sums.for_each(|(sum, other)| *sum += other);
    }
}

impl LogisticProblem {
    /// Checks the labels and computes the scale of the units.
    ///
    /// - `classes`: class of each image, below `num_classes`.
    ///
    /// # Errors
    /// [`LogisticError`].
    pub fn new(
        features: &Features<'_>,
        classes: &[usize],
        num_classes: usize,
        options: LogisticOptions,
    ) -> Result<Self, LogisticError> {
        positive("cost", options.cost)?;
        positive("tolerance", options.tolerance)?;
        let (num_images, num_units) = (features.num_images(), features.num_units());
        check_length("labels", classes.len(), num_images)?;
        check_classes(classes.iter().copied(), num_classes)?;
        let class = classes[0];
        if classes.iter().all(|&other| other == class) {
            return Err(LogisticError::OneClass { num_images, class });
        }
        let moments = FeatureMoments::of(features);
        let deviations = moments.deviations();
        if deviations.iter().all(|&deviation| deviation == 0.0) {
            return Err(LogisticError::AllConstant {
                num_units,
                num_images,
            });
        }
        let inverse = |&deviation: &f64| match deviation {
            0.0 => 0.0,
            _ => deviation.recip(),
        };
        Ok(Self {
            classes: classes.to_vec(),
            num_classes,
            means: moments.means().to_vec(),
            scales: deviations.iter().map(inverse).collect(),
            options,
        })
    }

    /// The same problem with another cost.
    ///
    /// # Errors
    /// [`LogisticError::Option`].
    pub fn with_cost(&self, cost: f64) -> Result<Self, LogisticError> {
        positive("cost", cost)?;
        Ok(Self {
            options: LogisticOptions {
                cost,
                ..self.options
            },
            ..self.clone()
        })
    }

    /// Number of blocks of images.
    pub fn num_blocks(&self) -> usize {
        self.classes.len().div_ceil(self.block_len())
    }

    pub(super) fn options(&self) -> &LogisticOptions {
        &self.options
    }

    /// `K x (D + 1)`.
    pub(super) fn num_variables(&self) -> usize {
        self.num_classes * (self.means.len() + 1)
    }

    /// Loss and gradient of the images of one block, `0..num_blocks()`, not yet divided by the number of images; nothing for any other block.
    ///
    /// - `features`: the features given to [`new`](Self::new).
    /// - `point`: of [`Fitting::point`](super::Fitting::point).
    ///
    /// # Errors
    /// [`LogisticError::Inputs`].
    pub fn evaluate(
        &self,
        features: &Features<'_>,
        point: &[f64],
        block: usize,
    ) -> Result<LossPart, LogisticError> {
        let num_units = self.means.len();
        check_length(
            "rows of features",
            features.num_images(),
            self.classes.len(),
        )?;
        check_length("units", features.num_units(), num_units)?;
        check_length("weights and biases", point.len(), self.num_variables())?;
        let (weights, biases) = point.split_at(self.num_classes * num_units);
        let weights = ArrayView2::from_shape((self.num_classes, num_units), weights)
            .expect("the weights were split off");
        let mut loss = 0.0;
        let mut gradient = Array2::zeros((self.num_classes, num_units));
        let mut bias_gradient = vec![0.0; self.num_classes];
        let mut rows = Array2::zeros((NUM_ROWS, num_units));
        let mut scores = Array2::zeros((NUM_ROWS, self.num_classes));
        let block_len = self.block_len();
        let classes = self
            .classes
            .chunks(block_len)
            .nth(block)
            .unwrap_or_default();
        let mut blocks = features.values().chunks(block_len * num_units);
        let values = blocks.nth(block).unwrap_or_default();
        let chunks = values.chunks(NUM_ROWS * num_units);
        for (classes, values) in classes.chunks(NUM_ROWS).zip(chunks) {
            let num = classes.len();
            for (row, values) in rows
                .rows_mut()
                .into_iter()
                .zip(values.chunks_exact(num_units))
            {
                self.standardise(values, row.into_slice().expect(ROWS_ARE_CONTIGUOUS));
            }
            let rows = rows.slice(s![..num, ..]);
            let mut scores = scores.slice_mut(s![..num, ..]);
            general_mat_mul(1.0, &rows, &weights.t(), 0.0, &mut scores);
            for (scores, &class) in scores.rows_mut().into_iter().zip(classes) {
                let scores = scores.into_slice().expect(ROWS_ARE_CONTIGUOUS);
                loss += excess(scores, biases, class);
                for (sum, excess) in bias_gradient.iter_mut().zip(scores) {
                    *sum += *excess;
                }
            }
            general_mat_mul(1.0, &scores.t(), &rows, 1.0, &mut gradient);
        }
        let mut gradient = gradient.into_raw_vec_and_offset().0;
        gradient.extend(bias_gradient);
        Ok(LossPart { loss, gradient })
    }

    /// Objective and its gradient from the sum of all blocks at `point`.
    pub(super) fn objective(&self, point: &[f64], sum: LossPart) -> (f64, Vec<f64>) {
        let LossPart { loss, mut gradient } = sum;
        let num_images = self.classes.len() as f64;
        let ridge = 1.0 / (self.options.cost * num_images);
        let weights = &point[..self.num_classes * self.means.len()];
        let energy: f64 = weights.iter().map(|weight| weight * weight).sum();
        gradient.iter_mut().for_each(|value| *value /= num_images);
        for (gradient, weight) in gradient.iter_mut().zip(weights) {
            *gradient += ridge * weight;
        }
        (loss / num_images + 0.5 * ridge * energy, gradient)
    }

    /// The classifier of features as they are.
    pub(super) fn classifier(&self, point: &[f64]) -> LinearClassifier {
        let num_units = self.means.len();
        let (weights, biases) = point.split_at(self.num_classes * num_units);
        let mut weights = weights.to_vec();
        let mut biases = biases.to_vec();
        for (weights, bias) in weights.chunks_exact_mut(num_units).zip(&mut biases) {
            let units = weights.iter_mut().zip(self.means.iter().zip(&self.scales));
            for (weight, (mean, scale)) in units {
                *weight *= scale;
                *bias -= *weight * mean;
            }
        }
        LinearClassifier::new(weights, biases)
    }

    fn block_len(&self) -> usize {
        self.classes.len().div_ceil(MAX_BLOCKS).max(NUM_ROWS)
    }

    fn standardise(&self, values: &[f32], row: &mut [f64]) {
        let units = self.means.iter().zip(&self.scales);
        for ((value, &raw), (mean, scale)) in row.iter_mut().zip(values).zip(units) {
            *value = (f64::from(raw) - mean) * scale;
        }
    }
}

/// Turns scores without their biases into probabilities, less 1 for the true class, which is the gradient of the loss; returns the loss.
fn excess(scores: &mut [f64], biases: &[f64], class: usize) -> f64 {
    for (score, bias) in scores.iter_mut().zip(biases) {
        *score += bias;
    }
    let own = scores[class];
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - greatest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
    scores[class] -= 1.0;
    sum.ln() + greatest - own
}

fn positive(key: &'static str, value: f64) -> Result<(), LogisticError> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(LogisticError::Option {
            key,
            value,
            expected: "a finite number above 0",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rows::drawn;
    use super::*;

    fn refused(values: &[f32], classes: &[usize], options: LogisticOptions) -> String {
        let features = Features::new(values, 2).unwrap();
        let problem = LogisticProblem::new(&features, classes, 3, options);
        problem.map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn images_of_one_class_and_constant_features_are_refused() {
        let values = [0.0, 1.0, 2.0, 1.0];
        let good = LogisticOptions::default();
        for (values, classes, text) in [
            (
                &values[..],
                &[1, 1][..],
                "all 2 training images are of class 1; expected at least 2 classes",
            ),
            (
                &values[..2],
                &[0],
                "all 1 training images are of class 0; expected at least 2 classes",
            ),
            (
                &values,
                &[0, 3],
                "image 1 has class 3; there are 3 classes, from 0",
            ),
            (&values, &[0], "1 labels; expected 2"),
            (
                &[4.0, 1.0, 4.0, 1.0],
                &[0, 1],
                "all 2 units are constant over 2 training images",
            ),
        ] {
            assert_eq!(refused(values, classes, good), text);
        }
        let options = LogisticOptions {
            cost: f64::INFINITY,
            ..good
        };
        let text = "cost is inf; expected a finite number above 0";
        assert_eq!(refused(&values, &[0, 1], options), text);
    }

    #[test]
    fn blocks_add_up_to_the_loss_and_its_gradient_by_differences() {
        let (num_images, num_units, num_classes) = (600, 5, 3);
        let values = drawn(num_images * num_units, 1);
        let features = Features::new(values, num_units).unwrap();
        let classes: Vec<usize> = (0..num_images).map(|image| image * image % 3).collect();
        let options = LogisticOptions {
            cost: 0.01,
            ..LogisticOptions::default()
        };
        let problem = LogisticProblem::new(&features, &classes, num_classes, options).unwrap();
        assert_eq!(problem.num_blocks(), 3);
        let objective = |point: &[f64]| {
            let part = |block| problem.evaluate(&features, point, block).unwrap();
            let mut sum = part(0);
            (1..4).for_each(|block| sum += part(block));
            problem.objective(point, sum)
        };
        let point: Vec<f64> = drawn(18, 70_000).into_iter().map(f64::from).collect();
        let (_, gradient) = objective(&point);
        for place in 0..18 {
            let at = |step: f64| {
                let mut point = point.clone();
                point[place] += step;
                objective(&point).0
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (slope - gradient[place]).abs() < 1e-8,
                "{place}: {slope}, {gradient:?}"
            );
        }
    }
}
