//! Measures changes of size: in a log-polar picture of the target, a change of size is a shift along the radius.
//!
//! One picture serves all sizes, where DSST needs one per size. Rings are ellipses with the target's aspect ratio; the levels and
//! slopes along them are channels of a one-dimensional correlation filter over the radius.
//! **Source**: Danelljan et al., "Accurate Scale Estimation for Robust Visual Tracking", BMVC 2014, for the
//! filter; Li et al., "Robust Estimation of Similarity Transformation for Visual Object Tracking", AAAI 2019, for the
//! log-polar picture.

use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock};

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::gradients::PATCH;

/// Rings, and positions on each ring.
const RINGS: usize = 32;
const ANGLES: usize = 32;
/// Radii of the first and last ring, in half sides of the target.
const INNER_RADIUS: f64 = 0.25;
const OUTER_RADIUS: f64 = 1.6;
/// Radius where the weight of rings starts to fall: the surroundings begin there.
const EDGE_RADIUS: f64 = 1.0;
/// Number of inner rings over which the weight rises.
const RISE: f64 = 4.0;
/// Features per position: outward slope, slope along the ring, level.
const FEATURES: usize = 3;
const CHANNELS: usize = FEATURES * ANGLES;
/// Weight of the level relative to the slopes.
const LEVEL_WEIGHT: f32 = 2.0 / 255.0;
/// Constant added to the mean slope around a position before dividing by it, levels.
const FLOOR: f32 = 2.0;
/// Width of the desired peak, rings.
const PEAK: f64 = 1.0;
/// Ridge: keeps the filter from amplifying frequencies that the target lacks.
const RIDGE: f32 = 0.01;
/// Greatest change of size between two frames, as a logarithm.
const REACH: f64 = 0.15;

/// Logarithm of the ratio of the radii of neighbouring rings.
fn log_step() -> f64 {
    (OUTER_RADIUS / INNER_RADIUS).ln() / RINGS as f64
}

/// Constants shared by all size filters.
struct Plan {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// Sampling positions in half sides of the target, for one ring more at either end.
    places: Vec<[f32; 2]>,
    /// Weight of each ring.
    window: [f32; RINGS],
    /// Transform of the desired response.
    label: Vec<Complex32>,
}

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(RINGS),
        planner.plan_fft_inverse(RINGS),
    );
    let radius = |ring: f64| INNER_RADIUS * (log_step() * (ring + 0.5)).exp();
    let place = |n: usize| {
        let (ring, angle) = (n / ANGLES, TAU * (n % ANGLES) as f64 / ANGLES as f64);
        let radius = radius(ring as f64 - 1.0);
        [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
    };
    let window = std::array::from_fn(|ring| {
        let rise = ((ring as f64 + 0.5) / RISE).min(1.0);
        let fall = (OUTER_RADIUS - radius(ring as f64)) / (OUTER_RADIUS - EDGE_RADIUS);
        (rise * fall.clamp(0.0, 1.0)) as f32
    });
    let peak = |ring: usize| {
        let from_origin = ring.min(RINGS - ring) as f64 / PEAK;
        Complex32::new((-0.5 * from_origin * from_origin).exp() as f32, 0.0)
    };
    let mut label: Vec<Complex32> = (0..RINGS).map(peak).collect();
    forward.process(&mut label);
    Plan {
        forward,
        inverse,
        places: (0..(RINGS + 2) * ANGLES).map(place).collect(),
        window,
        label,
    }
});

/// Position of a target in the patch: centre and half sides, px of the patch.
#[derive(Debug, Clone, Copy)]
pub(super) struct InPatch {
    pub center: [f64; 2],
    pub half: [f64; 2],
}

