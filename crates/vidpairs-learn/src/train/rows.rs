//! Matrix of vectors, one in each row.

/// View of `N` vectors of `D` dimensions, row-major, all numbers finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows<'a> {
    values: &'a [f32],
    num_dims: usize,
}

/// Why numbers do not form rows of vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The numbers do not fill whole rows. A bug of the caller: stop.
    #[error("{num_values} numbers do not make rows of {num_dims} dimensions")]
    Ragged {
        /// Number of values given.
        num_values: usize,
        /// Length of a row given.
        num_dims: usize,
    },
    /// A number is NaN or infinite: training diverged. Stop; figures computed from it are meaningless.
    #[error("vector {row} of {num_rows} is not finite in dimension {dim}")]
    NotFinite {
        /// Index of the first such vector.
        row: usize,
        /// Number of vectors.
        num_rows: usize,
        /// Index of the first such number in it.
        dim: usize,
    },
}

impl<'a> Rows<'a> {
    /// Rows of `num_dims` numbers each; `values` may be empty.
    ///
    /// # Errors
    /// [`RowsError`], also if `num_dims` is 0.
    pub fn new(values: &'a [f32], num_dims: usize) -> Result<Self, RowsError> {
        if num_dims == 0 || !values.len().is_multiple_of(num_dims) {
            return Err(RowsError::Ragged {
                num_values: values.len(),
                num_dims,
            });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(RowsError::NotFinite {
                row: at / num_dims,
                num_rows: values.len() / num_dims,
                dim: at % num_dims,
            }),
            None => Ok(Self { values, num_dims }),
        }
    }

    /// Number of vectors, `N`.
    pub fn num_rows(&self) -> usize {
        self.values.len() / self.num_dims
    }

    /// Number of dimensions, `D`, at least 1.
    pub fn num_dims(&self) -> usize {
        self.num_dims
    }

    /// The vectors.
    pub fn vectors(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.num_dims)
    }

    /// All rows scaled to length 1, row-major. A row of zeros stays unchanged.
    pub fn to_unit(&self) -> Vec<f32> {
        let mut unit = self.values.to_vec();
        for row in unit.chunks_exact_mut(self.num_dims) {
            let energy: f64 = row.iter().map(|&value| f64::from(value).powi(2)).sum();
            if energy > 0.0 {
                let length = energy.sqrt();
                row.iter_mut()
                    .for_each(|value| *value = (f64::from(*value) / length) as f32);
            }
        }
        unit
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_first_number_that_is_not_finite() {
        let err = Rows::new(&[0.0, 1.0, 2.0, f32::NAN, 4.0, f32::INFINITY], 2).unwrap_err();
        assert_eq!(
            err.to_string(),
            "vector 1 of 3 is not finite in dimension 1"
        );
    }

    #[test]
    fn numbers_that_do_not_fill_whole_rows_are_refused() {
        let ragged = |values: &[f32], num_dims| Rows::new(values, num_dims).is_err();
        assert!(ragged(&[0.0; 5], 2) && ragged(&[0.0; 5], 0) && !ragged(&[], 3));
    }

    #[test]
    fn rows_are_scaled_to_length_one_and_a_row_of_zeros_stays() {
        let values = [3.0, 4.0, 0.0, 0.0, 1e30, 0.0, -1e-30, 0.0];
        let unit = Rows::new(&values, 2).unwrap().to_unit();
        assert_eq!(unit, [0.6, 0.8, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0]);
    }
}
