//! Features whose units no longer agree.

use std::ops::Range;

use rand::seq::SliceRandom;

use super::super::Features;
use crate::types::Seed;

/// Units that are shuffled at once: a few cache lines of each row, so that rows are not read once for each unit.
const NUM_UNITS: usize = 64;

/// Each unit's values in another order of the images, drawn for each unit alone: what a unit gives stays, but no longer goes with
/// the images, nor with other units.
///
/// Returns `N x D` numbers, row-major. Takes `64 x N x 4` bytes besides.
pub fn shuffled(features: &Features<'_>, seed: Seed) -> Vec<f32> {
    let (num_images, num_units) = (features.num_images(), features.num_units());
    let mut all = vec![0.0; num_images * num_units];
    for start in (0..num_units).step_by(NUM_UNITS) {
        let units = start..(start + NUM_UNITS).min(num_units);
        let columns = shuffled_units(features, units.clone(), seed);
        for (image, row) in all.chunks_exact_mut(num_units).enumerate() {
            let row = row.get_mut(units.clone()).unwrap_or_default();
            let columns = columns.chunks_exact(num_images);
            for (value, column) in row.iter_mut().zip(columns) {
                *value = column[image];
            }
        }
    }
    all
}

/// The part of [`shuffled`] that is of the units `units`, for one of several threads: a few dozen at once are quickest.
///
/// Returns `units.len() x N` numbers: one unit's values after the other's. Units that there are not are left out.
pub fn shuffled_units(features: &Features<'_>, units: Range<usize>, seed: Seed) -> Vec<f32> {
    let (num_images, num_units) = (features.num_images(), features.num_units());
    let units = units.start.min(num_units)..units.end.min(num_units);
    let mut columns = vec![0.0; units.len() * num_images];
    for (image, row) in features.images().enumerate() {
        let row = row.get(units.clone()).unwrap_or_default();
        for (column, &value) in columns.chunks_exact_mut(num_images).zip(row) {
            column[image] = value;
        }
    }
    for (unit, column) in units.zip(columns.chunks_exact_mut(num_images)) {
        let mut rng = seed.for_step("shuffled-control", &unit.to_string()).rng();
        column.shuffle(&mut rng);
    }
    columns
}
