//! How long updates take.

use serde::{Deserialize, Serialize};

/// The durations of single updates, seconds. Four bytes each: a set of millions of frames fits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Times(Vec<f32>);

/// What the durations come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Half of the updates were faster, milliseconds.
    pub median_ms: f64,
    /// One update of twenty was slower, milliseconds.
    pub p95_ms: f64,
    /// Updates divided by the seconds they took together.
    pub updates_per_second: f64,
}

impl Times {
    /// Of updates that took so many seconds; what is not a positive number is left out.
    pub fn of(seconds: &[f64]) -> Self {
        let measured = seconds.iter().filter(|it| it.is_finite() && **it > 0.0);
        Self(measured.map(|&it| it as f32).collect())
    }

    /// Adds the updates of another sequence.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// What they come to; `None` without an update.
    pub fn speed(&self) -> Option<Speed> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let total: f64 = sorted.iter().copied().map(f64::from).sum();
        Some(Speed {
            median_ms: 1e3 * quantile(&sorted, 0.5)?,
            p95_ms: 1e3 * quantile(&sorted, 0.95)?,
            updates_per_second: sorted.len() as f64 / total,
        })
    }
}

/// The value below which `share` of the `sorted` ones lie, between two of them by linear interpolation.
fn quantile(sorted: &[f32], share: f64) -> Option<f64> {
    let place = share * (sorted.len().checked_sub(1)?) as f64;
    let value = |at: f64| sorted.get(at as usize).copied().map(f64::from);
    let (below, above) = (value(place.floor())?, value(place.ceil())?);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_95th_percentile_lie_between_updates_as_numpy_has_them() {
        let times = Times::of(&[0.004, 0.001, f64::NAN, 0.002, 0.0, 0.003]);
        let speed = times.speed().unwrap();
        assert!((speed.median_ms - 2.5).abs() < 1e-6);
        assert!((speed.p95_ms - 3.85).abs() < 1e-6);
        assert!((speed.updates_per_second - 400.0).abs() < 1e-3);
        assert_eq!(Times::of(&[f64::NAN]).speed(), None);
    }
}
