//! The learning rate over a run.

use std::f64::consts::PI;

/// How the learning rate falls from its peak.
#[derive(Debug, Clone, PartialEq)]
pub enum Decay {
    /// Not at all.
    Constant,
    /// It is multiplied by `factor` at each of the `milestones`, in epochs from 0, ascending.
    Step {
        /// Epochs from whose beginning on the rate is lower.
        milestones: Vec<u32>,
        /// What it is multiplied by.
        factor: f64,
    },
    /// Along half a cosine to 0 at the end of the last epoch.
    Cosine,
}

/// How often the learning rate changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At the beginning of an epoch, as in MoCo v1 and v2.
    Epoch,
    /// At every step, as in MoCo v3.
    Step,
}

/// The learning rate of every step: a warm-up along a line, then a [`Decay`].
///
/// Over the warm-up the rate rises at every step, whatever the pace, and reaches its peak with the last:
/// step `i` of `W` has `peak * (i + 1) / W`, so no step is lost to a rate of 0 (MoCo v3 has `i / W`). Then,
/// with `e` the epoch (whole, or with the share of it that is done), `E` epochs and `w` of warm-up:
///
/// - `Constant`: `peak`
/// - `Step`: `peak * factor ^ (milestones <= e)`; milestones are counted from the beginning of the run
/// - `Cosine`: `peak * 0.5 * (1 + cos(pi * (e - w) / (E - w)))`
///
/// # Source
/// `adjust_learning_rate` in the published code of MoCo (He et al., CVPR 2020) and MoCo v3 (Chen et al.,
/// ICCV 2021). Loshchilov and Hutter, "SGDR", ICLR 2017, for the cosine; Goyal et al., "Accurate, Large
/// Minibatch SGD", 2017, for the warm-up.
///
/// # Examples
/// ```
/// use vidpairs_learn::train::{Decay, Pace, Schedule};
///
/// // MoCo v2: 0.03 over 200 epochs along a cosine.
/// let schedule = Schedule::new(0.03, 200, 0.0, Decay::Cosine, Pace::Epoch)?;
/// assert_eq!(schedule.lr_at(4999, 5000), 0.03);
/// assert!((schedule.lr_at(100 * 5000, 5000) - 0.015).abs() < 1e-12);
/// # Ok::<(), vidpairs_learn::train::ScheduleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    peak: f64,
    num_epochs: u32,
    warmup_epochs: f64,
    decay: Decay,
    pace: Pace,
}

/// A setting of a schedule that cannot be. Stop.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("{key} is {value}; expected {expected}")]
pub struct ScheduleError {
    /// Name of the setting.
    pub key: &'static str,
    /// As it was given.
    pub value: String,
    /// What is accepted.
    pub expected: String,
}

impl Schedule {
    /// A schedule over `num_epochs`.
    ///
    /// - `peak`: the highest rate, `> 0`.
    /// - `warmup_epochs`: 0 or more, below `num_epochs`; parts of an epoch are fine.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn new(
        peak: f64,
        num_epochs: u32,
        warmup_epochs: f64,
        decay: Decay,
        pace: Pace,
    ) -> Result<Self, ScheduleError> {
        let require = |holds: bool, key, value: &dyn ToString, expected: &str| {
            let refused = || ScheduleError {
                key,
                value: value.to_string(),
                expected: expected.to_owned(),
            };
            holds.then_some(()).ok_or_else(refused)
        };
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        require(
            is_positive(peak),
            "learning_rate",
            &peak,
            "a finite number > 0",
        )?;
        require(num_epochs > 0, "epochs", &num_epochs, "at least 1")?;
        require(
            (0.0..f64::from(num_epochs)).contains(&warmup_epochs),
            "warmup_epochs",
            &warmup_epochs,
            &format!("0 or more, and fewer than the {num_epochs} epochs"),
        )?;
        if let Decay::Step { milestones, factor } = &decay {
            require(
                is_positive(*factor),
                "factor",
                factor,
                "a finite number > 0",
            )?;
            require(
                milestones.is_sorted_by(|a, b| a < b),
                "milestones",
                &format!("{milestones:?}"),
                "ascending epochs",
            )?;
        }
        Ok(Self {
            peak,
            num_epochs,
            warmup_epochs,
            decay,
            pace,
        })
    }

    /// The rate of `step`, counted from 0 over the whole run. From the end of the last epoch on it is
    /// what it would be there.
    ///
    /// - `steps_per_epoch`: the same for all epochs; 0 is taken for 1.
    pub fn lr_at(&self, step: u64, steps_per_epoch: u64) -> f64 {
        let steps_per_epoch = steps_per_epoch.max(1);
        let warmup_steps = self.warmup_epochs * steps_per_epoch as f64;
        let warmed = (step as f64 + 1.0) / warmup_steps;
        // Asked of the step before the rate reaches its peak: the peak itself is the decay's.
        if (step as f64) < warmup_steps && warmed < 1.0 {
            return self.peak * warmed;
        }
        let epoch = match self.pace {
            Pace::Epoch => (step / steps_per_epoch) as f64,
            Pace::Step => step as f64 / steps_per_epoch as f64,
        };
        match &self.decay {
            Decay::Constant => self.peak,
            Decay::Step { milestones, factor } => {
                let num_passed = milestones
                    .iter()
                    .filter(|&&milestone| f64::from(milestone) <= epoch);
                num_passed.fold(self.peak, |lr, _| lr * factor)
            }
            Decay::Cosine => {
                let decaying = f64::from(self.num_epochs) - self.warmup_epochs;
                // Below 0 in the epoch in which the warm-up ends, and in its last step.
                let progress = ((epoch - self.warmup_epochs) / decaying).clamp(0.0, 1.0);
                self.peak * 0.5 * (1.0 + (PI * progress).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests;
