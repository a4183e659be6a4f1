//! Computes the invariance of a unit for each target from the tails of its values.

use super::Version;
use super::pivots::value_of;
use super::rule::Rule;
use super::tails::{Outlier, Tail};

/// Relative difference that sums of the same numbers in another order may have.
const SUM_ROUNDING: f64 = 1e-12;

/// Tail of its values in which a unit fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Above its threshold.
    Positive,
    /// Below its threshold.
    Negative,
    /// [`Version::PublishedCode`]: in each set the tail that has more of the set's images.
    PerSet,
}

/// The images for which one unit fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// Sign of the unit.
    pub sign: Sign,
    /// Threshold of the positive sign: the unit fires strictly above it.
    pub high_threshold: f32,
    /// Threshold of the negative sign: the unit fires strictly below it.
    pub low_threshold: f32,
    /// Whether the unit fires for each image; with [`Sign::PerSet`] under the sign of the image's set. `false` for images of sets that
    /// are left out.
    pub fires: Vec<bool>,
    /// Share of the images of each set, in the order of [`Labels::sets`](super::Labels::sets), for which the unit fires, 0 to 1; `None`
    /// for sets that are left out.
    pub share_of_set: Vec<Option<f64>>,
    /// Invariance `I` for each target, in the order of [`Score::targets`](super::Score::targets).
    pub invariance: Vec<f64>,
}

/// A threshold in a tail.
pub(super) struct Cut {
    /// Outwardness of the threshold.
    pub threshold: u32,
    /// Number of values at or beyond the threshold.
    pub num_at_or_beyond: usize,
    /// Length of the part of the tail that contains all firing images, and possibly images at the threshold.
    len: usize,
}

/// Finds the value of rank `rank`, counted from the outermost, from 0. Reorders the tail. Successive cuts of a tail must have falling
/// ranks; `pool` is [`Cut::pool`] of the previous cut, or `usize::MAX`.
pub(super) fn cut(tail: &mut Tail, rank: usize, pool: usize) -> Cut {
    let num_all = tail.outliers.len();
    let pool = pool.min(num_all);
    let Some(among) = tail
        .outliers
        .get_mut(..pool)
        .filter(|among| rank < among.len())
    else {
        return Cut {
            threshold: tail.pivot,
            num_at_or_beyond: num_all + tail.num_at_pivot,
            len: num_all,
        };
    };
    let (_, &mut found, _) = among.select_nth_unstable(rank);
    let threshold = found.outwardness();
    let behind = tail.outliers.iter().skip(rank + 1);
    let num_equal = behind
        .filter(|outlier| outlier.outwardness() == threshold)
        .count();
    Cut {
        threshold,
        num_at_or_beyond: rank + 1 + num_equal,
        len: rank,
    }
}

impl Cut {
    /// Length of the part of the tail that a cut at a smaller rank has to search.
    pub fn pool(&self) -> usize {
        self.len + 1
    }

    /// The images that fire.
    pub fn fired<'a>(&self, tail: &'a Tail) -> impl Iterator<Item = usize> + use<'a> {
        let threshold = self.threshold;
        let near = tail.outliers.iter().take(self.len);
        near.filter(move |outlier| outlier.outwardness() < threshold)
            .map(|outlier: &Outlier| outlier.image())
    }

    /// The thresholds of the positive and the negative sign as values.
    pub fn values(high: &Self, low: &Self) -> (f32, f32) {
        (value_of(!high.threshold), value_of(low.threshold))
    }
}

/// Counts the firing images of each set.
pub(super) fn count(fired: impl Iterator<Item = usize>, set_of_image: &[u32], counts: &mut [u32]) {
    counts.fill(0);
    for image in fired {
        counts[set_of_image[image] as usize] += 1;
    }
}

/// Computes the invariance `I` of a unit for each target, and the unit's sign.
///
/// - `high`, `low`: number of firing images of each set under the positive and the negative sign.
/// - `share_at_or_above`: `G_i` of [`Version::PublishedCode`].
/// - `row`: result, one number per target, initially 0; `other`: scratch of the same length.
pub(super) fn invariance(
    rule: &Rule,
    high: &[u32],
    low: &[u32],
    share_at_or_above: f64,
    row: &mut [f64],
    other: &mut [f64],
) -> Sign {
    other.fill(0.0);
    match rule.version {
        Version::Formula => {
            add_shares(rule, high.iter().copied(), row, None);
            add_shares(rule, low.iter().copied(), other, None);
            for shares in [&mut *row, &mut *other] {
                for (share, num_sets) in shares.iter_mut().zip(&rule.num_sets) {
                    *share /= num_sets * (1.0 / rule.num_targets() as f64);
                }
            }
            better(row, other)
        }
        Version::Goodfellow => {
            for (counts, row) in [(high, &mut *row), (low, &mut *other)] {
                let mut num_fired = [0.0];
                add_shares(rule, counts.iter().copied(), row, Some(&mut num_fired));
                for share in row {
                    *share /= num_fired[0].max(1.0) * 0.01;
                }
            }
            better(row, other)
        }
        Version::PublishedCode => {
            let most = high.iter().zip(low).map(|(&high, &low)| high.max(low));
            add_shares(rule, most, row, Some(other));
            for (share, num_fired) in row.iter_mut().zip(other) {
                *share = *share / (*num_fired + 1e-20) / share_at_or_above;
            }
            Sign::PerSet
        }
    }
}

/// Adds to `row`, for each target, the firing shares of its sets, and to `num_fired` the number of its sets with a firing image.
fn add_shares(
    rule: &Rule,
    counts: impl Iterator<Item = u32>,
    row: &mut [f64],
    mut num_fired: Option<&mut [f64]>,
) {
    for (count, set) in counts.zip(rule.sets()) {
        if let (Some((target, size)), 1..) = (set, count) {
            row[target] += f64::from(count) / size;
            if let Some(num_fired) = &mut num_fired {
                num_fired[target] += 1.0;
            }
        }
    }
}

/// Leaves the row with the larger sum in `row`. Sums that differ only by rounding count as equal.
fn better(row: &mut [f64], other: &[f64]) -> Sign {
    let (positive, negative): (f64, f64) = (row.iter().sum(), other.iter().sum());
    if negative > positive * (1.0 + SUM_ROUNDING) {
        row.copy_from_slice(other);
        return Sign::Negative;
    }
    Sign::Positive
}
