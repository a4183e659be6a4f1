//! Computes the Cholesky factor of a matrix that may be rank-deficient.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, s};

/// Columns that are computed before the rest of the matrix is updated by one matrix product.
const PANEL: usize = 64;

/// `A = P L L' P'`, where the width of `L` is the rank.
pub(super) struct PivotedFactor {
    /// Permutation: row `i` of `L` belongs to row `order[i]` of the matrix. The row that the previous ones explain least comes next.
    pub order: Vec<usize>,
    /// `L`, `D x rank`, lower trapezoidal.
    pub factor: Array2<f64>,
}

/// Factors `matrix`, `D x D`, symmetric and positive semidefinite. Stops when the previous rows leave at most `negligible` of every
/// remaining row unexplained; the number of columns until then is the rank.
///
/// # Source
/// Higham, "Analysis of the Cholesky decomposition of a semi-definite matrix", 1990; in panels as LAPACK's `dpstrf`.
pub(super) fn pivoted(mut matrix: Array2<f64>, negligible: f64) -> PivotedFactor {
    let size = matrix.nrows();
    let mut order: Vec<usize> = (0..size).collect();
    let mut rank = 0;
    while rank < size {
        let (start, end) = (rank, (rank + PANEL).min(size));
        rank = find_columns(&mut matrix, &mut order, start..end, negligible);
        if rank < end {
            break;
        }
        let panel = matrix.slice(s![end.., start..end]).to_owned();
        let mut rest = matrix.slice_mut(s![end.., end..]);
        general_mat_mul(-1.0, &panel, &panel.t(), 1.0, &mut rest);
    }
    let mut factor = matrix.slice(s![.., ..rank]).to_owned();
    for ((row, column), value) in factor.indexed_iter_mut() {
        if column > row {
            *value = 0.0;
        }
    }
    PivotedFactor { order, factor }
}

/// Computes `columns` of the factor; the matrix must be up to date right of and below the first of them. Returns the number of columns
/// computed so far, which is less than `columns.end` if the rest is negligible.
fn find_columns(
    matrix: &mut Array2<f64>,
    order: &mut [usize],
    columns: std::ops::Range<usize>,
    negligible: f64,
) -> usize {
    let size = matrix.nrows();
    let start = columns.start;
    // Part of each row that these columns explain so far.
    let mut explained = vec![0.0; size];
    for column in columns.clone() {
        let left = |row: usize| matrix[[row, row]] - explained[row];
        let pivot = (column..size).max_by(|&a, &b| left(a).total_cmp(&left(b)).then(b.cmp(&a)));
        let Some(pivot) = pivot.filter(|&pivot| left(pivot) > negligible) else {
            return column;
        };
        let length = left(pivot).sqrt();
        order.swap(column, pivot);
        explained.swap(column, pivot);
        for other in 0..size {
            matrix.swap([column, other], [pivot, other]);
        }
        for other in column..size {
            matrix.swap([other, column], [other, pivot]);
        }
        let known = matrix.slice(s![column, start..column]).to_owned();
        for row in column + 1..size {
            let part = matrix.slice(s![row, start..column]).dot(&known);
            let value = (matrix[[row, column]] - part) / length;
            matrix[[row, column]] = value;
            explained[row] += value * value;
        }
        matrix[[column, column]] = length;
    }
    columns.end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `D x rank` pseudo-random numbers.
    fn mixing(size: usize, rank: usize) -> Array2<f64> {
        Array2::from_shape_fn((size, rank), |(row, column)| {
            let mixed = (row * 1000 + column) as u32 ^ 0x5bd1_e995;
            let mixed = mixed.wrapping_mul(0x9e37_79b1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
            f64::from(mixed >> 16) / 32768.0 - 1.0
        })
    }

    #[test]
    fn the_factor_reproduces_the_matrix_and_has_its_rank() {
        for (size, rank) in [(1, 1), (5, 2), (64, 64), (130, 65), (200, 150)] {
            let mixing = mixing(size, rank);
            let matrix = mixing.dot(&mixing.t());
            let PivotedFactor { order, factor } = pivoted(matrix.clone(), 1e-9);
            assert_eq!(factor.ncols(), rank);
            let again = factor.dot(&factor.t());
            for ((row, column), value) in again.indexed_iter() {
                let truth = matrix[[order[row], order[column]]];
                assert!((value - truth).abs() < 1e-9, "{value} {truth}");
            }
        }
    }

    #[test]
    fn a_matrix_of_zeros_has_rank_zero() {
        assert_eq!(pivoted(Array2::zeros((3, 3)), 1e-10).factor.dim(), (3, 0));
    }
}
