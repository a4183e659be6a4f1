//! Draws Gaussian features with the mean and the covariance of given ones.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use vidpairs_types::Seed;

use super::super::Features;
use super::cholesky::{PivotedFactor, pivoted};
use super::moments::{FeatureMoments, UnitProducts};

/// Images that are drawn at a time.
const NUM_ROWS: usize = 256;
/// Units that are mixed at a time. The factor is lower trapezoidal: a panel needs no dimension beyond its last unit.
const PANEL: usize = 256;
/// Largest unexplained share of a unit's variance at which the unit adds no dimension. It corresponds to 1e-5 of the standard deviation,
/// about the rounding error of 32-bit features after a few layers.
const NEGLIGIBLE: f64 = 1e-10;

/// Generator of jointly Gaussian features with the mean and the covariance of given features.
///
/// The features of an image are `m + S L g`: `m` the means of the units, `S` their standard deviations, `L L'` their correlations, and `g`
/// a standard normal number for each dimension in use. `L` is a pivoted Cholesky factor of the correlations rather than the covariances,
/// so that the scale of a unit does not matter, as it does not for the score.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::Features;
/// use vidpairs_invariance::measure::control::GaussianControl;
/// use vidpairs_types::Seed;
///
/// // The second unit is twice the first.
/// let features = Features::new(vec![1.0, 2.0, 3.0, 6.0, 4.0, 8.0], 2)?;
/// let control = GaussianControl::of(&features);
/// assert_eq!(control.rank(), 1);
/// let mut drawn = [0.0; 4];
/// control.fill(Seed::of_run(0), 0, &mut drawn);
/// assert!((drawn[1] - 2.0 * drawn[0]).abs() < 1e-5);
/// # Ok::<(), vidpairs_invariance::measure::FeaturesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct GaussianControl {
    /// Unit of each row of the factor.
    order: Vec<usize>,
    /// Means in that order.
    means: Vec<f32>,
    /// `S L`, `D x rank`, lower trapezoidal.
    factor: Array2<f32>,
}

impl GaussianControl {
    /// Makes the control from the `moments` of the features and the sum of their `products` over all blocks. Takes `D x D x 20` bytes.
    pub fn new(moments: &FeatureMoments, products: UnitProducts) -> Self {
        let correlations = moments.correlations(products);
        let PivotedFactor { order, factor } = pivoted(correlations, NEGLIGIBLE);
        let scaled = Array2::from_shape_fn(factor.dim(), |(row, column)| {
            (factor[[row, column]] * moments.deviations[order[row]]) as f32
        });
        Self {
            means: order
                .iter()
                .map(|&unit| moments.means[unit] as f32)
                .collect(),
            order,
            factor: scaled,
        }
    }

    /// Makes the control of `features`, `N x D`, on the calling thread.
    pub fn of(features: &Features<'_>) -> Self {
        let moments = FeatureMoments::of(features);
        let mut products = moments.products(features, 0);
        for block in 1..moments.num_blocks() {
            products += moments.products(features, block);
        }
        Self::new(&moments, products)
    }

    /// Number of units `D`.
    pub fn num_units(&self) -> usize {
        self.order.len()
    }

    /// Number of dimensions that the features use: the numerical rank of their covariance, below `N` and at most `D`.
    pub fn rank(&self) -> usize {
        self.factor.ncols()
    }

    /// Draws the features of consecutive images.
    ///
    /// - `first_image`: index of the first image.
    /// - `features`: output, whole rows of `D` numbers; an incomplete last row is not filled.
    pub fn fill(&self, seed: Seed, first_image: usize, features: &mut [f32]) {
        let num_units = self.num_units();
        let mut drawn = Array2::zeros((NUM_ROWS, self.rank()));
        let mut mixed = Array2::zeros((NUM_ROWS, PANEL.min(num_units)));
        for (block, rows) in features.chunks_mut(NUM_ROWS * num_units).enumerate() {
            let num_rows = rows.len() / num_units;
            let images = first_image + block * NUM_ROWS..;
            for (image, numbers) in images.zip(drawn.axis_iter_mut(Axis(0)).take(num_rows)) {
                let rng = seed.for_step("gaussian-control", &image.to_string()).rng();
                let normal = rng.sample_iter::<f32, _>(StandardNormal);
                numbers
                    .into_iter()
                    .zip(normal)
                    .for_each(|(number, normal)| *number = normal);
            }
            for start in (0..num_units).step_by(PANEL) {
                let end = (start + PANEL).min(num_units);
                let depth = end.min(self.rank());
                let factor = self.factor.slice(s![start..end, ..depth]);
                let mut mixed = mixed.slice_mut(s![..num_rows, ..end - start]);
                let drawn = drawn.slice(s![..num_rows, ..depth]);
                general_mat_mul(1.0, &drawn, &factor.t(), 0.0, &mut mixed);
                let units = self.order.iter().zip(&self.means).skip(start);
                for (row, mixed) in rows.chunks_exact_mut(num_units).zip(mixed.rows()) {
                    for ((&unit, mean), value) in units.clone().zip(mixed) {
                        row[unit] = mean + value;
                    }
                }
            }
        }
    }
}
