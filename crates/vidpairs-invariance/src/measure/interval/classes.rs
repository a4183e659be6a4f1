//! Intervals over classes.

use vidpairs_types::Seed;

use super::super::retrieval::TargetTally;
use super::bootstrap::{BootstrapOptions, Interval, IntervalError, draw, drawn_sum};

/// The mean of `scores`, one for each class, and its interval when classes are drawn again.
///
/// # Errors
/// [`IntervalError`]: `TooFew` for less than two classes, `NotFinite`, `Option`.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::interval::{BootstrapOptions, over_classes};
/// use vidpairs_types::Seed;
///
/// let scores = [62.0, 71.0, 55.0, 66.0, 80.0, 59.0];
/// let interval = over_classes(&scores, BootstrapOptions::default(), Seed::of_run(0))?;
/// assert_eq!(interval.estimate, 65.5);
/// assert!(interval.low > 55.0 && interval.low < 62.0 && interval.high < 80.0);
/// let err = over_classes(&scores[..1], BootstrapOptions::default(), Seed::of_run(0)).unwrap_err();
/// assert_eq!(err.to_string(), "an interval over classes needs at least 2, and there is 1");
/// # Ok::<(), vidpairs_invariance::measure::interval::IntervalError>(())
/// ```
pub fn over_classes(
    scores: &[f64],
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    check("classes", scores)?;
    let num = scores.len() as f64;
    let resamples = options.resample(seed, |rng| drawn_sum(rng, scores) / num)?;
    let estimate = scores.iter().sum::<f64>() / num;
    Ok(options.interval(estimate, scores.len(), &resamples))
}

/// The share of queries that are found, and its interval when targets are drawn again, each with all its queries: those of
/// one target stand or fall together, so that to draw single queries would give an interval that is too narrow.
///
/// - `tallies`: of each target that has queries ([`RetrievalTally::targets`](super::super::retrieval::RetrievalTally)).
///
/// # Errors
/// [`IntervalError`]: `TooFew` for less than two targets that have queries, `Option`.
pub fn over_targets(
    tallies: impl IntoIterator<Item = TargetTally>,
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    let tallies: Vec<TargetTally> = tallies
        .into_iter()
        .filter(|tally| tally.num_queries > 0)
        .collect();
    if tallies.len() < 2 {
        return Err(IntervalError::TooFew {
            what: "targets",
            found: tallies.len(),
            needed: 2,
        });
    }
    let share = |drawn: &mut dyn Iterator<Item = &TargetTally>| {
        let mut sum = TargetTally::default();
        drawn.for_each(|&tally| sum += tally);
        sum.num_found as f64 / sum.num_queries as f64
    };
    let resamples = options.resample(seed, |rng| {
        let places = (0..tallies.len()).map(|_| draw(rng, tallies.len()));
        share(&mut places.filter_map(|place| tallies.get(place)))
    })?;
    Ok(options.interval(share(&mut tallies.iter()), tallies.len(), &resamples))
}

/// Whether there are two or more, all finite.
pub(super) fn check(what: &'static str, scores: &[f64]) -> Result<(), IntervalError> {
    if scores.len() < 2 {
        return Err(IntervalError::TooFew {
            what,
            found: scores.len(),
            needed: 2,
        });
    }
    let mut values = scores.iter().copied().enumerate();
    match values.find(|(_, value)| !value.is_finite()) {
        Some((class_index, value)) => Err(IntervalError::NotFinite { class_index, value }),
        None => Ok(()),
    }
}
