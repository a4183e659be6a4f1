//! Drawing again, and what is read from it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::Seed;

/// How often is drawn, and what share of the draws an interval holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapOptions {
    /// At least 1.
    pub num_resamples: usize,
    /// Above 0, below 1.
    pub confidence: f64,
}

impl Default for BootstrapOptions {
    /// 1,000 resamples, 95 %.
    fn default() -> Self {
        Self {
            num_resamples: 1000,
            confidence: 0.95,
        }
    }
}

/// A figure, and where it stays when its parts are drawn again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The figure itself, of all parts.
    pub estimate: f64,
    /// Quantile `(1 - confidence) / 2` of the resamples.
    pub low: f64,
    /// Quantile `(1 + confidence) / 2` of the resamples.
    pub high: f64,
    /// How many parts can change: classes, or sets of classes that have two or more.
    pub num_drawn: usize,
}

/// Why there is no interval.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// There is too little to draw from. Print the figure without an interval, and this reason.
    #[error("an interval over {what} needs at least {needed}, and there is {found}")]
    TooFew {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// No class has two sets to draw from. Print the figure without an interval, and this reason.
    #[error("an interval over sets needs a class of two sets, and each of {num_classes} has one")]
    OneSetEach {
        /// How many classes there are.
        num_classes: usize,
    },
    /// A score is NaN or infinite. A bug of the caller: stop.
    #[error("the score of class {class_index} is {value}; expected a finite number")]
    NotFinite {
        /// Place of the first such class.
        class_index: usize,
        /// As it was given.
        value: f64,
    },
    /// A class's contributions are not whole rows of finite numbers of 0 or more, or there are none. A bug of the caller: stop.
    #[error(
        "the contributions to class {class_index} are not rows of {num_units} finite numbers >= 0"
    )]
    Contributions {
        /// Place of the class.
        class_index: usize,
        /// Numbers that a row should have.
        num_units: usize,
    },
    /// Not one name for each score. A bug of the caller: stop.
    #[error("{num_names} names for {num_scores} scores")]
    Names {
        /// Names given.
        num_names: usize,
        /// Scores given.
        num_scores: usize,
    },
    /// Two models were not scored on the same classes. Score both on the same data.
    #[error("class {class} has a score of the {of} model alone: both need the same classes")]
    OtherClasses {
        /// The first such class by name.
        class: String,
        /// `first` or `second`.
        of: &'static str,
    },
    /// A model has two scores of one class. Stop.
    #[error("class {class} has two scores of the {of} model")]
    Twice {
        /// The class.
        class: String,
        /// `first` or `second`.
        of: &'static str,
    },
    /// An option is out of range. Stop.
    #[error("{key} is {value}; expected {expected}")]
    Option {
        /// Its name.
        key: &'static str,
        /// As it was given.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
}

impl BootstrapOptions {
    fn check(&self) -> Result<(), IntervalError> {
        if self.num_resamples == 0 {
            return Err(IntervalError::Option {
                key: "num_resamples",
                value: 0.0,
                expected: "at least 1",
            });
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(IntervalError::Option {
                key: "confidence",
                value: self.confidence,
                expected: "a number above 0 and below 1",
            });
        }
        Ok(())
    }

    /// What `figure` gives for one resample after the other, ascending.
    pub(super) fn resample(
        &self,
        seed: Seed,
        mut figure: impl FnMut(&mut ChaCha8Rng) -> f64,
    ) -> Result<Vec<f64>, IntervalError> {
        self.check()?;
        let mut rng = seed.for_step("bootstrap", "").rng();
        let mut resamples: Vec<f64> = (0..self.num_resamples).map(|_| figure(&mut rng)).collect();
        resamples.sort_unstable_by(f64::total_cmp);
        Ok(resamples)
    }

    /// The interval of `resamples`, ascending.
    pub(super) fn interval(&self, estimate: f64, num_drawn: usize, resamples: &[f64]) -> Interval {
        Interval {
            estimate,
            low: quantile(resamples, (1.0 - self.confidence) / 2.0),
            high: quantile(resamples, f64::midpoint(1.0, self.confidence)),
            num_drawn,
        }
    }
}

/// The `share`-quantile of numbers in ascending order, straight lines between them: NumPy's default. NaN of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (below, above) = (at(place.floor()), at(place.ceil()));
    below + (above - below) * place.fract()
}

/// A place of `0..len`; `len` is at least 1.
pub(super) fn draw(rng: &mut ChaCha8Rng, len: usize) -> usize {
    rng.random_range(0..len)
}

/// The sum over `len` draws from `parts`, with replacement: a resample.
pub(super) fn drawn_sum(rng: &mut ChaCha8Rng, parts: &[f64]) -> f64 {
    let drawn = (0..parts.len()).map(|_| parts[draw(rng, parts.len())]);
    drawn.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.025, 0.5, 0.9, 1])
        let quantiles = [0.0, 0.025, 0.5, 0.9, 1.0].map(|it| quantile(&[1.0, 2.0, 4.0, 8.0], it));
        let numpy = [1.0, 1.075, 3.0, 6.8, 8.0];
        assert!(
            quantiles
                .iter()
                .zip(numpy)
                .all(|(a, b)| (a - b).abs() < 1e-12)
        );
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }
}
