//! Compares rows by direction: an exact comparison in 64 bits, and a fast one in 32 bits that bounds it from below.
//!
//! The nearest of two directions is the one with the greater cosine, which is the one with the shorter chord between the unit vectors:
//! `|a - b|^2 = 2 - 2 cos(a, b)`. The chord is the better number. Features that share a large part, such as an offset or one dominant unit, have
//! cosines that all round to 1 in 32 bits, while their chords keep every digit.
//!
//! A search compares nearly all rows by a product of 32-bit matrices. [`Centre`] takes the mean direction off first, which moves both ends of
//! a chord alike and leaves what tells the directions apart. Only rows that may be nearer than the nearest so far are compared exactly.

use multiversion::multiversion;

/// Numbers that are summed side by side. The order of a sum is fixed, so it is the same on every processor.
const LANES: usize = 16;

/// A row of features, compared by its direction alone.
#[derive(Debug, Clone, Copy)]
pub struct Direction<'a> {
    row: &'a [f32],
    /// 1 over the length of the row; 0 for a row of zeros.
    inverse_length: f64,
}

impl<'a> Direction<'a> {
    /// Direction of `row`, finite numbers. Squares of 32-bit numbers neither overflow nor underflow in 64 bits.
    pub fn of(row: &'a [f32]) -> Self {
        let energy = energy(row);
        let inverse_length = if energy > 0.0 {
            energy.sqrt().recip()
        } else {
            0.0
        };
        Self {
            row,
            inverse_length,
        }
    }

    /// Direction of a row whose inverse length is known.
    pub(super) fn with_inverse_length(row: &'a [f32], inverse_length: f64) -> Self {
        Self {
            row,
            inverse_length,
        }
    }

    /// 1 over the length of the row; 0 for a row of zeros.
    pub(super) fn inverse_length(&self) -> f64 {
        self.inverse_length
    }

    /// Whether the row has no direction: all its numbers are 0.
    pub fn is_zero(&self) -> bool {
        self.inverse_length == 0.0
    }

    /// Unit vector of the row, which is compared with many others.
    pub fn unit(&self) -> UnitVector {
        let numbers = self.row.iter();
        UnitVector {
            numbers: numbers
                .map(|&value| f64::from(value) * self.inverse_length)
                .collect(),
            is_zero: self.is_zero(),
        }
    }
}

/// Direction in 64 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitVector {
    numbers: Vec<f64>,
    is_zero: bool,
}

impl UnitVector {
    /// Squared chord to the unit vector of a row of the same length, 0 to 4: `2 - 2 cos`. A row of zeros has cosine 0 with every row.
    pub fn squared_chord(&self, other: &Direction<'_>) -> f64 {
        if self.is_zero || other.is_zero() {
            return 2.0;
        }
        squared_chord(&self.numbers, other.row, other.inverse_length)
    }
}

/// Mean direction of many rows, from which 32-bit numbers are taken.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::direction::{Centre, Direction};
///
/// let rows = [[1e4, 1e4 + 1.0], [1e4, 1e4 + 2.0]];
/// let directions = rows.each_ref().map(|row| Direction::of(row));
/// let centre = Centre::of(directions, 2);
/// let mut apart = [[0.0; 2]; 2];
/// let least: Vec<f32> = directions.iter().zip(&mut apart).map(|(direction, apart)| centre.apart(direction, apart)).collect();
/// let product: f32 = apart[0].iter().zip(&apart[1]).map(|(a, b)| a * b).sum();
/// let chord = directions[0].unit().squared_chord(&directions[1]);
/// let bound = f64::from(least[0] + least[1] - 2.0 * product);
/// assert!(bound <= chord && chord - bound < 1e-5 * chord);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Centre {
    mean: Vec<f64>,
    /// Largest relative error of a 32-bit product.
    rounding: f64,
}

