//! Arithmetic on a row of features in 32 bits and a vector in 64 bits.

use multiversion::multiversion;

/// Numbers that are summed side by side. The order of a sum is fixed, so it is the same on every processor.
const LANES: usize = 32;

/// Inner product. Every product of two 32-bit numbers is exact in 64 bits.
///
/// - `weights`, `row`: of equal length.
#[multiversion(targets = "simd")]
pub(super) fn dot(weights: &[f64], row: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((weights, rest_weights), (row, rest_row)) =
        (weights.as_chunks::<LANES>(), row.as_chunks::<LANES>());
    for (weights, row) in weights.iter().zip(row) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * f64::from(row[lane]);
        }
    }
    for ((sum, weight), &value) in sums.iter_mut().zip(rest_weights).zip(rest_row) {
        *sum += weight * f64::from(value);
    }
    sums.iter().sum()
}

/// Adds `row * scale` to `weights`, of equal length.
#[multiversion(targets = "simd")]
pub(super) fn add_scaled(weights: &mut [f64], row: &[f32], scale: f64) {
    for (weight, &value) in weights.iter_mut().zip(row) {
        *weight += scale * f64::from(value);
    }
}

/// `count` pseudo-random numbers from -1 to 1, the same as in `scripts/golden/figures.py`.
#[cfg(test)]
pub(super) fn drawn(count: usize, start: u32) -> Vec<f32> {
    let number = |at: u32| {
        let mixed = at.wrapping_mul(0x9e37_79b1);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        (mixed >> 16) as f32 / 32768.0 - 1.0
    };
    (start..).take(count).map(number).collect()
}