/// Buffers shared by all size filters.
pub(super) struct Polar {
    /// Levels, ring by ring.
    levels: Vec<f32>,
    /// Magnitude of the slopes.
    slopes: Vec<f32>,
    /// Sums of the slopes over five positions of a ring.
    along: Vec<f32>,
    /// Transforms over the rings, channel by channel.
    spectra: Vec<Complex32>,
    response: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Polar {
    pub fn new() -> Self {
        let scratch = PLAN
            .forward
            .get_inplace_scratch_len()
            .max(PLAN.inverse.get_inplace_scratch_len());
        Self {
            levels: vec![0.0; (RINGS + 2) * ANGLES],
            slopes: vec![0.0; RINGS * ANGLES],
            along: vec![0.0; RINGS * ANGLES],
            spectra: vec![Complex32::ZERO; CHANNELS * RINGS],
            response: vec![Complex32::ZERO; RINGS],
            scratch: vec![Complex32::ZERO; scratch],
        }
    }

    /// Computes the spectra of the target at `target` in a patch of `PATCH x PATCH` levels.
    fn read(&mut self, patch: &[f32], target: InPatch) {
        self.read_levels(patch, target);
        self.read_slopes();
        PLAN.forward
            .process_with_scratch(&mut self.spectra, &mut self.scratch);
    }

    fn read_levels(&mut self, patch: &[f32], target: InPatch) {
        let last = PATCH as f32 - 1.001;
        let [(x0, wide), (y0, high)] =
            [0, 1].map(|axis| (target.center[axis] as f32, target.half[axis] as f32));
        for (level, place) in self.levels.iter_mut().zip(&PLAN.places) {
            let x = (x0 + place[0] * wide).clamp(0.0, last);
            let y = (y0 + place[1] * high).clamp(0.0, last);
            let (left, top) = (x as usize, y as usize);
            let (right, down) = (x - left as f32, y - top as f32);
            let corner = &patch[top * PATCH + left..][..PATCH + 2];
            let above = corner[0] + (corner[1] - corner[0]) * right;
            let below = corner[PATCH] + (corner[PATCH + 1] - corner[PATCH]) * right;
            *level = above + (below - above) * down;
        }
    }

    fn read_slopes(&mut self) {
        let mean = self.levels.iter().sum::<f32>() / self.levels.len() as f32;
        for ring in 0..RINGS {
            let [inner, here, outer] =
                [0, 1, 2].map(|next| &self.levels[(ring + next) * ANGLES..][..ANGLES]);
            for angle in 0..ANGLES {
                let outward = outer[angle] - inner[angle];
                let along = here[(angle + 1) % ANGLES] - here[(angle + ANGLES - 1) % ANGLES];
                self.slopes[ring * ANGLES + angle] = (outward * outward + along * along).sqrt();
                let level = (here[angle] - mean) * LEVEL_WEIGHT;
                for (feature, value) in [outward, along, level].into_iter().enumerate() {
                    let at = (feature * ANGLES + angle) * RINGS + ring;
                    self.spectra[at] = Complex32::new(value * PLAN.window[ring], 0.0);
                }
            }
        }
        // Slopes are divided by their mean over 5 x 5 positions.
        for (along, ring) in self
            .along
            .chunks_exact_mut(ANGLES)
            .zip(self.slopes.chunks_exact(ANGLES))
        {
            for (angle, sum) in along.iter_mut().enumerate() {
                *sum = (ANGLES - 2..=ANGLES + 2)
                    .map(|near| ring[(angle + near) % ANGLES])
                    .sum();
            }
        }
        for ring in 0..RINGS {
            let near = ring.saturating_sub(2)..(ring + 3).min(RINGS);
            let share = 1.0 / (5 * near.len()) as f32;
            for angle in 0..ANGLES {
                let sum: f32 = near
                    .clone()
                    .map(|ring| self.along[ring * ANGLES + angle])
                    .sum();
                let scale = 1.0 / (sum * share + FLOOR);
                for feature in 0..FEATURES - 1 {
                    self.spectra[(feature * ANGLES + angle) * RINGS + ring].re *= scale;
                }
            }
        }
    }
}

/// Size filter of one target.
pub(super) struct SizeFilter {
    numerator: Vec<Complex32>,
    denominator: [f32; RINGS],
}

impl SizeFilter {
    pub fn new() -> Self {
        Self {
            numerator: vec![Complex32::ZERO; CHANNELS * RINGS],
            denominator: [0.0; RINGS],
        }
    }

    /// Size of the target relative to `target`.
    pub fn growth(&self, patch: &[f32], target: InPatch, polar: &mut Polar) -> f64 {
        polar.read(patch, target);
        polar.response.fill(Complex32::ZERO);
        for (a, x) in self
            .numerator
            .chunks_exact(RINGS)
            .zip(polar.spectra.chunks_exact(RINGS))
        {
            for ((sum, a), x) in polar.response.iter_mut().zip(a).zip(x) {
                *sum += a * x;
            }
        }
        for (sum, energy) in polar.response.iter_mut().zip(&self.denominator) {
            *sum /= energy + RIDGE;
        }
        PLAN.inverse
            .process_with_scratch(&mut polar.response, &mut polar.scratch);
        (peak(&polar.response) * log_step()).exp()
    }

    /// Learns the target's appearance with weight `rate`.
    pub fn learn(&mut self, patch: &[f32], target: InPatch, rate: f32, polar: &mut Polar) {
        polar.read(patch, target);
        self.denominator
            .iter_mut()
            .for_each(|energy| *energy *= 1.0 - rate);
        for (a, x) in self
            .numerator
            .chunks_exact_mut(RINGS)
            .zip(polar.spectra.chunks_exact(RINGS))
        {
            for (ring, (a, x)) in a.iter_mut().zip(x).enumerate() {
                *a += (x.conj() * PLAN.label[ring] - *a) * rate;
                self.denominator[ring] += x.norm_sqr() * rate;
            }
        }
    }
}

/// Rings from the origin to the peak within reach, interpolated by a parabola.
fn peak(response: &[Complex32]) -> f64 {
    let at = |rings: i32| response[rings.rem_euclid(RINGS as i32) as usize].re;
    let reach = (REACH / log_step()).ceil() as i32;
    let best = (-reach..=reach).fold(
        0,
        |best, rings| if at(rings) > at(best) { rings } else { best },
    );
    f64::from(best) + super::peak::between(at(best - 1), at(best), at(best + 1))
}
