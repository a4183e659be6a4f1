//! Learning rate over a run.

use std::f64::consts::PI;

use vidpairs_pipeline::{Pace, ScheduleName};

/// Factor by which a milestone lowers the learning rate.
const STEP_FACTOR: f64 = 0.1;

/// Learning rate of every step: a linear warm-up, then a decay.
///
/// During the warm-up the rate rises at every step, whatever the pace, and reaches its peak with the last: step `i` of `W`
/// has `peak * (i + 1) / W`, so no step is lost to a rate of 0 (MoCo v3 has `i / W`). Then, with `e` the epoch (whole, or
/// with its completed share), `E` epochs and `w` epochs of warm-up:
///
/// - `Constant`: `peak`
/// - `Step`: `peak * 0.1 ^ (milestones <= e)`; milestones count from the start of the run
/// - `Cosine`: `peak * 0.5 * (1 + cos(pi * (e - w) / (E - w)))`
///
/// # Source
/// `adjust_learning_rate` in the published code of MoCo (He et al., CVPR 2020) and MoCo v3 (Chen et al.,
/// ICCV 2021). Loshchilov and Hutter, "SGDR", ICLR 2017, for the cosine; Goyal et al., "Accurate, Large
/// Minibatch SGD", 2017, for the warm-up.
///
/// # Examples
/// ```
/// use vidpairs_learn::train::{Pace, Schedule, ScheduleName};
///
/// // MoCo v2: 0.03, decayed over 200 epochs along a cosine.
/// let schedule = Schedule {
///     peak: 0.03,
///     num_epochs: 200,
///     warmup_epochs: 0.0,
///     decay: ScheduleName::Cosine,
///     milestones: Vec::new(),
///     pace: Pace::Epoch,
/// };
/// assert_eq!(schedule.lr_at(4999, 5000), 0.03);
/// assert!((schedule.lr_at(100 * 5000, 5000) - 0.015).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Highest learning rate, above 0.
    pub peak: f64,
    /// Number of epochs, at least 1.
    pub num_epochs: u32,
    /// Epochs of warm-up, whole or not: 0 or more, below `num_epochs`.
    pub warmup_epochs: f64,
    /// Decay after the warm-up.
    pub decay: ScheduleName,
    /// Epochs from whose start on the rate is a tenth; ascending, used by [`ScheduleName::Step`] only.
    pub milestones: Vec<u32>,
    /// How often the rate changes.
    pub pace: Pace,
}

/// A setting of a schedule is out of its range. Stop.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("{key} is {value}; expected {expected}")]
pub struct ScheduleError {
    /// Name of the setting.
    pub key: &'static str,
    /// Value given.
    pub value: String,
    /// Accepted values.
    pub expected: String,
}

impl Schedule {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ScheduleError`] for the first setting that is out of its range.
    pub fn check(&self) -> Result<(), ScheduleError> {
        let require = |holds: bool, key, value: &dyn ToString, expected: &str| {
            let refusal = || ScheduleError {
                key,
                value: value.to_string(),
                expected: expected.to_owned(),
            };
            holds.then_some(()).ok_or_else(refusal)
        };
        let is_peak = self.peak.is_finite() && self.peak > 0.0;
        require(is_peak, "learning_rate", &self.peak, "a finite number > 0")?;
        let has_epochs = self.num_epochs > 0;
        require(has_epochs, "epochs", &self.num_epochs, "at least 1")?;
        require(
            (0.0..f64::from(self.num_epochs)).contains(&self.warmup_epochs),
            "warmup_epochs",
            &self.warmup_epochs,
            &format!("0 or more, and fewer than the {} epochs", self.num_epochs),
        )?;
        require(
            self.milestones.is_sorted_by(|a, b| a < b),
            "milestones",
            &format!("{:?}", self.milestones),
            "ascending epochs",
        )
    }

    /// Learning rate of `step`, counted from 0 over the whole run. After the last epoch it stays at its value there.
    ///
    /// - `steps_per_epoch`: the same for all epochs; 0 counts as 1.
    pub fn lr_at(&self, step: u64, steps_per_epoch: u64) -> f64 {
        let steps_per_epoch = steps_per_epoch.max(1);
        let warmup_steps = self.warmup_epochs * steps_per_epoch as f64;
        let warmed = (step as f64 + 1.0) / warmup_steps;
        // The step that reaches the peak belongs to the decay already.
        if (step as f64) < warmup_steps && warmed < 1.0 {
            return self.peak * warmed;
        }
        let epoch = match self.pace {
            Pace::Epoch => (step / steps_per_epoch) as f64,
            Pace::Step => step as f64 / steps_per_epoch as f64,
        };
        match self.decay {
            ScheduleName::Constant => self.peak,
            ScheduleName::Step => {
                let is_passed = |milestone: &&u32| f64::from(**milestone) <= epoch;
                let passed = self.milestones.iter().filter(is_passed);
                passed.fold(self.peak, |lr, _| lr * STEP_FACTOR)
            }
            ScheduleName::Cosine => {
                let decay_epochs = f64::from(self.num_epochs) - self.warmup_epochs;
                // Below 0 in the epoch in which the warm-up ends, and in its last step.
                let progress = ((epoch - self.warmup_epochs) / decay_epochs).clamp(0.0, 1.0);
                self.peak * 0.5 * (1.0 + (PI * progress).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests;
