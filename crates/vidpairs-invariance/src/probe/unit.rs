//! Scales rows to length 1.

use crate::measure::Features;
use crate::measure::direction::energy;

/// Scales the row of each image to Euclidean length 1, in place if `features` own their numbers.
///
/// Lengths are computed in 64 bits, so features multiplied by a constant give the same rows up to the rounding of 32 bits, and by a power of
/// two exactly the same. VISSL adds 1e-5 to each length; we do not, because features of a small scale would then be left shorter.
///
/// Returns the rows, and the number of rows of zeros, which have no direction and stay as they are.
pub fn unit_rows(features: Features<'_>) -> (Features<'static>, usize) {
    let num_units = features.num_units();
    let mut values = features.into_values();
    let mut num_zero = 0;
    for row in values.chunks_exact_mut(num_units) {
        let length = energy(row).sqrt();
        if length == 0.0 {
            num_zero += 1;
            continue;
        }
        row.iter_mut()
            .for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
    let rows = Features::new(values, num_units);
    (rows.expect("scaled rows are whole and finite"), num_zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(values: &[f32]) -> (Vec<f32>, usize) {
        let (rows, num_zero) = unit_rows(Features::new(values, 2).unwrap());
        (rows.into_values(), num_zero)
    }

    #[test]
    fn rows_of_any_finite_scale_get_length_one() {
        let values = [3.0, 4.0, 1e38, 0.0, -1e-30, 0.0];
        assert_eq!(unit(&values), (vec![0.6, 0.8, 1.0, 0.0, -1.0, 0.0], 0));
        assert_eq!(unit(&[3.0, 4.0]), unit(&[3072.0, 4096.0]));
    }

    #[test]
    fn rows_of_zeros_stay_and_are_counted() {
        let values = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(unit(&values), (values.to_vec(), 2));
    }
}
