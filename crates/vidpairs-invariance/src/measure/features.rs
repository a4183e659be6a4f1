//! Features of images: one row of numbers per image.

use std::borrow::Cow;

use multiversion::multiversion;

/// Numbers that are checked at a time.
const CHUNK: usize = 1 << 14;

/// `N x D` finite numbers, row-major: the values of `D` units for each of `N` images. Borrowed or owned; at least one image and one
/// unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Features<'a> {
    values: Cow<'a, [f32]>,
    num_units: usize,
}

/// Error of [`Features::new`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeaturesError {
    /// No numbers. Stop.
    #[error("no features")]
    Empty,
    /// The numbers do not fill whole rows. A bug of the caller, or a damaged file: stop.
    #[error("{num_values} numbers do not make rows of {num_units} units")]
    Ragged {
        /// Numbers given.
        num_values: usize,
        /// Units per row, as given.
        num_units: usize,
    },
    /// A number is NaN or infinite: a score computed from it would be meaningless. Stop.
    #[error("unit {unit_index} of image {image_index} is {value}; expected a finite number")]
    NotFinite {
        /// First image with such a number, from 0.
        image_index: usize,
        /// First such unit of that image, from 0.
        unit_index: usize,
        /// NaN or an infinity.
        value: f32,
    },
}

impl<'a> Features<'a> {
    /// Checks `values`: rows of `num_units` numbers.
    ///
    /// # Errors
    /// [`FeaturesError`].
    pub fn new(values: impl Into<Cow<'a, [f32]>>, num_units: usize) -> Result<Self, FeaturesError> {
        let values = values.into();
        if num_units == 0 || !values.len().is_multiple_of(num_units) {
            return Err(FeaturesError::Ragged {
                num_values: values.len(),
                num_units,
            });
        }
        if values.is_empty() {
            return Err(FeaturesError::Empty);
        }
        match first_not_finite(&values) {
            Some((at, value)) => Err(FeaturesError::NotFinite {
                image_index: at / num_units,
                unit_index: at % num_units,
                value,
            }),
            None => Ok(Self { values, num_units }),
        }
    }

    /// Number of images `N`, at least 1.
    pub fn num_images(&self) -> usize {
        self.values.len() / self.num_units
    }

    /// Number of units `D`, at least 1.
    pub fn num_units(&self) -> usize {
        self.num_units
    }

    /// All numbers, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All numbers, row-major; not copied if they are owned.
    pub fn into_values(self) -> Vec<f32> {
        self.values.into_owned()
    }

    /// The row of each image.
    pub fn images(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.num_units)
    }

    /// The value of one unit for each image; empty if there is no such unit.
    pub fn unit(&self, unit_index: usize) -> impl Iterator<Item = f32> + '_ {
        self.images()
            .filter_map(move |row| row.get(unit_index).copied())
    }
}

fn first_not_finite(values: &[f32]) -> Option<(usize, f32)> {
    let mut chunks = values.chunks(CHUNK).enumerate();
    let (place, chunk) = chunks.find(|(_, chunk)| !all_finite(chunk))?;
    let (within, &value) = chunk
        .iter()
        .enumerate()
        .find(|(_, value)| !value.is_finite())?;
    Some((place * CHUNK + within, value))
}

#[multiversion(targets = "simd")]
fn all_finite(values: &[f32]) -> bool {
    // Without a branch, so that it compiles to vector instructions.
    values
        .iter()
        .fold(true, |all, value| all & (value.abs() <= f32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        let mut values = vec![1.0; 3 * CHUNK];
        values[2 * CHUNK + 5] = f32::NAN;
        values[2 * CHUNK + 6] = f32::INFINITY;
        let err = Features::new(values, 3).unwrap_err();
        assert_eq!(
            err.to_string(),
            "unit 1 of image 10924 is NaN; expected a finite number"
        );
        let err = Features::new(&[0.0, f32::NEG_INFINITY][..], 2).unwrap_err();
        assert!(err.to_string().starts_with("unit 1 of image 0 is -inf"));
    }

    #[test]
    fn numbers_that_do_not_fill_rows_and_no_numbers_are_refused() {
        let ragged = |len, num_units| Features::new(vec![0.0; len], num_units).unwrap_err();
        assert!(matches!(ragged(5, 2), FeaturesError::Ragged { .. }));
        assert!(matches!(ragged(5, 0), FeaturesError::Ragged { .. }));
        assert_eq!(ragged(0, 2), FeaturesError::Empty);
    }

    #[test]
    fn a_unit_is_a_column() {
        let features = Features::new(vec![1.0, 2.0, 3.0, 4.0], 2).unwrap();
        assert_eq!(features.unit(1).collect::<Vec<_>>(), [2.0, 4.0]);
        assert_eq!(features.unit(2).count(), 0);
    }
}
