//! Gaussian blur, the two axes one after the other, the border mirrored.

use multiversion::multiversion;

use super::painter::LANES;

/// Taps further than so many sigmas are left out: together they weigh less than a millionth.
const REACH_SIGMAS: f64 = 5.0;

/// Levels whose sums are kept in registers together: two chains, so that one does not wait for itself.
const WIDE: usize = 2 * LANES;

/// Half a kernel.
#[derive(Debug, Default)]
pub(super) struct Gaussian {
    /// Of the middle, and of the taps so many px away on either side.
    weights: Vec<f32>,
    /// A row with its mirrored ends.
    row: Vec<f32>,
    /// Where the taps so many px to the left and right begin in it.
    columns: Vec<[usize; 2]>,
    /// Where the rows so many px above and below begin in a plane.
    rows: Vec<[usize; 2]>,
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
        self.columns.clear();
        self.columns
            .extend((1..=num_used).map(|distance| [num_used - distance, num_used + distance]));
    }

    /// Row `row` of the blurred `plane`.
    ///
    /// - `plane`: `side x stride`; `stride` a multiple of [`LANES`].
    /// - `to`: `stride` levels, of which `side` have a meaning.
    pub fn blur_row(&mut self, plane: &[f32], side: usize, row: usize, to: &mut [f32]) {
        let stride = to.len();
        let half = self.weights.len() - 1;
        self.row.resize(stride + 2 * half, 0.0);
        let start = |offset: isize| mirrored(row as isize + offset, side) * stride;
        self.rows.clear();
        self.rows
            .extend((1..=half as isize).map(|distance| [start(-distance), start(distance)]));
        let middle = &mut self.row[half..][..stride];
        weigh_rows(plane, row * stride, &self.rows, &self.weights, middle);
        for distance in 1..=half {
            self.row[half - distance] = self.row[half + mirrored(-(distance as isize), side)];
            let beyond = (side - 1 + distance) as isize;
            self.row[half + side - 1 + distance] = self.row[half + mirrored(beyond, side)];
        }
        weigh_columns(&self.row, &self.columns, &self.weights, to);
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

/// - `middle` and `pairs`: where the row itself, and those so many px above and below it, begin in `plane`.
#[multiversion(targets = "simd")]
fn weigh_rows(plane: &[f32], middle: usize, pairs: &[[usize; 2]], weights: &[f32], to: &mut [f32]) {
    let (wide, rest) = to.as_chunks_mut::<WIDE>();
    let first_of_rest = wide.len() * WIDE;
    for (chunk, to) in wide.iter_mut().enumerate() {
        weigh_chunk(&plane[chunk * WIDE..], middle, pairs, weights, to);
    }
    let (rest, _) = rest.as_chunks_mut::<LANES>();
    for (chunk, to) in rest.iter_mut().enumerate() {
        let plane = &plane[first_of_rest + chunk * LANES..];
        weigh_chunk(plane, middle, pairs, weights, to);
    }
}

#[multiversion(targets = "simd")]
fn weigh_columns(row: &[f32], pairs: &[[usize; 2]], weights: &[f32], to: &mut [f32]) {
    let half = weights.len() - 1;
    let (wide, rest) = to.as_chunks_mut::<WIDE>();
    let first_of_rest = wide.len() * WIDE;
    for (chunk, to) in wide.iter_mut().enumerate() {
        weigh_chunk(&row[chunk * WIDE..], half, pairs, weights, to);
    }
    let (rest, _) = rest.as_chunks_mut::<LANES>();
    for (chunk, to) in rest.iter_mut().enumerate() {
        let row = &row[first_of_rest + chunk * LANES..];
        weigh_chunk(row, half, pairs, weights, to);
    }
}

/// `weights[0] * from[middle..] + sum over n of weights[n] * (from[pairs[n][0]..] + from[pairs[n][1]..])`, the sums in registers.
#[inline(always)]
fn weigh_chunk<const N: usize>(
    from: &[f32],
    middle: usize,
    pairs: &[[usize; 2]],
    weights: &[f32],
    to: &mut [f32; N],
) {
    let mut sums = [0.0; N];
    for (sum, level) in sums.iter_mut().zip(&from[middle..][..N]) {
        *sum = weights[0] * level;
    }
    for (&[one, other], &weight) in pairs.iter().zip(&weights[1..]) {
        let (one, other) = (&from[one..][..N], &from[other..][..N]);
        for lane in 0..N {
            sums[lane] += weight * (one[lane] + other[lane]);
        }
    }
    *to = sums;
}
