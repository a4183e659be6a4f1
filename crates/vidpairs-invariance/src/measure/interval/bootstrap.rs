//! Resampling with replacement, and the interval of the resamples.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::Seed;

/// Options of the bootstrap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapOptions {
    /// Number of resamples, at least 1.
    pub num_resamples: usize,
    /// Confidence level, above 0 and below 1.
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

/// A figure and its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Figure computed from all parts.
    pub estimate: f64,
    /// Lower end: quantile `(1 - confidence) / 2` of the resamples.
    pub low: f64,
    /// Upper end: quantile `(1 + confidence) / 2` of the resamples.
    pub high: f64,
    /// Number of parts that are resampled: classes, images, or sets of classes with two or more sets.
    pub num_drawn: usize,
}

/// Reason why there is no interval.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// There are too few parts to resample. Show the figure without an interval.
    #[error("an interval over {what} needs at least {needed}; found {found}")]
    TooFew {
        /// Parts: `classes`, for example.
        what: &'static str,
        /// Number of parts.
        found: usize,
        /// Number of parts that is needed.
        needed: usize,
    },
    /// No class has two sets to resample. Show the figure without an interval.
    #[error(
        "an interval over sets needs a class with two sets; each of {num_classes} classes has one"
    )]
    OneSetEach {
        /// Number of classes.
        num_classes: usize,
    },
    /// A score is NaN or infinite. A bug of the caller: stop.
    #[error("the score of class {class_index} is {value}; expected a finite number")]
    NotFinite {
        /// Index of the first such class.
        class_index: usize,
        /// The score.
        value: f64,
    },
    /// The contributions to a class are not whole rows of finite numbers of 0 or more. A bug of the caller: stop.
    #[error(
        "the contributions to class {class_index} are not rows of {num_units} finite numbers >= 0"
    )]
    Contributions {
        /// Index of the class.
        class_index: usize,
        /// Expected length of a row.
        num_units: usize,
    },
    /// The two models were not scored on the same classes. Score both on the same data.
    #[error("only the {model} model has a score of class {class}; both need the same classes")]
    OtherClasses {
        /// A class that only one model has.
        class: String,
        /// `first` or `second`.
        model: &'static str,
    },
    /// The figure has no value, because no image shows a class for example. Show no figure.
    #[error("the figure has no value on these images")]
    NoFigure,
    /// An option is out of range. Stop.
    #[error("{key} is {value}; expected {expected}")]
    Option {
        /// Name of the option.
        key: &'static str,
        /// Value given.
        value: f64,
        /// Accepted values.
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

    /// The value of `figure` on all `parts`, and its interval when the parts are resampled. `what` names the parts in an error.
    pub(super) fn over_parts<T>(
        &self,
        what: &'static str,
        parts: &[T],
        figure: impl Fn(&mut dyn Iterator<Item = &T>) -> f64,
        seed: Seed,
    ) -> Result<Interval, IntervalError> {
        let num = parts.len();
        if num < 2 {
            return Err(IntervalError::TooFew {
                what,
                found: num,
                needed: 2,
            });
        }
        let resamples = self.resample(seed, |rng| {
            figure(&mut (0..num).map(|_| &parts[draw(rng, num)]))
        })?;
        Ok(self.interval(figure(&mut parts.iter()), num, &resamples))
    }

    /// The random generator of the resamples.
    pub(super) fn rng(&self, seed: Seed) -> Result<ChaCha8Rng, IntervalError> {
        self.check()?;
        Ok(seed.for_step("bootstrap", "").rng())
    }

    /// The values of `figure`, ascending; each call of `figure` draws one resample.
    pub(super) fn resample(
        &self,
        seed: Seed,
        mut figure: impl FnMut(&mut ChaCha8Rng) -> f64,
    ) -> Result<Vec<f64>, IntervalError> {
        let mut rng = self.rng(seed)?;
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

/// The `share`-quantile of ascending numbers, at least one, with linear interpolation: NumPy's default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

/// A random index below `len`, which is at least 1.
pub(super) fn draw(rng: &mut ChaCha8Rng, len: usize) -> usize {
    rng.random_range(0..len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.025, 0.5, 0.9, 1])
        let quantiles =
            [0.0, 0.025, 0.5, 0.9, 1.0].map(|share| quantile(&[1.0, 2.0, 4.0, 8.0], share));
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
