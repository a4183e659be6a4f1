//! Intervals over classes and targets.

use vidpairs_types::Seed;

use super::super::retrieval::TargetTally;
use super::bootstrap::{BootstrapOptions, Interval, IntervalError};

/// The mean of `scores`, one per class, and its interval when classes are resampled.
///
/// # Errors
/// [`IntervalError`]: `TooFew` for fewer than two classes, `NotFinite`, `Option`.
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
/// assert_eq!(err.to_string(), "an interval over classes needs at least 2; found 1");
/// # Ok::<(), vidpairs_invariance::measure::interval::IntervalError>(())
/// ```
pub fn over_classes(
    scores: &[f64],
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    let mut values = scores.iter().copied().enumerate();
    if let Some((class_index, value)) = values.find(|(_, value)| !value.is_finite()) {
        return Err(IntervalError::NotFinite { class_index, value });
    }
    let mean = |drawn: &mut dyn Iterator<Item = &f64>| drawn.sum::<f64>() / scores.len() as f64;
    options.over_parts("classes", scores, mean, seed)
}

/// The share of queries that are found, and its interval when targets are resampled, each with all its queries: the queries of one target
/// are correlated, so that an interval from single queries would be too narrow.
///
/// - `tallies`: counts of each target that has queries ([`RetrievalTally::targets`](super::super::retrieval::RetrievalTally)).
///
/// # Errors
/// [`IntervalError`]: `TooFew` for fewer than two targets with queries, `Option`.
pub fn over_targets(
    tallies: impl IntoIterator<Item = TargetTally>,
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    let tallies: Vec<TargetTally> = tallies
        .into_iter()
        .filter(|tally| tally.num_queries > 0)
        .collect();
    let share = |drawn: &mut dyn Iterator<Item = &TargetTally>| {
        let mut sum = TargetTally::default();
        drawn.for_each(|&tally| sum += tally);
        sum.num_found as f64 / sum.num_queries as f64
    };
    options.over_parts("targets", &tallies, share, seed)
}
