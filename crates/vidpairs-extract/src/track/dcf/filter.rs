//! Learns a correlation filter from the target's features; its response peaks at the target.
//!
//! The filter minimises `|sum over channels of f * x - y|^2 + r |f|^2`, where y is a narrow peak at the target, in closed form at
//! every frequency. It is then cut to the cells of the target: uncut, it would also match the surroundings and the wrapped
//! borders of the window. **Source**: Henriques et al., "High-Speed Tracking with Kernelized Correlation
//! Filters", TPAMI 2015, equation 21 for the dual, linear and over several channels. Iterations of the alternating direction method
//! that make the cut a constraint (Galoogahi et al., "Learning Background-Aware Correlation Filters", ICCV 2017) were
//! tried and brought no gain; see `docs/TRACKER.md`.

use multiversion::multiversion;
use rustfft::num_complex::Complex32;

use super::spectrum::{AREA, SIDE, SPECTRUM, Transform, wrapped};

/// Feature channels.
pub(super) const CHANNELS: usize = super::gradients::PLANES + 3;
/// Numbers in the spectra of all channels.
pub(super) const SPECTRA: usize = CHANNELS * SPECTRUM;

/// Width of the desired peak: standard deviation as a share of the target's side.
const PEAK_SHARE: f64 = 1.0 / 16.0;
/// Ridge: keeps the filter from amplifying frequencies that the target lacks.
const RIDGE: f32 = 100.0;

/// Filter of one target.
pub(super) struct Filter {
    /// Running mean of the features, spectra.
    features: Vec<Complex32>,
    /// The filter, spectra.
    filter: Vec<Complex32>,
    /// Desired response; real, since the peak is symmetric.
    label: Vec<f32>,
}

/// Buffers for learning.
pub(super) struct Scratch {
    share: Vec<f32>,
    work: Vec<Complex32>,
    grid: Vec<f32>,
}

impl Scratch {
    pub fn new() -> Self {
        Self {
            share: vec![0.0; SPECTRUM],
            work: vec![Complex32::ZERO; SPECTRUM],
            grid: vec![0.0; AREA],
        }
    }
}

impl Filter {
    /// A filter without learned features, for a target of `side` cells (square root of its area).
    pub fn new(side: f64, transform: &mut Transform) -> Self {
        let sigma = PEAK_SHARE * side;
        let peak: Vec<f32> = (0..AREA)
            .map(|cell| {
                let (x, y) = (wrapped(cell % SIDE), wrapped(cell / SIDE));
                (-(x * x + y * y) / (2.0 * sigma * sigma)).exp() as f32
            })
            .collect();
        let mut label = vec![Complex32::ZERO; SPECTRUM];
        transform.forward(&peak, &mut label);
        Self {
            features: vec![Complex32::ZERO; SPECTRA],
            filter: vec![Complex32::ZERO; SPECTRA],
            label: label.into_iter().map(|value| value.re).collect(),
        }
    }

    /// Response to `features` by displacement (cells, wrapped): about 1 at the target.
    pub fn respond(
        &self,
        features: &[Complex32],
        work: &mut [Complex32],
        transform: &mut Transform,
        response: &mut [f32],
    ) {
        correlate(&self.filter, features, work);
        transform.inverse(work, response);
    }

    /// Learns from `features` with weight `rate`, 0 to 1; a rate of 1 replaces everything learned before.
    ///
    /// - `support`: `AREA` numbers, 1 in cells of the target, 0 outside.
    pub fn learn(
        &mut self,
        features: &[Complex32],
        rate: f32,
        support: &[f32],
        scratch: &mut Scratch,
        transform: &mut Transform,
    ) {
        approach(&mut self.features, features, rate);
        let Scratch { share, work, grid } = scratch;
        response_over_energy(&self.features, &self.label, share);
        let channels = self.features.chunks_exact(SPECTRUM);
        for (features, filter) in channels.zip(self.filter.chunks_exact_mut(SPECTRUM)) {
            scale(features, share, work);
            transform.inverse(work, grid);
            for (value, support) in grid.iter_mut().zip(support) {
                *value *= support;
            }
            transform.forward(grid, filter);
        }
    }
}

/// `sum over channels of conj(filter) * features`.
#[multiversion(targets = "simd")]
fn correlate(filter: &[Complex32], features: &[Complex32], out: &mut [Complex32]) {
    out.fill(Complex32::ZERO);
    for (filter, features) in filter
        .chunks_exact(SPECTRUM)
        .zip(features.chunks_exact(SPECTRUM))
    {
        for ((out, f), x) in out.iter_mut().zip(filter).zip(features) {
            out.re += f.re * x.re + f.im * x.im;
            out.im += f.re * x.im - f.im * x.re;
        }
    }
}

/// Moves `mean` toward `new` by the share `rate`.
#[multiversion(targets = "simd")]
fn approach(mean: &mut [Complex32], new: &[Complex32], rate: f32) {
    for (mean, new) in mean.iter_mut().zip(new) {
        mean.re += (new.re - mean.re) * rate;
        mean.im += (new.im - mean.im) * rate;
    }
}

/// `y / (r + sum over channels of |x|^2)` at every frequency.
#[multiversion(targets = "simd")]
fn response_over_energy(features: &[Complex32], label: &[f32], share: &mut [f32]) {
    share.fill(RIDGE);
    for channel in features.chunks_exact(SPECTRUM) {
        for (energy, x) in share.iter_mut().zip(channel) {
            *energy += x.re * x.re + x.im * x.im;
        }
    }
    for (share, label) in share.iter_mut().zip(label) {
        *share = label / *share;
    }
}

fn scale(features: &[Complex32], share: &[f32], out: &mut [Complex32]) {
    for ((out, x), share) in out.iter_mut().zip(features).zip(share) {
        *out = x * share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spectra(transform: &mut Transform, moved: usize) -> Vec<Complex32> {
        let mut spectra = vec![Complex32::ZERO; SPECTRA];
        for (channel, spectrum) in spectra.chunks_exact_mut(SPECTRUM).enumerate() {
            let level = |cell: usize| {
                let (x, y) = ((cell % SIDE + SIDE - moved) % SIDE, cell / SIDE);
                ((x * 7 + y * 13 + channel * 5) * (x + 3 * y + 1) % 31) as f32 / 31.0 - 0.5
            };
            let grid: Vec<f32> = (0..AREA).map(level).collect();
            transform.forward(&grid, spectrum);
        }
        spectra
    }

    #[test]
    fn the_response_peaks_at_the_displacement_of_the_target() {
        let mut transform = Transform::new();
        let mut filter = Filter::new(12.0, &mut transform);
        let first = spectra(&mut transform, 0);
        let support = [1.0; AREA];
        filter.learn(&first, 1.0, &support, &mut Scratch::new(), &mut transform);
        let (mut work, mut response) = (vec![Complex32::ZERO; SPECTRUM], vec![0.0; AREA]);
        for moved in [0, 1, 5, 31] {
            let features = spectra(&mut transform, moved);
            filter.respond(&features, &mut work, &mut transform, &mut response);
            let highest = (0..AREA).max_by(|&a, &b| response[a].total_cmp(&response[b]));
            assert_eq!(highest, Some(moved));
            assert!((response[moved] - 1.0).abs() < 0.2, "{}", response[moved]);
        }
    }
}