impl Centre {
    /// Mean of `directions`, each of `num_units` numbers.
    pub fn of<'a>(directions: impl IntoIterator<Item = Direction<'a>>, num_units: usize) -> Self {
        let mut mean = vec![0.0; num_units];
        let mut num = 0.0;
        for direction in directions {
            num += 1.0;
            for (sum, &value) in mean.iter_mut().zip(direction.row) {
                *sum += f64::from(value) * direction.inverse_length;
            }
        }
        mean.iter_mut().for_each(|sum| *sum /= num);
        // Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1: `n u / (1 - n u)`. A product has D roundings in any order
        // of summation, and a few more come from the rounded factors, the sum with two least shares, and these.
        let roundings = (num_units + 12) as f64 * f64::from(f32::EPSILON) / 2.0;
        let rounding = if roundings < 1.0 {
            roundings / (1.0 - roundings)
        } else {
            f64::INFINITY
        };
        Self { mean, rounding }
    }

    /// Writes the difference between a direction and the centre to `apart`, `D` numbers, and returns a share of every chord of this
    /// direction.
    ///
    /// For two directions `a` and `b`, `share(a) + share(b) - 2 apart(a) . apart(b)` is at most their squared chord, with the product and the
    /// sum in 32 bits in any order. The share of a row of zeros is negative infinity: it is always compared exactly.
    pub fn apart(&self, direction: &Direction<'_>, apart: &mut [f32]) -> f32 {
        if direction.is_zero() {
            apart.fill(0.0);
            return f32::NEG_INFINITY;
        }
        let energy = subtract(direction.row, direction.inverse_length, &self.mean, apart);
        (energy * (1.0 - self.rounding)) as f32
    }
}

/// Sum of squares.
#[multiversion(targets = "simd")]
pub(crate) fn energy(row: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    for (sum, &value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(value) * f64::from(value);
    }
    sums.iter().sum()
}

#[multiversion(targets = "simd")]
fn squared_chord(unit: &[f64], row: &[f32], scale: f64) -> f64 {
    let mut sums = [0.0; LANES];
    let ((units, rest_unit), (rows, rest_row)) =
        (unit.as_chunks::<LANES>(), row.as_chunks::<LANES>());
    for (unit, row) in units.iter().zip(rows) {
        for lane in 0..LANES {
            let difference = unit[lane] - f64::from(row[lane]) * scale;
            sums[lane] += difference * difference;
        }
    }
    for ((sum, unit), &value) in sums.iter_mut().zip(rest_unit).zip(rest_row) {
        let difference = unit - f64::from(value) * scale;
        *sum += difference * difference;
    }
    sums.iter().sum()
}

/// Writes `row * scale - mean` and returns the sum of its squares.
#[multiversion(targets = "simd")]
fn subtract(row: &[f32], scale: f64, mean: &[f64], apart: &mut [f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((rows, rest_row), (means, rest_mean)) =
        (row.as_chunks::<LANES>(), mean.as_chunks::<LANES>());
    let (parts, rest_apart) = apart.as_chunks_mut::<LANES>();
    for ((row, mean), apart) in rows.iter().zip(means).zip(parts) {
        for lane in 0..LANES {
            let difference = f64::from(row[lane]) * scale - mean[lane];
            apart[lane] = difference as f32;
            sums[lane] += difference * difference;
        }
    }
    let rest = rest_row.iter().zip(rest_mean).zip(rest_apart);
    for (sum, ((&value, mean), apart)) in sums.iter_mut().zip(rest) {
        let difference = f64::from(value) * scale - mean;
        *apart = difference as f32;
        *sum += difference * difference;
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    proptest! {
        #[test]
        fn the_32_bit_number_never_exceeds_the_squared_chord(
            values in prop::collection::vec(-1.0f32..1.0, 6 * 19),
            offset in prop::sample::select(vec![0.0f32, 1.0, 1e3, 1e6, -1e30]),
            scale in prop::sample::select(vec![1.0f32, 1e-3, 1e-12, 1e8]),
        ) {
            let values: Vec<f32> = values.iter().map(|value| value * scale + offset).collect();
            let directions: Vec<Direction<'_>> = values.chunks_exact(19).map(Direction::of).collect();
            let centre = Centre::of(directions.iter().copied(), 19);
            let mut apart = vec![[0.0; 19]; 6];
            let shares: Vec<f32> = directions.iter().zip(&mut apart).map(|(direction, apart)| centre.apart(direction, apart)).collect();
            for (a, b) in (0..6).flat_map(|a| (0..6).map(move |b| (a, b))) {
                let bound = shares[a] + shares[b] - 2.0 * product(&apart[a], &apart[b]);
                prop_assert!(f64::from(bound) <= directions[a].unit().squared_chord(&directions[b]));
            }
        }
    }

    #[test]
    fn a_squared_chord_is_two_minus_two_cosines() {
        let rows = [[3.0, 4.0], [4.0, 3.0], [-3.0, -4.0], [0.0, 0.0]];
        let of = |row: usize| Direction::of(&rows[row]);
        for (a, b, cosine) in [
            (0, 0, 1.0),
            (0, 1, 0.96),
            (0, 2, -1.0),
            (0, 3, 0.0),
            (3, 3, 0.0),
        ] {
            let chord = of(a).unit().squared_chord(&of(b));
            assert!(
                (chord - (2.0 - 2.0 * cosine)).abs() < 1e-15,
                "{a} {b}: {chord}"
            );
        }
    }
}
