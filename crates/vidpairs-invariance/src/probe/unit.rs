//! Scales rows to length 1.

use crate::measure::Features;
use crate::measure::direction::energy;

/// All features of an image are 0, so they have no direction: the network has died, or the image was not encoded. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "all {num_units} features of image {image_index} are 0, so they cannot be scaled to length 1"
)]
pub struct ZeroRow {
    /// First such image, from 0.
    pub image_index: usize,
    /// Number of features of an image.
    pub num_units: usize,
}

/// Scales the row of each image to Euclidean length 1, in place if `features` own their numbers.
///
/// Lengths are computed in 64 bits, so features multiplied by a constant give the same rows up to the rounding of 32 bits, and by a power of
/// two exactly the same. VISSL adds 1e-5 to each length; we do not, because features of a small scale would then be left shorter.
///
/// # Errors
/// [`ZeroRow`] for the first image whose features are all 0.
pub fn unit_rows(features: Features<'_>) -> Result<Features<'static>, ZeroRow> {
    let num_units = features.num_units();
    let mut values = features.into_values();
    for (image_index, row) in values.chunks_exact_mut(num_units).enumerate() {
        let length = energy(row).sqrt();
        if length == 0.0 {
            return Err(ZeroRow {
                image_index,
                num_units,
            });
        }
        row.iter_mut()
            .for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
    Ok(Features::new(values, num_units).expect("rows of length 1 are whole and finite"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(values: &[f32]) -> Result<Vec<f32>, ZeroRow> {
        unit_rows(Features::new(values, 2).unwrap()).map(Features::into_values)
    }

    #[test]
    fn rows_of_any_finite_scale_get_length_one() {
        let values = [3.0, 4.0, 1e38, 0.0, -1e-30, 0.0];
        assert_eq!(unit(&values).unwrap(), [0.6, 0.8, 1.0, 0.0, -1.0, 0.0]);
        assert_eq!(unit(&[3.0, 4.0]), unit(&[3072.0, 4096.0]));
    }

    #[test]
    fn a_row_of_zeros_is_refused_and_its_image_is_named() {
        let err = unit(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap_err();
        assert_eq!(
            err.to_string(),
            "all 2 features of image 1 are 0, so they cannot be scaled to length 1"
        );
    }
}
