//! The difference of two models over the same classes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use vidpairs_types::Seed;

use super::super::retrieval::TargetTally;
use super::bootstrap::{BootstrapOptions, Interval, IntervalError, draw, drawn_sum};
use super::classes::check;

/// A model's score of each class.
#[derive(Debug, Clone, Copy)]
pub struct ClassScores<'a, S> {
    /// Each class once, in any order.
    pub names: &'a [S],
    /// Of the classes in that order.
    pub scores: &'a [f64],
}

/// What the interval of a difference says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The first model scores higher: all of the interval is above 0.
    Above,
    /// The first model scores lower: all of the interval is below 0.
    Below,
    /// The interval holds 0: these classes do not tell the two apart.
    Unclear,
}

/// The first model's score less the second's, over the same classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// Of the mean difference.
    pub interval: Interval,
    /// Share of the resamples whose mean difference is above 0, 0 to 1; those of exactly 0 count half.
    pub share_above: f64,
    /// What the interval says.
    pub sign: Sign,
    /// Classes in which the first model scores higher.
    pub num_higher: usize,
    /// Classes in which the first model scores lower.
    pub num_lower: usize,
}

/// How much higher the first model scores than the second, and its interval when classes are drawn again, each
/// with the scores of both: what makes a class hard for both falls out, so a difference can be clear where the models' own intervals
/// overlap.
///
/// The result does not depend on the order of the classes.
///
/// # Errors
/// [`IntervalError`]: `OtherClasses` and `Twice` name the class, `Names`, `TooFew` for less than two classes, `NotFinite`, `Option`.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::interval::{BootstrapOptions, ClassScores, Sign, paired_difference};
/// use vidpairs_types::Seed;
///
/// let first = ClassScores { names: &["car", "bus", "cat"], scores: &[81.0, 41.0, 63.0] };
/// let second = ClassScores { names: &["bus", "car", "cat"], scores: &[40.0, 79.0, 60.0] };
/// let difference = paired_difference(first, second, BootstrapOptions::default(), Seed::of_run(0))?;
/// assert_eq!((difference.interval.estimate, difference.sign), (2.0, Sign::Above));
/// # Ok::<(), vidpairs_invariance::measure::interval::IntervalError>(())
/// ```
pub fn paired_difference<S: AsRef<str>>(
    first: ClassScores<'_, S>,
    second: ClassScores<'_, S>,
    options: BootstrapOptions,
    seed: Seed,
) -> Result<PairedDifference, IntervalError> {
    let (first, second) = (by_name(first, "first")?, by_name(second, "second")?);
    let alone = |ours: &BTreeMap<&str, f64>, theirs: &BTreeMap<&str, f64>, of| {
        let mut names = ours.keys().filter(|name| !theirs.contains_key(*name));
        names.next().map_or(Ok(()), |name| {
            let class = (*name).to_owned();
            Err(IntervalError::OtherClasses { class, of })
        })
    };
    alone(&first, &second, "first")?;
    alone(&second, &first, "second")?;
    // Both maps now have the same names, and so the same order.
    let pairs = first.values().zip(second.values());
    let differences: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
    check("classes", &differences)?;
    let num = differences.len() as f64;
    let resamples = options.resample(seed, |rng| drawn_sum(rng, &differences) / num)?;
    let estimate = differences.iter().sum::<f64>() / num;
    let interval = options.interval(estimate, differences.len(), &resamples);
    let compared = |numbers: &[f64], order| {
        let found = numbers
            .iter()
            .filter(|it| it.partial_cmp(&&0.0) == Some(order));
        found.count()
    };
    let (above, equal) = (
        compared(&resamples, Ordering::Greater),
        compared(&resamples, Ordering::Equal),
    );
    Ok(PairedDifference {
        interval,
        share_above: (above as f64 + equal as f64 / 2.0) / resamples.len() as f64,
        sign: match interval {
            Interval { low, .. } if low > 0.0 => Sign::Above,
            Interval { high, .. } if high < 0.0 => Sign::Below,
            _ => Sign::Unclear,
        },
        num_higher: compared(&differences, Ordering::Greater),
        num_lower: compared(&differences, Ordering::Less),
    })
}

/// How much larger the share of queries is that the first model finds than the second, and its interval when targets are drawn again, each with
/// all its queries and the answers of both models.
///
/// # Errors
/// [`IntervalError`]: `OtherClasses` names a target, `TooFew` for less than two, `Option`.
pub fn paired_shares(
    first: &BTreeMap<u32, TargetTally>,
    second: &BTreeMap<u32, TargetTally>,
    options: BootstrapOptions,
    seed: Seed,
) -> Result<Interval, IntervalError> {
    let other = |target: &u32, of| IntervalError::OtherClasses {
        class: target.to_string(),
        of,
    };
    if let Some(target) = second.keys().find(|target| !first.contains_key(target)) {
        return Err(other(target, "second"));
    }
    let mut pairs: Vec<(TargetTally, TargetTally)> = Vec::new();
    for (target, &tally) in first {
        let theirs = second.get(target).ok_or_else(|| other(target, "first"))?;
        pairs.push((tally, *theirs));
    }
    if pairs.len() < 2 {
        return Err(IntervalError::TooFew {
            what: "targets",
            found: pairs.len(),
            needed: 2,
        });
    }
    let difference = |drawn: &mut dyn Iterator<Item = &(TargetTally, TargetTally)>| {
        let (mut a, mut b) = (TargetTally::default(), TargetTally::default());
        drawn.for_each(|pair| {
            a += pair.0;
            b += pair.1;
        });
        let share = |of: TargetTally| of.num_found as f64 / of.num_queries.max(1) as f64;
        share(a) - share(b)
    };
    let resamples = options.resample(seed, |rng| {
        let places = (0..pairs.len()).map(|_| draw(rng, pairs.len()));
        difference(&mut places.filter_map(|place| pairs.get(place)))
    })?;
    Ok(options.interval(difference(&mut pairs.iter()), pairs.len(), &resamples))
}

/// The scores by the names of their classes.
fn by_name<'a, S: AsRef<str>>(
    scores: ClassScores<'a, S>,
    of: &'static str,
) -> Result<BTreeMap<&'a str, f64>, IntervalError> {
    let (num_names, num_scores) = (scores.names.len(), scores.scores.len());
    if num_names != num_scores {
        return Err(IntervalError::Names {
            num_names,
            num_scores,
        });
    }
    let mut by_name = BTreeMap::new();
    for (name, &score) in scores.names.iter().zip(scores.scores) {
        if by_name.insert(name.as_ref(), score).is_some() {
            let class = name.as_ref().to_owned();
            return Err(IntervalError::Twice { class, of });
        }
    }
    Ok(by_name)
}
