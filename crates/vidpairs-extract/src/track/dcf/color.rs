//! Locates the target by colour: learns the colours of the target and of its surroundings.
//!
//! A filter learns a spatial arrangement and fails when the target turns or bends; colours stay the same. **Source**: Bertinetto
//! et al., "Staple: Complementary Learners for Real-Time Tracking", CVPR 2016; Possegger et al., "In Defense of
//! Color-based Model-free Tracking", CVPR 2015. This implementation works on luma and chroma as decoded.

use multiversion::multiversion;

use super::gradients::{INNER, PATCH};
use super::spectrum::{SIDE, wrapped};

/// Samples per side of the window: two per cell.
pub(super) const FINE: usize = INNER;
/// Side of the summed-area table.
const SUMS: usize = FINE + 1;
/// Bins of luma, and of each chroma channel.
const LUMA_BINS: usize = 8;
const CHROMA_BINS: usize = 16;
const BINS: usize = LUMA_BINS * CHROMA_BINS * CHROMA_BINS;
/// Levels of chroma per bin. The bins resolve the levels near gray, where nearly all chroma lies; the outer bins take the rest.
const CHROMA_STEP: f32 = 6.0;
/// Bins of luma in frames without chroma.
const GRAY_BINS: f32 = 64.0;

/// Samples within this share of the target's half side belong to it. Corners and borders of a box often do not.
const INSIDE: f64 = 0.8;
/// Samples beyond this multiple of the half side are surroundings.
const OUTSIDE: f64 = 1.05;
/// Regularization: bins with much smaller shares than this stay near a likeness of 0.5.
const DOUBT: f32 = 1e-4;

/// Colour bin of each sample of a search window.
pub(super) struct Samples(Vec<u16>);

impl Samples {
    pub fn new() -> Self {
        Self(vec![0; FINE * FINE])
    }

    /// Bins a patch of luma, `PATCH x PATCH` levels, and the chroma of each cell, if any.
    pub fn read(&mut self, patch: &[f32], chroma: Option<[&Vec<f32>; 2]>) {
        let Some([u, v]) = chroma else {
            bin_gray(patch, &mut self.0);
            return;
        };
        bin_luma(patch, &mut self.0);
        let mut bins = [0; SIDE];
        let cells = u.chunks_exact(SIDE).zip(v.chunks_exact(SIDE));
        for (rows, (u, v)) in self.0.chunks_exact_mut(2 * FINE).zip(cells) {
            bin_chroma(u, v, &mut bins);
            for row in rows.chunks_exact_mut(FINE) {
                for (pair, bin) in row.as_chunks_mut::<2>().0.iter_mut().zip(&bins) {
                    *pair = pair.map(|luma| luma + bin);
                }
            }
        }
    }
}

/// Bins the inner pixels of the patch by luma alone.
#[multiversion(targets = "simd")]
fn bin_gray(patch: &[f32], bins: &mut [u16]) {
    let rows = patch[PATCH..].chunks_exact(PATCH);
    for (bins, row) in bins.chunks_exact_mut(FINE).zip(rows) {
        for (bin, level) in bins.iter_mut().zip(&row[1..]) {
            *bin = (level * (GRAY_BINS / 256.0)) as i32 as u16;
        }
    }
}

/// First colour bin of each pixel's luma bin.
#[multiversion(targets = "simd")]
fn bin_luma(patch: &[f32], bins: &mut [u16]) {
    let rows = patch[PATCH..].chunks_exact(PATCH);
    for (bins, row) in bins.chunks_exact_mut(FINE).zip(rows) {
        for (bin, level) in bins.iter_mut().zip(&row[1..]) {
            let luma = (level * (LUMA_BINS as f32 / 256.0)) as i32;
            *bin = (luma * (CHROMA_BINS * CHROMA_BINS) as i32) as u16;
        }
    }
}

/// Offset of each cell's chroma in the colour bins of a luma bin.
#[multiversion(targets = "simd")]
fn bin_chroma(u: &[f32], v: &[f32], bins: &mut [u16; SIDE]) {
    const MIDDLE: f32 = CHROMA_BINS as f32 / 2.0;
    let place = |level: f32| {
        let steps = (level - 128.0) * (1.0 / CHROMA_STEP) + MIDDLE;
        steps.max(0.0).min(CHROMA_BINS as f32 - 1.0) as i32
    };
    for (bin, (&u, &v)) in bins.iter_mut().zip(u.iter().zip(v)) {
        *bin = (place(u) * CHROMA_BINS as i32 + place(v)) as u16;
    }
}

/// Summed-area table of the likeness of each sample to the target.
pub(super) struct Likeness(Vec<f32>);

