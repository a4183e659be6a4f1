//! Smooth functions of time.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A value that oscillates irregularly around a centre: a sum of three sines of random periods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wander {
    center: f64,
    /// Amplitude, frequency in Hz, and phase in radians of each sine.
    waves: [(f64, f64, f64); 3],
}

impl Wander {
    /// Draws the periods and phases.
    ///
    /// - `amplitude`: maximum distance from `center`.
    /// - `period_secs`: approximate period of the largest sine, seconds; above 0.
    pub fn new(rng: &mut ChaCha8Rng, center: f64, amplitude: f64, period_secs: f64) -> Self {
        let mut wave = |share: f64, range: std::ops::Range<f64>| {
            let period = period_secs * rng.random_range(range);
            (share * amplitude, 1.0 / period, rng.random_range(0.0..TAU))
        };
        let waves = [
            wave(0.6, 0.8..1.25),
            wave(0.3, 0.45..0.7),
            wave(0.1, 0.2..0.35),
        ];
        Self { center, waves }
    }

    /// Value at `seconds`.
    pub fn at(&self, seconds: f64) -> f64 {
        let wave = |&(amplitude, hertz, phase): &(f64, f64, f64)| {
            amplitude * (TAU * hertz * seconds + phase).sin()
        };
        self.center + self.waves.iter().map(wave).sum::<f64>()
    }
}

/// Smooth step: 0 before `start`, 1 after `start + length`.
pub(super) fn ease(seconds: f64, start: f64, length: f64) -> f64 {
    let t = ((seconds - start) / length).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Smooth pulse: 0 outside `start..start + length`, 1 in the middle fifth.
pub(super) fn pulse(seconds: f64, start: f64, length: f64) -> f64 {
    let ramp = 0.4 * length;
    ease(seconds, start, ramp) * (1.0 - ease(seconds, start + length - ramp, ramp))
}

#[cfg(test)]
mod tests {
    use vidpairs_types::Seed;

    use super::*;

    #[test]
    fn a_wandering_value_stays_within_its_amplitude() {
        let mut rng = Seed::of_run(1).rng();
        for _ in 0..50 {
            let wander = Wander::new(&mut rng, 2.0, 0.5, 3.0);
            assert!((0..500).all(|t| (wander.at(f64::from(t) * 0.1) - 2.0).abs() <= 0.5 + 1e-9));
        }
    }

    #[test]
    fn a_pulse_is_zero_at_both_ends_and_one_in_the_middle() {
        let values = [0.9, 1.0, 2.0, 3.0, 3.1].map(|at| pulse(at, 1.0, 2.0));
        assert_eq!(values, [0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
