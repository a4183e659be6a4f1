//! Measures changes of width and height separately, where a filter measures one size.
//!
//! The profile of an axis is the likeness of the samples to the target, averaged across the axis, from left to right or from
//! top to bottom. A target that became wider has the same profile, stretched. **Source**: ours.

use super::color::{FINE, Likeness};

/// Positions in a profile.
const PLACES: usize = 48;
/// Range of a profile: minus to plus this multiple of the half side.
const SPAN: f64 = 1.6;
/// Share of the other side over which a profile is averaged.
const ACROSS: f64 = 0.8;
/// Number of tested stretches, and the logarithm of the largest.
const TRIALS: usize = 9;
const REACH: f64 = 0.08;

/// Profiles of one target, horizontal and vertical.
pub(super) struct Profiles {
    learned: [[f32; PLACES]; 2],
}

impl Profiles {
    pub fn new() -> Self {
        Self {
            learned: [[0.0; PLACES]; 2],
        }
    }

    /// Learns with weight `rate` the profiles of a target at `center` with half size `half`, samples of the window.
    pub fn learn(&mut self, likeness: &Likeness, center: [f64; 2], half: [f64; 2], rate: f32) {
        for (axis, learned) in self.learned.iter_mut().enumerate() {
            let line = line(likeness, axis, center, half);
            let places: [f32; PLACES] = places(&line, center[axis], half[axis]);
            for (learned, here) in learned.iter_mut().zip(places) {
                *learned += (here - *learned) * rate;
            }
        }
    }

    /// Width and height of the target relative to `half`, each between `exp(-REACH)` and `exp(REACH)`.
    pub fn stretch(&self, likeness: &Likeness, center: [f64; 2], half: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|axis| {
            let line = line(likeness, axis, center, half);
            let differences: [f64; TRIALS] = std::array::from_fn(|trial| {
                let here = places(&line, center[axis], half[axis] * stretch_of(trial as f64));
                difference(&here, &self.learned[axis])
            });
            stretch_of(lowest(&differences))
        })
    }
}

fn stretch_of(trial: f64) -> f64 {
    let middle = (TRIALS / 2) as f64;
    (REACH * (trial - middle) / middle).exp()
}

/// Likeness of the samples to the target along `axis`, averaged across it.
fn line(likeness: &Likeness, axis: usize, center: [f64; 2], half: [f64; 2]) -> [f32; FINE] {
    let other = 1 - axis;
    let end = |sign: f64| (center[other] + sign * half[other] * ACROSS).round();
    let first = end(-1.0).clamp(0.0, FINE as f64 - 1.0) as usize;
    let last = (end(1.0).clamp(0.0, FINE as f64) as usize).max(first + 1);
    let scale = 1.0 / (last - first) as f32;
    std::array::from_fn(|at| {
        let along = [at, at + 1];
        let (across, down) = if axis == 0 {
            (along, [first, last])
        } else {
            ([first, last], along)
        };
        likeness.sum(across, down) * scale
    })
}

/// Interpolates a line at the positions of a profile.
fn places(line: &[f32; FINE], center: f64, half: f64) -> [f32; PLACES] {
    std::array::from_fn(|place| {
        let from_center = ((place as f64 + 0.5) / PLACES as f64 * 2.0 - 1.0) * SPAN;
        let at = (center + from_center * half - 0.5).clamp(0.0, FINE as f64 - 1.001);
        let first = at as usize;
        line[first] + (line[first + 1] - line[first]) * (at - first as f64) as f32
    })
}

fn difference(a: &[f32; PLACES], b: &[f32; PLACES]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    f64::from(squares.sum::<f32>())
}

/// Position of the lowest number, interpolated by a parabola through it and its neighbours; the middle if all are
/// equal.
fn lowest(values: &[f64; TRIALS]) -> f64 {
    let middle = TRIALS / 2;
    let best = (0..TRIALS).fold(middle, |best, at| {
        if values[at] < values[best] - 1e-7 {
            at
        } else {
            best
        }
    });
    if best == 0 || best == TRIALS - 1 {
        return best as f64;
    }
    let (before, here, after) = (values[best - 1], values[best], values[best + 1]);
    let bend = before - 2.0 * here + after;
    let between = if bend > 0.0 {
        (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
    } else {
        0.0
    };
    best as f64 + between
}
