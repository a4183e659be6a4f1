//! The filter: learned from the target's features, it answers where the target is.
//!
//! It minimises `|sum over channels of f * x - y|^2`, y a narrow peak at the target, with f kept to the cells of the
//! target: else it would learn its surroundings, and the wrapped borders of the window. That is solved by a few rounds of
//! the alternating direction method of multipliers, each in closed form for all channels of a frequency
//! together (Sherman and Morrison). **Source**: Galoogahi, Fagg and Lucey, "Learning Background-Aware Correlation
//! Filters for Visual Tracking", ICCV 2017, equations 6 to 11; the features are a running mean, as there.

use multiversion::multiversion;
use rustfft::num_complex::Complex32;

use super::spectrum::{AREA, SIDE, SPECTRUM, Transform, wrapped};

/// Channels of the features.
pub(super) const CHANNELS: usize = super::gradients::PLANES + 3;
/// Numbers in the spectra of all channels.
pub(super) const SPECTRA: usize = CHANNELS * SPECTRUM;

/// Width of the peak that the filter shall answer with: standard deviation over the target's side.
const PEAK_SHARE: f64 = 1.0 / 16.0;
/// Weight of the constraint in the first round, and its growth from round to round.
const FIRST_WEIGHT: f32 = 100.0;
const WEIGHT_GROWTH: f32 = 10.0;
/// Rounds when the target is first seen, and later.
const FIRST_ROUNDS: usize = 4;
const ROUNDS: usize = 2;

/// What one target's filter remembers.
pub(super) struct Filter {
    /// Running mean of the features, spectra.
    features: Vec<Complex32>,
    /// The filter, spectra.
    filter: Vec<Complex32>,
    /// The answer that is wished for; real, since the peak is symmetric.
    label: Vec<f32>,
}

/// Buffers that learning needs.
pub(super) struct Rounds {
    free: Vec<Complex32>,
    dual: Vec<Complex32>,
    product: Vec<Complex32>,
    energy: Vec<f32>,
    work: Vec<Complex32>,
    grid: Vec<f32>,
}

impl Rounds {
    pub fn new() -> Self {
        Self {
            free: vec![Complex32::ZERO; SPECTRA],
            dual: vec![Complex32::ZERO; SPECTRA],
            product: vec![Complex32::ZERO; SPECTRUM],
            energy: vec![0.0; SPECTRUM],
            work: vec![Complex32::ZERO; SPECTRUM],
            grid: vec![0.0; AREA],
        }
    }
}

impl Filter {
    /// A filter that knows nothing, for a target of `side` cells (root of its area).
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

    /// The answer to `features`: about 1 where the target is, by the displacement in cells, wrapped.
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

    /// Learns from `features` with weight `rate`, 0 to 1; 1 forgets all before.
    ///
    /// - `support`: `AREA` numbers, 1 in cells of the target, 0 outside.
    pub fn learn(
        &mut self,
        features: &[Complex32],
        rate: f32,
        support: &[f32],
        rounds: &mut Rounds,
        transform: &mut Transform,
    ) {
        approach(&mut self.features, features, rate);
        let Rounds {
            free,
            dual,
            product,
            energy,
            work,
            grid,
        } = rounds;
        energy_of(&self.features, energy);
        self.filter.fill(Complex32::ZERO);
        dual.fill(Complex32::ZERO);
        let mut weight = FIRST_WEIGHT;
        let num_rounds = if rate < 1.0 { ROUNDS } else { FIRST_ROUNDS };
        for round in 1..=num_rounds {
            let target = Target {
                features: &self.features,
                label: &self.label,
                energy,
            };
            solve(&target, &self.filter, dual, weight, product, free);
            let bound = self.filter.chunks_exact_mut(SPECTRUM);
            let channels = free
                .chunks_exact(SPECTRUM)
                .zip(dual.chunks_exact_mut(SPECTRUM));
            for (bound, (free, dual)) in bound.zip(channels) {
                sum(free, dual, work);
                transform.inverse(work, grid);
                grid.iter_mut()
                    .zip(support)
                    .for_each(|(value, support)| *value *= support);
                transform.forward(grid, bound);
                if round < num_rounds {
                    disagree(free, bound, dual);
                }
            }
            weight *= WEIGHT_GROWTH;
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

#[multiversion(targets = "simd")]
fn approach(mean: &mut [Complex32], new: &[Complex32], rate: f32) {
    for (mean, new) in mean.iter_mut().zip(new) {
        mean.re += (new.re - mean.re) * rate;
        mean.im += (new.im - mean.im) * rate;
    }
}

/// Energy of all channels at every frequency.
#[multiversion(targets = "simd")]
fn energy_of(features: &[Complex32], energy: &mut [f32]) {
    energy.fill(0.0);
    for channel in features.chunks_exact(SPECTRUM) {
        for (energy, x) in energy.iter_mut().zip(channel) {
            *energy += x.re * x.re + x.im * x.im;
        }
    }
}

/// What the filter is learned from.
struct Target<'a> {
    features: &'a [Complex32],
    label: &'a [f32],
    energy: &'a [f32],
}

/// `f = (x x^H + w I)^-1 b`, `b = x y + w (bound - dual)`, at every frequency over all channels x.
#[multiversion(targets = "simd")]
fn solve(
    target: &Target<'_>,
    bound: &[Complex32],
    dual: &[Complex32],
    weight: f32,
    product: &mut [Complex32],
    free: &mut [Complex32],
) {
    product.fill(Complex32::ZERO);
    let channels = target
        .features
        .chunks_exact(SPECTRUM)
        .zip(free.chunks_exact_mut(SPECTRUM));
    let constraint = bound
        .chunks_exact(SPECTRUM)
        .zip(dual.chunks_exact(SPECTRUM));
    for ((x, free), (bound, dual)) in channels.zip(constraint) {
        let (label, product) = (&target.label[..SPECTRUM], &mut product[..SPECTRUM]);
        for i in 0..SPECTRUM {
            let (x, label) = (x[i], label[i]);
            let b = Complex32 {
                re: x.re * label + weight * (bound[i].re - dual[i].re),
                im: x.im * label + weight * (bound[i].im - dual[i].im),
            };
            free[i] = b;
            product[i].re += x.re * b.re + x.im * b.im;
            product[i].im += x.re * b.im - x.im * b.re;
        }
    }
    for (product, energy) in product.iter_mut().zip(target.energy) {
        let share = 1.0 / (weight + energy);
        product.re *= share;
        product.im *= share;
    }
    let inverse = 1.0 / weight;
    let channels = target
        .features
        .chunks_exact(SPECTRUM)
        .zip(free.chunks_exact_mut(SPECTRUM));
    for (x, free) in channels {
        let product = &product[..SPECTRUM];
        for i in 0..SPECTRUM {
            let (x, p) = (x[i], product[i]);
            free[i] = Complex32 {
                re: (free[i].re - (x.re * p.re - x.im * p.im)) * inverse,
                im: (free[i].im - (x.re * p.im + x.im * p.re)) * inverse,
            };
        }
    }
}

fn sum(a: &[Complex32], b: &[Complex32], out: &mut [Complex32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a + b;
    }
}

/// What the two disagree about, added up and scaled to the weight of the next round.
fn disagree(free: &[Complex32], bound: &[Complex32], dual: &mut [Complex32]) {
    for ((dual, free), bound) in dual.iter_mut().zip(free).zip(bound) {
        *dual = (*dual + free - bound) * (1.0 / WEIGHT_GROWTH);
    }
}
