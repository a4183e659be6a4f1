//! From the tails of a unit to what it is worth to every target.

use super::Version;
use super::rule::Rule;
use super::tails::{Outlier, Tail, value_of};

/// Sums of the same numbers in another order may differ by so much of their size.
const SUM_ROUNDING: f64 = 1e-12;

/// For which end of its values a unit fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Above its threshold.
    Positive,
    /// Below its threshold.
    Negative,
    /// [`Version::PublishedCode`]: in every set for the end at which more images are.
    PerSet,
}

/// For which images one unit fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// Of the unit.
    pub sign: Sign,
    /// With the positive sign it fires strictly above this.
    pub high_threshold: f32,
    /// With the negative sign it fires strictly below this.
    pub low_threshold: f32,
    /// Whether it fires, for each image. With [`Sign::PerSet`] under the sign that was taken in the image's set; `false` for images
    /// of sets that are left out.
    pub fires: Vec<bool>,
    /// For each set in the order of [`Labels::sets`](super::Labels::sets) the share of its images for which the unit fires, 0 to
    /// 1; `None` for those that are left out.
    pub share_of_set: Vec<Option<f64>>,
    /// `I` for each target, in the order of [`Score::targets`](super::Score::targets).
    pub invariance: Vec<f64>,
}

/// A threshold, and who is beyond it.
pub(super) struct Cut {
    /// Outwardness of the threshold.
    pub threshold: u32,
    /// Values at the threshold or beyond it.
    pub num_at_or_beyond: usize,
    /// The images that fire are among the first so many of the tail, which holds them and perhaps some at the threshold.
    len: usize,
}

/// Finds the value that `rank` others precede. Reorders the tail, and expects the last cut of it to have been at no smaller a rank.
pub(super) fn cut(tail: &mut Tail, rank: usize, pool: usize) -> Cut {
    let num_all = tail.outliers.len();
    let pool = pool.min(num_all);
    let Some(among) = tail.outliers.get_mut(..pool).filter(|it| rank < it.len()) else {
        return Cut {
            threshold: tail.pivot,
            num_at_or_beyond: num_all + tail.num_at_pivot,
            len: num_all,
        };
    };
    let (_, &mut found, _) = among.select_nth_unstable(rank);
    let threshold = found.outwardness();
    let behind = tail.outliers.iter().skip(rank + 1);
    let num_equal = behind.filter(|it| it.outwardness() == threshold).count();
    Cut {
        threshold,
        num_at_or_beyond: rank + 1 + num_equal,
        len: rank,
    }
}

impl Cut {
    /// What a cut at a smaller rank has to look at.
    pub fn pool(&self) -> usize {
        self.len + 1
    }

    /// The images that fire.
    pub fn fired<'a>(&self, tail: &'a Tail) -> impl Iterator<Item = usize> + use<'a> {
        let threshold = self.threshold;
        let near = tail.outliers.iter().take(self.len);
        near.filter(move |it| it.outwardness() < threshold)
            .map(|it: &Outlier| it.image())
    }

    /// The threshold as a value, of the positive sign's tail and of the negative sign's.
    pub fn values(high: &Self, low: &Self) -> (f32, f32) {
        (value_of(!high.threshold), value_of(low.threshold))
    }
}

/// Counts the images that fire in each set.
pub(super) fn count(fired: impl Iterator<Item = usize>, set_of_image: &[u32], counts: &mut [u32]) {
    counts.fill(0);
    for image in fired {
        let set = set_of_image.get(image).map(|&set| set as usize);
        if let Some(count) = set.and_then(|set| counts.get_mut(set)) {
            *count += 1;
        }
    }
}

/// `I` of a unit for each target, added up in `row`, and the unit's sign.
///
/// - `high`, `low`: how many images of each set fire under either sign.
/// - `share_at_or_above`: `G_i` of [`Version::PublishedCode`].
/// - `row`: a number per target, all 0; `other`: scratch of the same length.
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

/// Adds to each target the shares of its sets that fire, and to `num_fired` how many of them have any.
fn add_shares(
    rule: &Rule,
    counts: impl Iterator<Item = u32>,
    row: &mut [f64],
    mut num_fired: Option<&mut [f64]>,
) {
    for (count, set) in counts.zip(rule.sets()) {
        if let (Some((target, size)), 1..) = (set, count) {
            if let Some(sum) = row.get_mut(target) {
                *sum += f64::from(count) / size;
            }
            if let Some(num) = num_fired.as_mut().and_then(|it| it.get_mut(target)) {
                *num += 1.0;
            }
        }
    }
}

/// Leaves the row with the larger sum in `row`. Sums that differ by their rounding alone are equal.
fn better(row: &mut [f64], other: &[f64]) -> Sign {
    let (positive, negative): (f64, f64) = (row.iter().sum(), other.iter().sum());
    if negative > positive * (1.0 + SUM_ROUNDING) {
        row.copy_from_slice(other);
        return Sign::Negative;
    }
    Sign::Positive
}
