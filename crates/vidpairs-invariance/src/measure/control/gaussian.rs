//! Gaussian features with the mean and the covariance of others.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use vidpairs_types::Seed;

use super::super::Features;
use super::cholesky::{PivotedFactor, pivoted};
use super::moments::{FeatureMoments, UnitProducts};

/// Images that are drawn at once.
const NUM_ROWS: usize = 256;
/// Units that are mixed at once. The factor is lower trapezoidal: a panel needs no draw beyond its last unit.
const PANEL: usize = 256;
/// A unit of whose variance the others leave no more than this share unexplained adds no dimension: a
/// hundred-thousandth of its deviation, about what rounding to 32 bits leaves of features after a few layers.
const NEGLIGIBLE: f64 = 1e-10;

/// A source of features that are jointly Gaussian, with the mean and the covariance of given ones, and nothing else of theirs.
///
/// An image is `m + S L g`: `m` the units' means, `S` their deviations, `L L'` their correlations and `g` standard normal, one
/// number for each dimension that the features use. `L` comes from a pivoted Cholesky factorisation of the correlations, not the covariances,
/// so that a unit of small numbers counts as much as one of great ones, as it does for a score that compares each unit with itself.
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
    /// Units in the order of the factor's rows.
    order: Vec<usize>,
    /// Of the units in that order.
    means: Vec<f32>,
    /// `D x rank`, lower trapezoidal, in units of the features.
    factor: Array2<f32>,
}

impl GaussianControl {
    /// From the `moments` of the features and the sum of their `products` over all blocks. Takes `D x D x 20` bytes.
    pub fn new(moments: &FeatureMoments, products: UnitProducts) -> Self {
        let correlations = moments.correlations(products);
        let PivotedFactor { order, factor } = pivoted(correlations, NEGLIGIBLE);
        let of_unit =
            |numbers: &[f64], unit: &usize| numbers.get(*unit).copied().unwrap_or_default();
        let mut scaled = Array2::zeros(factor.dim());
        for ((scaled, row), unit) in scaled.axis_iter_mut(Axis(0)).zip(factor.rows()).zip(&order) {
            let deviation = of_unit(&moments.deviations, unit);
            for (scaled, value) in scaled.into_iter().zip(row) {
                *scaled = (value * deviation) as f32;
            }
        }
        let means = order
            .iter()
            .map(|unit| of_unit(&moments.means, unit) as f32);
        Self {
            means: means.collect(),
            order,
            factor: scaled,
        }
    }

    /// From `features`, `N x D`, on this thread.
    pub fn of(features: &Features<'_>) -> Self {
        let moments = FeatureMoments::of(features);
        let mut products = moments.products(features, 0);
        for block in 1..moments.num_blocks() {
            products += moments.products(features, block);
        }
        Self::new(&moments, products)
    }

    /// `D`.
    pub fn num_units(&self) -> usize {
        self.order.len()
    }

    /// How many dimensions the features use: the numerical rank of their covariance, less than `N` and at most `D`.
    pub fn rank(&self) -> usize {
        self.factor.ncols()
    }

    /// Draws the features of some images.
    ///
    /// - `first_image`: place of the first of them among all.
    /// - `features`: filled with whole rows of `D`, row-major; what is left over stays.
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
