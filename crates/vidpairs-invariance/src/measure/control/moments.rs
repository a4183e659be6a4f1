//! Computes mean, standard deviation and correlation of units.

use std::ops::AddAssign;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, s};

use super::super::Features;

/// Images of a block.
const NUM_ROWS: usize = 1024;
/// Units of a panel. Products are symmetric, so each pair of panels is multiplied in one order only.
const PANEL: usize = 256;

/// Mean and standard deviation of each unit over all images.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMoments {
    num_images: usize,
    /// Means, `D`.
    pub(super) means: Vec<f64>,
    /// Population standard deviations, `D`; exactly 0 for a constant unit.
    pub(super) deviations: Vec<f64>,
}

/// Sums over images of the products of two standardised units. Sums over different images can be added.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitProducts {
    /// `D x D`; incomplete below the diagonal.
    sums: Array2<f64>,
}

impl FeatureMoments {
    /// Moments of `features`, `N x D`.
    pub fn of(features: &Features<'_>) -> Self {
        let (num_images, num_units) = (features.num_images(), features.num_units());
        // Relative to the first image, so that the mean of a constant unit is exact.
        let first: Vec<f64> = features.values()[..num_units]
            .iter()
            .map(|&value| value.into())
            .collect();
        let mut means = vec![0.0; num_units];
        for row in features.images() {
            for ((mean, &value), first) in means.iter_mut().zip(row).zip(&first) {
                *mean += f64::from(value) - first;
            }
        }
        for (mean, first) in means.iter_mut().zip(&first) {
            *mean = first + *mean / num_images as f64;
        }
        let mut deviations = vec![0.0; num_units];
        for row in features.images() {
            for ((sum, &value), mean) in deviations.iter_mut().zip(row).zip(&means) {
                *sum += (f64::from(value) - mean).powi(2);
            }
        }
        for sum in &mut deviations {
            *sum = (*sum / num_images as f64).sqrt();
        }
        Self {
            num_images,
            means,
            deviations,
        }
    }

    /// Number of images `N`.
    pub fn num_images(&self) -> usize {
        self.num_images
    }

    /// Number of units `D`.
    pub fn num_units(&self) -> usize {
        self.means.len()
    }

    /// Mean of each unit.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Population standard deviation of each unit; exactly 0 for a constant unit.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// Number of blocks of images.
    pub fn num_blocks(&self) -> usize {
        self.num_images.div_ceil(NUM_ROWS)
    }

    /// The products of the images of one block, `0..num_blocks()`. Takes `(D + 1024) x D x 8` bytes. If the products are added in the
    /// order of the blocks, the sum does not depend on the number of threads.
    ///
    /// - `features`: the features given to [`of`](Self::of).
    ///
    /// # Panics
    /// If there is no such block.
    pub fn products(&self, features: &Features<'_>, block: usize) -> UnitProducts {
        let num_units = self.num_units();
        let mut sums = Array2::zeros((num_units, num_units));
        let mut blocks = features.values().chunks(NUM_ROWS * num_units);
        let rows = blocks.nth(block).expect("the block exists");
        let rows = rows.chunks_exact(num_units);
        let mut standard = Array2::zeros((rows.len(), num_units));
        let inverse = |deviation: &f64| {
            if *deviation > 0.0 {
                deviation.recip()
            } else {
                0.0
            }
        };
        let scales: Vec<f64> = self.deviations.iter().map(inverse).collect();
        for (standard, row) in standard.axis_iter_mut(Axis(0)).zip(rows) {
            let moments = self.means.iter().zip(&scales);
            for ((standard, &value), (mean, scale)) in standard.into_iter().zip(row).zip(moments) {
                *standard = (f64::from(value) - mean) * scale;
            }
        }
        for start in (0..num_units).step_by(PANEL) {
            let end = (start + PANEL).min(num_units);
            let panel = standard.slice(s![.., start..end]);
            let mut sums = sums.slice_mut(s![start..end, start..]);
            general_mat_mul(
                1.0,
                &panel.t(),
                &standard.slice(s![.., start..]),
                0.0,
                &mut sums,
            );
        }
        UnitProducts { sums }
    }

    /// The correlations of all units, `D x D`, from the sum of the `products` of all blocks. A constant unit has correlation 0, also with
    /// itself.
    pub(super) fn correlations(&self, products: UnitProducts) -> Array2<f64> {
        let mut sums = products.sums;
        let num_units = sums.nrows();
        for row in 0..num_units {
            for column in row..num_units {
                let value = sums[[row, column]] / self.num_images as f64;
                sums[[row, column]] = value;
                sums[[column, row]] = value;
            }
        }
        sums
    }
}

impl AddAssign for UnitProducts {
    /// # Panics
    /// If the numbers of units differ.
    fn add_assign(&mut self, other: Self) {
        self.sums += &other.sums;
    }
}
