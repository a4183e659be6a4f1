//! Measures the duration of tracker updates.

use serde::{Deserialize, Serialize};

/// Durations of single updates, seconds. Four bytes each, so that millions of frames fit in memory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Times(Vec<f32>);

/// Statistics of the durations of updates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Median duration, milliseconds.
    pub median_ms: f64,
    /// 95th percentile of the duration, milliseconds.
    pub p95_ms: f64,
    /// Number of updates divided by their total duration.
    pub updates_per_second: f64,
}

impl Times {
    /// Takes durations in seconds. Values that are not finite and positive are excluded.
    pub fn of(seconds: &[f64]) -> Self {
        let is_measured = |&&seconds: &&f64| seconds.is_finite() && seconds > 0.0;
        let measured = seconds.iter().filter(is_measured);
        Self(measured.map(|&seconds| seconds as f32).collect())
    }

    /// Adds the updates of another sequence.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Statistics of the durations; `None` without updates.
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

/// Quantile of `sorted` at `share`, linearly interpolated.
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
    fn median_and_95th_percentile_are_interpolated_like_numpys() {
        let times = Times::of(&[0.004, 0.001, f64::NAN, 0.002, 0.0, 0.003]);
        let speed = times.speed().unwrap();
        assert!((speed.median_ms - 2.5).abs() < 1e-6);
        assert!((speed.p95_ms - 3.85).abs() < 1e-6);
        assert!((speed.updates_per_second - 400.0).abs() < 1e-3);
        assert_eq!(Times::of(&[f64::NAN]).speed(), None);
    }
}
