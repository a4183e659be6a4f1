//! Whether numbers are features.

/// Why numbers are no features.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// There is no image. Stop.
    #[error("no features: there is no image")]
    NoImage,
    /// The numbers do not fill whole rows. A bug of the caller: stop.
    #[error("{num_values} numbers do not make rows of {num_units} units")]
    Ragged {
        /// How many numbers there are.
        num_values: usize,
        /// How long a row was said to be.
        num_units: usize,
    },
    /// Not one of something for each image. A bug of the caller: stop.
    #[error("{found} {what} for {num_images} images")]
    Count {
        /// Of what: `targets`, say.
        what: &'static str,
        /// How many were given.
        found: usize,
        /// Rows of the features.
        num_images: usize,
    },
    /// A number is NaN or infinite. Stop; no figure computed from it means anything.
    #[error("the features of image {image} of {num_images} are not finite in unit {unit}")]
    NotFinite {
        /// Of the first such image.
        image: usize,
        /// Images in all.
        num_images: usize,
        /// Of the first such number.
        unit: usize,
    },
}

/// How many images `features` (row-major, rows of `num_units`) are of: at least one, all numbers finite.
pub(super) fn num_images(features: &[f32], num_units: usize) -> Result<usize, ShapeError> {
    if num_units == 0 || !features.len().is_multiple_of(num_units) {
        return Err(ShapeError::Ragged {
            num_values: features.len(),
            num_units,
        });
    }
    let num_images = features.len() / num_units;
    match features.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(ShapeError::NotFinite {
            image: at / num_units,
            num_images,
            unit: at % num_units,
        }),
        None if num_images == 0 => Err(ShapeError::NoImage),
        None => Ok(num_images),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_whole_rows_of_finite_numbers() {
        assert_eq!(num_images(&[0.0; 6], 2), Ok(3));
        assert_eq!(num_images(&[], 2), Err(ShapeError::NoImage));
        assert!(num_images(&[0.0; 5], 2).is_err() && num_images(&[0.0; 5], 0).is_err());
        let err = num_images(&[0.0, 1.0, 2.0, f32::NAN], 2).unwrap_err();
        assert_eq!(
            err.to_string(),
            "the features of image 1 of 2 are not finite in unit 1"
        );
    }
}
