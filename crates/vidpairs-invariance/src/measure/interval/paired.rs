//! Intervals of the difference of two models over the same classes.

use std::collections::BTreeMap;
use std::fmt::Display;

use vidpairs_types::Seed;

use super::super::retrieval::TargetTally;
use super::bootstrap::{BootstrapOptions, Interval, IntervalError};
use super::classes::over_classes;

/// Mean score of the first model minus that of the second, over the same classes, and its interval.
///
/// Classes are resampled together with the scores of both models. What makes a class hard for both models cancels, so a difference can be
/// clear although the intervals of the two models overlap.
///
/// - `first`, `second`: score of each class.
///
/// # Errors
/// [`IntervalError`]: `OtherClasses`, `TooFew` for fewer than two classes, `NotFinite`, `Option`.
///
/// # Examples
/// ```
/// use std::collections::BTreeMap;
/// use vidpairs_invariance::measure::interval::{BootstrapOptions, paired_difference};
/// use vidpairs_types::Seed;
///
/// let first = BTreeMap::from([("car", 81.0), ("bus", 41.0), ("cat", 63.0)]);
/// let second = BTreeMap::from([("bus", 40.0), ("car", 79.0), ("cat", 60.0)]);
/// let difference = paired_difference(&first, &second, BootstrapOptions::default(), Seed::of_run(0))?;
/// assert_eq!(difference.estimate, 2.0);
/// assert!(difference.low > 0.0);
/// # Ok::<(), vidpairs_invariance::measure::interval::IntervalError>(())
/// ```
pub fn paired_difference<K: Ord + Display>(
    first: &BTreeMap<K, f64>,
    second: &BTreeMap<K, f64>,
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    let differences: Vec<f64> = paired(first, second)?
        .iter()
        .map(|(first, second)| first - second)
        .collect();
    over_classes(&differences, options, seed)
}

/// Share of queries that the first model finds minus that of the second, and its interval when targets are resampled, each with all its
/// queries and the answers of both models.
///
/// - `first`, `second`: counts of each target.
///
/// # Errors
/// [`IntervalError`]: `OtherClasses`, `TooFew` for fewer than two targets, `Option`.
pub fn paired_shares(
    first: &BTreeMap<u32, TargetTally>,
    second: &BTreeMap<u32, TargetTally>,
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    let pairs = paired(first, second)?;
    let difference = |drawn: &mut dyn Iterator<Item = &(TargetTally, TargetTally)>| {
        let (mut a, mut b) = (TargetTally::default(), TargetTally::default());
        drawn.for_each(|pair| {
            a += pair.0;
            b += pair.1;
        });
        let share = |tally: TargetTally| tally.num_found as f64 / tally.num_queries.max(1) as f64;
        share(a) - share(b)
    };
    options.over_parts("targets", &pairs, difference, seed)
}

/// The values of both models for each class, in the order of the classes.
fn paired<K: Ord + Display, V: Copy>(
    first: &BTreeMap<K, V>,
    second: &BTreeMap<K, V>,
) -> Result<Vec<(V, V)>, IntervalError> {
    let only_in = |model, class: &K| IntervalError::OtherClasses {
        class: class.to_string(),
        model,
    };
    if let Some(class) = second.keys().find(|class| !first.contains_key(class)) {
        return Err(only_in("second", class));
    }
    first
        .iter()
        .map(|(class, &value)| {
            let other = second.get(class).ok_or_else(|| only_in("first", class))?;
            Ok((value, *other))
        })
        .collect()
}
