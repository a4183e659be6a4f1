//! Features whose units no longer agree.

use std::ops::Range;

use rand::seq::SliceRandom;
use vidpairs_types::Seed;

use super::super::Features;

/// The values of some units, each unit's in another order of the images, drawn for each unit alone: what a unit gives stays, but no longer
/// goes with the images, nor with other units. A few dozen units at once are quickest, since rows are read once for all of them.
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
