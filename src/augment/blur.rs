//! Gaussian blur, the two axes one after the other, the border mirrored.

use multiversion::multiversion;

use super::painter::LANES;

/// Taps further than so many sigmas are left out: together they weigh less than a millionth.
const REACH_SIGMAS: f64 = 5.0;

/// Half a kernel.
#[derive(Debug, Default)]
pub(super) struct Gaussian {
    /// Of the middle, and of the taps so many px away on either side.
    weights: Vec<f32>,
    /// A row with its mirrored ends.
    row: Vec<f32>,
}

impl Gaussian {
    /// The kernel of torchvision's `gaussian_blur`: `exp(-d^2 / (2 sigma^2))` at whole px, cut at `kernel_px`, of sum 1.
    pub fn set(&mut self, sigma_px: f64, kernel_px: u32) {
        let half = (kernel_px / 2) as usize;
        let at = |distance: usize| (-0.5 * (distance as f64 / sigma_px).powi(2)).exp();
        let sum = at(0) + 2.0 * (1..=half).map(at).sum::<f64>();
        let num_used = half.min((sigma_px * REACH_SIGMAS).ceil() as usize);
        self.weights.clear();
        self.weights
            .extend((0..=num_used).map(|distance| (at(distance) / sum) as f32));
    }

    /// Row `row` of the blurred `plane`.
    ///
    /// - `plane`: `side x stride`; `stride` a multiple of [`LANES`].
    /// - `to`: `stride` levels, of which `side` have a meaning.
    pub fn blur_row(&mut self, plane: &[f32], side: usize, row: usize, to: &mut [f32]) {
        let stride = to.len();
        let half = self.weights.len() - 1;
        self.row.resize(stride + 2 * half, 0.0);
        let middle = &mut self.row[half..][..stride];
        weigh_rows(plane, [side, stride], row, &self.weights, middle);
        for distance in 1..=half {
            self.row[half - distance] = self.row[half + mirrored(-(distance as isize), side)];
            let beyond = (side - 1 + distance) as isize;
            self.row[half + side - 1 + distance] = self.row[half + mirrored(beyond, side)];
        }
        weigh_columns(&self.row, &self.weights, to);
    }
}

/// The index inside that a border mirrors `index` to, the outermost px not repeated.
fn mirrored(index: isize, side: usize) -> usize {
    let last = side as isize - 1;
    let index = index.abs();
    (if index > last {
        2 * last - index
    } else {
        index
    })
    .clamp(0, last) as usize
}

#[multiversion(targets = "simd")]
fn weigh_rows(plane: &[f32], shape: [usize; 2], row: usize, weights: &[f32], to: &mut [f32]) {
    let [side, stride] = shape;
    let line = |offset: isize| {
        let from = mirrored(row as isize + offset, side);
        &plane[from * stride..][..stride]
    };
    let (to, _) = to.as_chunks_mut::<LANES>();
    let (middle, _) = line(0).as_chunks::<LANES>();
    for (to, middle) in to.iter_mut().zip(middle) {
        *to = middle.map(|level| level * weights[0]);
    }
    for (distance, &weight) in weights.iter().enumerate().skip(1) {
        let (above, _) = line(-(distance as isize)).as_chunks::<LANES>();
        let (below, _) = line(distance as isize).as_chunks::<LANES>();
        for ((to, above), below) in to.iter_mut().zip(above).zip(below) {
            for ((to, above), below) in to.iter_mut().zip(above).zip(below) {
                *to += weight * (above + below);
            }
        }
    }
}

#[multiversion(targets = "simd")]
fn weigh_columns(row: &[f32], weights: &[f32], to: &mut [f32]) {
    let half = weights.len() - 1;
    let (to, _) = to.as_chunks_mut::<LANES>();
    for (chunk, to) in to.iter_mut().enumerate() {
        let around = &row[chunk * LANES..][..LANES + 2 * half];
        let mut sums = [0.0; LANES];
        for (sum, level) in sums.iter_mut().zip(&around[half..]) {
            *sum = weights[0] * level;
        }
        for (distance, &weight) in weights.iter().enumerate().skip(1) {
            let left = &around[half - distance..][..LANES];
            let right = &around[half + distance..][..LANES];
            for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                *sum += weight * (left + right);
            }
        }
        *to = sums;
    }
}