impl Likeness {
    pub fn new() -> Self {
        Self(vec![0.0; SUMS * SUMS])
    }

    /// Sum over columns `x0..x1` and rows `y0..y1`.
    #[inline]
    pub fn sum(&self, [x0, x1]: [usize; 2], [y0, y1]: [usize; 2]) -> f32 {
        let at = |x: usize, y: usize| self.0[y * SUMS + x];
        at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0)
    }

    /// Mean likeness over a target of half size `half`, at each displacement (cells, wrapped). Samples beyond the window
    /// have likeness 0.
    ///
    /// - `half`: half sides, samples; `response`: `AREA` numbers.
    pub fn respond(&self, half: [f64; 2], response: &mut [f32]) {
        let reach = |half: f64| -> [[usize; 2]; SIDE] {
            std::array::from_fn(|place| {
                let center = FINE as f64 / 2.0 + (FINE / SIDE) as f64 * wrapped(place);
                [center - half, center + half]
                    .map(|end| end.round().clamp(0.0, FINE as f64) as usize)
            })
        };
        let (across, down) = (reach(half[0]), reach(half[1]));
        let area = half.map(|half| (2.0 * half).round().max(1.0) as f32);
        let scale = 1.0 / (area[0] * area[1]);
        for (row, &down) in response.chunks_exact_mut(SIDE).zip(&down) {
            for (value, &across) in row.iter_mut().zip(&across) {
                *value = self.sum(across, down) * scale;
            }
        }
    }
}

/// Colour model of one target.
pub(super) struct Colors {
    /// Share of each bin in the target.
    inside: Vec<f32>,
    /// Share of each bin in the surroundings.
    outside: Vec<f32>,
    /// Probability that a sample of a bin belongs to the target, for equal priors.
    likeness: Vec<f32>,
    contrast: f64,
}

impl Colors {
    pub fn new() -> Self {
        Self {
            inside: vec![0.0; BINS],
            outside: vec![0.0; BINS],
            likeness: vec![0.5; BINS],
            contrast: 0.0,
        }
    }

    /// How well colours separate the target from its surroundings: 0 not at all, 1 without error.
    pub fn contrast(&self) -> f64 {
        self.contrast
    }

    /// Builds the table of likeness of the samples.
    pub fn compare(&self, samples: &Samples, sums: &mut Likeness) {
        for (y, row) in samples.0.chunks_exact(FINE).enumerate() {
            let (before, here) = sums.0[y * SUMS..(y + 2) * SUMS].split_at_mut(SUMS);
            let mut along = 0.0;
            for ((sum, above), &bin) in here[1..].iter_mut().zip(&before[1..]).zip(row) {
                along += self.likeness[usize::from(bin)];
                *sum = above + along;
            }
        }
    }

    /// Learns with weight `rate` the colours of a target at `center` with half size `half`, samples of the window.
    pub fn learn(&mut self, samples: &Samples, center: [f64; 2], half: [f64; 2], rate: f32) {
        self.inside
            .iter_mut()
            .chain(&mut self.outside)
            .for_each(|share| *share *= 1.0 - rate);
        let distance = |axis: usize| -> [f64; FINE] {
            std::array::from_fn(|at| (at as f64 + 0.5 - center[axis]).abs() / half[axis])
        };
        let (across, down) = (distance(0), distance(1));
        let counts = |rule: &dyn Fn(f64) -> bool| {
            let num = |line: &[f64]| line.iter().filter(|&&d| rule(d)).count();
            (num(&across), num(&down))
        };
        let (wide, high) = counts(&|d| d < INSIDE);
        let (wide_out, high_out) = counts(&|d| d <= OUTSIDE);
        let num_outside = FINE * FINE - wide_out * high_out;
        let inside = rate / (wide * high).max(1) as f32;
        let outside = rate / num_outside.max(1) as f32;
        for (row, down) in samples.0.chunks_exact(FINE).zip(&down) {
            for (&bin, across) in row.iter().zip(&across) {
                let distance = across.max(*down);
                if distance < INSIDE {
                    self.inside[usize::from(bin)] += inside;
                } else if distance > OUTSIDE {
                    self.outside[usize::from(bin)] += outside;
                }
            }
        }
        let mut contrast = 0.0;
        for ((likeness, inside), outside) in self
            .likeness
            .iter_mut()
            .zip(&self.inside)
            .zip(&self.outside)
        {
            *likeness = (inside + 0.5 * DOUBT) / (inside + outside + DOUBT);
            contrast += (inside - outside) * *likeness;
        }
        self.contrast = f64::from(contrast);
    }
}
