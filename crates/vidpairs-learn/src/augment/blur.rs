//! Gaussian blur along one axis after the other, with a mirrored border.

use multiversion::multiversion;

use super::rows::LANES;

/// Taps beyond this many sigmas are omitted: together they weigh less than a millionth.
const REACH_SIGMAS: f64 = 5.0;

/// Levels summed in registers at once: two independent chains of additions, so that latency does not limit them.
const WIDE: usize = 2 * LANES;

/// Kernel of a blur, and its buffers.
#[derive(Debug, Default)]
pub(super) struct Gaussian {
    /// Weights by distance from the middle: 0 px, 1 px ...
    weights: Vec<f32>,
    /// A row with mirrored ends.
    row: Vec<f32>,
    /// Starts in `row` of the taps to the left and right, by distance from 1 px.
    columns: Vec<[usize; 2]>,
    /// Starts in a plane of the rows above and below, by distance from 1 px.
    rows: Vec<[usize; 2]>,
}

impl Gaussian {
    /// Sets the kernel of torchvision's `gaussian_blur`: `exp(-d^2 / (2 sigma^2))` at whole px, `kernel_px` wide, of sum 1.
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

    /// Computes row `row` of the blurred `plane`.
    ///
    /// - `plane`: `side x stride`; `stride` is `side` padded to a multiple of [`LANES`].
    /// - `to`: becomes `stride` levels, of which the first `side` are valid.
    pub fn blur_row(&mut self, plane: &[f32], side: usize, row: usize, to: &mut Vec<f32>) {
        let stride = side.next_multiple_of(LANES);
        to.resize(stride, 0.0);
        let half = self.weights.len() - 1;
        self.row.resize(stride + 2 * half, 0.0);
        let start = |offset: isize| mirrored(row as isize + offset, side) * stride;
        self.rows.clear();
        self.rows
            .extend((1..=half as isize).map(|distance| [start(-distance), start(distance)]));
        let middle = &mut self.row[half..][..stride];
        weigh(plane, row * stride, &self.rows, &self.weights, middle);
        for distance in 1..=half {
            self.row[half - distance] = self.row[half + mirrored(-(distance as isize), side)];
            let beyond = (side - 1 + distance) as isize;
            self.row[half + side - 1 + distance] = self.row[half + mirrored(beyond, side)];
        }
        weigh(&self.row, half, &self.columns, &self.weights, to);
    }
}

/// Index inside the image that the border mirrors `index` to, without repeating the outermost px.
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

/// Weighted sums of shifted stretches of `from`, each as long as `to`.
///
/// - `middle`: start of the unshifted stretch, of weight `weights[0]`.
/// - `pairs`: starts of the two stretches at each distance, of weights `weights[1..]`.
#[multiversion(targets = "simd")]
fn weigh(from: &[f32], middle: usize, pairs: &[[usize; 2]], weights: &[f32], to: &mut [f32]) {
    let (wide, rest) = to.as_chunks_mut::<WIDE>();
    let first_of_rest = wide.len() * WIDE;
    for (chunk, to) in wide.iter_mut().enumerate() {
        weigh_chunk(&from[chunk * WIDE..], middle, pairs, weights, to);
    }
    let (rest, _) = rest.as_chunks_mut::<LANES>();
    for (chunk, to) in rest.iter_mut().enumerate() {
        let from = &from[first_of_rest + chunk * LANES..];
        weigh_chunk(from, middle, pairs, weights, to);
    }
}

/// Weighted sums of `N` levels in registers: `w[0] * from[middle..] + sum over d of w[d] * (from[pairs[d][0]..] + from[pairs[d][1]..])`.
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
