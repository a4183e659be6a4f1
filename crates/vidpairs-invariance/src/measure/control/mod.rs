//! Makes random-feature controls: features of the same shape that carry no information about the images.
//!
//! **Takes** features and a [`Seed`]. **Gives** random features that show which score is reached by chance. Gaussian features with the
//! same mean and covariance ([`GaussianControl`]) preserve the number of dimensions in use; shuffled features ([`shuffled_units`])
//! preserve the values of each unit. **Fails** never. **Source**: our own choice: a score over the best of many units is above 0 for any
//! features.
//!
//! Every number depends only on the seed, its image and its unit, so that results do not depend on how work is divided.

mod cholesky;
mod gaussian;
mod moments;

use std::ops::Range;

use rand::seq::SliceRandom;
use vidpairs_types::Seed;

use super::Features;

pub use gaussian::GaussianControl;
pub use moments::{FeatureMoments, UnitProducts};

/// Shuffles the values of each of some units over the images, each unit on its own: values no longer belong to their images and are no
/// longer correlated with other units. Several dozen units at a time are fastest, because rows are then read once for all of them.
///
/// Returns `units.len() x N` numbers, one unit after the other. Units that do not exist are left out.
pub fn shuffled_units(features: &Features<'_>, units: Range<usize>, seed: Seed) -> Vec<f32> {
    let (num_images, num_units) = (features.num_images(), features.num_units());
    let units = units.start.min(num_units)..units.end.min(num_units);
    let mut columns = vec![0.0; units.len() * num_images];
    for (image, row) in features.images().enumerate() {
        let columns = columns.chunks_exact_mut(num_images);
        for (column, &value) in columns.zip(&row[units.clone()]) {
            column[image] = value;
        }
    }
    for (unit, column) in units.zip(columns.chunks_exact_mut(num_images)) {
        let mut rng = seed.for_step("shuffled-control", &unit.to_string()).rng();
        column.shuffle(&mut rng);
    }
    columns
}

#[cfg(test)]
mod tests;
