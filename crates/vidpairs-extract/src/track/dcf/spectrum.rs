//! Computes the Fourier transform of a real grid of 32 x 32 cells.

use std::sync::{Arc, LazyLock};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

/// Cells per side of the grid.
pub(super) const SIDE: usize = 32;
/// Stored columns of frequencies. The grid is real, so the other columns are their conjugates.
const HALF: usize = SIDE / 2 + 1;
/// Cells of the grid.
pub(super) const AREA: usize = SIDE * SIDE;
/// Stored frequencies, column by column.
pub(super) const SPECTRUM: usize = HALF * SIDE;

/// Transform plans, created once per process.
struct Plans {
    rows: Arc<dyn RealToComplex<f32>>,
    rows_back: Arc<dyn ComplexToReal<f32>>,
    columns: Arc<dyn Fft<f32>>,
    columns_back: Arc<dyn Fft<f32>>,
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
    Plans {
        rows: real.plan_fft_forward(SIDE),
        rows_back: real.plan_fft_inverse(SIDE),
        columns: complex.plan_fft_forward(SIDE),
        columns_back: complex.plan_fft_inverse(SIDE),
    }
});

/// Transforms grids; reuses its buffers between calls.
pub(super) struct Transform {
    /// Row by row, the order in which real rows are transformed.
    by_row: Vec<Complex32>,
    grid: Vec<f32>,
    scratch: Vec<Complex32>,
}

impl Transform {
    pub fn new() -> Self {
        let plans = &*PLANS;
        let scratch = [
            plans.rows.get_scratch_len(),
            plans.rows_back.get_scratch_len(),
            plans.columns.get_inplace_scratch_len(),
            plans.columns_back.get_inplace_scratch_len(),
        ];
        Self {
            by_row: vec![Complex32::ZERO; SPECTRUM],
            grid: vec![0.0; AREA],
            scratch: vec![Complex32::ZERO; scratch.into_iter().max().unwrap_or(0)],
        }
    }

    /// `out[u * SIDE + v]` = sum over x, y of `grid[y * SIDE + x] exp(-2 pi i (u x + v y) / SIDE)`.
    ///
    /// - `grid`: `AREA` numbers; `out`: `SPECTRUM` of them.
    pub fn forward(&mut self, grid: &[f32], out: &mut [Complex32]) {
        let plans = &*PLANS;
        self.grid.copy_from_slice(grid); // the plan overwrites its input
        let rows = self.grid.chunks_exact_mut(SIDE);
        for (row, out) in rows.zip(self.by_row.chunks_exact_mut(HALF)) {
            let done = plans.rows.process_with_scratch(row, out, &mut self.scratch);
            done.expect("the buffers have the plan's lengths");
        }
        transpose(&self.by_row, out, HALF, SIDE);
        plans.columns.process_with_scratch(out, &mut self.scratch);
    }

    /// Computes the grid with the transform `spectrum`, which is overwritten.
    pub fn inverse(&mut self, spectrum: &mut [Complex32], grid: &mut [f32]) {
        let plans = &*PLANS;
        plans
            .columns_back
            .process_with_scratch(spectrum, &mut self.scratch);
        transpose(spectrum, &mut self.by_row, SIDE, HALF);
        let rows = self.by_row.chunks_exact_mut(HALF);
        for (row, out) in rows.zip(grid.chunks_exact_mut(SIDE)) {
            // These two are real. The plan rejects imaginary parts left by rounding.
            for end in [0, HALF - 1] {
                row[end].im = 0.0;
            }
            let plan = &plans.rows_back;
            let done = plan.process_with_scratch(row, out, &mut self.scratch);
            done.expect("the buffers have the plan's lengths");
        }
        let scale = 1.0 / AREA as f32;
        grid.iter_mut().for_each(|value| *value *= scale);
    }
}

/// `to[x * height + y] = from[y * width + x]`.
fn transpose(from: &[Complex32], to: &mut [Complex32], width: usize, height: usize) {
    for (x, column) in to.chunks_exact_mut(height).enumerate() {
        for (value, row) in column.iter_mut().zip(from.chunks_exact(width)) {
            *value = row[x];
        }
    }
}

/// Shifts the grids of several `spectra` by `cells`, wrapped at the borders: times `exp(-2 pi i (u x + v y) / SIDE)`.
pub(super) fn shift(spectra: &mut [Complex32], cells: [f64; 2]) {
    let turns = |cells: f64| -> [Complex32; SIDE] {
        std::array::from_fn(|frequency| {
            let angle = -std::f64::consts::TAU * wrapped(frequency) * cells / SIDE as f64;
            Complex32::new(angle.cos() as f32, angle.sin() as f32)
        })
    };
    let (across, down) = (turns(cells[0]), turns(cells[1]));
    for spectrum in spectra.chunks_exact_mut(SPECTRUM) {
        for (column, across) in spectrum.chunks_exact_mut(SIDE).zip(&across) {
            for (value, down) in column.iter_mut().zip(&down) {
                *value *= across * down;
            }
        }
    }
}

/// Signed distance of a cell from the origin: the second half of each side is negative.
pub(super) fn wrapped(place: usize) -> f64 {
    if place > SIDE / 2 {
        place as f64 - SIDE as f64
    } else {
        place as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<f32> {
        (0..AREA)
            .map(|n| ((n * n * 7 + n * 13) % 101) as f32 / 50.0 - 1.0)
            .collect()
    }

    #[test]
    fn a_frequency_equals_its_defining_sum() {
        let grid = grid();
        let mut out = vec![Complex32::ZERO; SPECTRUM];
        Transform::new().forward(&grid, &mut out);
        for (u, v) in [(0, 0), (1, 0), (0, 1), (5, 3), (16, 17), (2, 31), (16, 16)] {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, &value) in grid.iter().enumerate() {
                let turns = (u * (n % SIDE) + v * (n / SIDE)) as f64 / SIDE as f64;
                let angle = -std::f64::consts::TAU * turns;
                re += f64::from(value) * angle.cos();
                im += f64::from(value) * angle.sin();
            }
            let got = out[u * SIDE + v];
            let error = (f64::from(got.re) - re).hypot(f64::from(got.im) - im);
            assert!(error < 1e-3, "({u}, {v}): {got}, expected {re} {im}");
        }
    }

    #[test]
    fn the_inverse_restores_the_grid() {
        let (grid, mut transform) = (grid(), Transform::new());
        let mut spectrum = vec![Complex32::ZERO; SPECTRUM];
        transform.forward(&grid, &mut spectrum);
        let mut back = vec![0.0; AREA];
        transform.inverse(&mut spectrum, &mut back);
        for (before, after) in grid.iter().zip(back) {
            assert!((before - after).abs() < 1e-5);
        }
    }
}
