//! Applies one version of the score to given labels: ranks of thresholds, targets of sets.

use super::{Labels, Version};

/// Marks a set that is left out.
const NO_TARGET: u32 = u32::MAX;

/// One version of the score for given labels.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub version: Version,
    /// Rank of the threshold among the values, counted from the outermost, from 0: at most this number of images fires.
    pub rank: usize,
    /// Nominal `G`, in percent.
    pub percent: f64,
    /// Class of each target, ascending. A version without targets has one entry, which stands for all inputs.
    pub targets: Vec<u32>,
    /// Target of each set: index into `targets`, or [`NO_TARGET`].
    target_of_set: Vec<u32>,
    /// Number of images of each set.
    pub set_sizes: Vec<f64>,
    /// Number of sets of each target.
    pub num_sets: Vec<f64>,
}

impl Rule {
    pub fn new(version: Version, labels: &Labels) -> Self {
        let num_images = labels.num_images();
        let is_used = |num_images: usize| num_images >= version.min_images();
        let mut targets: Vec<usize> = match version {
            Version::Formula => labels.sets().iter().map(|set| set.class_index).collect(),
            Version::PublishedCode => (0..labels.classes().len()).collect(),
            Version::Goodfellow => vec![0],
        };
        targets.sort_unstable();
        targets.dedup();
        let target_of_set: Vec<u32> = labels
            .sets()
            .iter()
            .map(|set| match version {
                _ if !is_used(set.num_images) => NO_TARGET,
                Version::Goodfellow => 0,
                _ => targets
                    .binary_search(&set.class_index)
                    .map_or(NO_TARGET, |target| target as u32),
            })
            .collect();
        let mut num_sets = vec![0.0; targets.len()];
        for &target in &target_of_set {
            if let Some(num) = num_sets.get_mut(target as usize) {
                *num += 1.0;
            }
        }
        let (percent, rank) = firing_rate(version, num_images, targets.len());
        let class = |index: usize| labels.classes()[index];
        Self {
            version,
            rank: rank.min(num_images - 1),
            percent,
            targets: targets.into_iter().map(class).collect(),
            target_of_set,
            set_sizes: labels
                .sets()
                .iter()
                .map(|set| set.num_images as f64)
                .collect(),
            num_sets,
        }
    }

    pub fn num_targets(&self) -> usize {
        self.targets.len()
    }

    /// Target and number of images of each set; `None` for a set that is left out.
    pub fn sets(&self) -> impl Iterator<Item = Option<(usize, f64)>> + '_ {
        let sets = self.target_of_set.iter().zip(&self.set_sizes);
        sets.map(|(&target, &size)| (target != NO_TARGET).then_some((target as usize, size)))
    }
}

/// Nominal `G` in percent, and the number of images that may fire.
fn firing_rate(version: Version, num_images: usize, num_targets: usize) -> (f64, usize) {
    match version {
        Version::Formula => (100.0 / num_targets as f64, num_images / num_targets),
        Version::PublishedCode => {
            // The authors' operations in their order: rounding decides where the exact index is a whole number.
            let quiet = ((1.0 - 1.0 / num_targets as f64) * 100.0).min(95.0);
            let index = floor_divide(num_images as f64 * quiet, 100.0) as usize;
            (100.0 - quiet, num_images - 1 - index.min(num_images - 1))
        }
        Version::Goodfellow => (1.0, (num_images / 100).max(1)),
    }
}

/// Python's `a // b` for floats that are not negative: not always the floor of the rounded quotient.
fn floor_divide(a: f64, b: f64) -> f64 {
    let quotient = (a - a % b) / b;
    let floor = quotient.floor();
    if quotient - floor > 0.5 {
        floor + 1.0
    } else {
        floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_division_of_floats_agrees_with_python() {
        // Results of CPython 3.11.
        for (a, b, expected) in [
            (1.0, 0.1, 9.0),
            (6.0, 0.1, 59.0),
            (3600.0 * 95.0, 100.0, 3420.0),
            (12.0 * ((1.0 - 1.0 / 12.0) * 100.0), 100.0, 11.0),
            (36.0 * ((1.0 - 1.0 / 12.0) * 100.0), 100.0, 32.0),
        ] {
            assert_eq!(floor_divide(a, b), expected, "{a} // {b}");
        }
    }

    #[test]
    fn the_published_rate_is_at_least_five_percent() {
        let (percent, rank) = firing_rate(Version::PublishedCode, 72_000, 1000);
        // ascending[68400] has 3599 values after it.
        assert_eq!((percent, rank), (5.0, 3599));
        let (percent, rank) = firing_rate(Version::PublishedCode, 300, 4);
        assert_eq!((percent, rank), (25.0, 74));
    }

    #[test]
    fn by_the_formula_no_more_images_fire_than_a_target_has_on_average() {
        assert_eq!(firing_rate(Version::Formula, 100, 3).1, 33);
        assert_eq!(firing_rate(Version::Goodfellow, 99, 3), (1.0, 1));
        assert_eq!(firing_rate(Version::Goodfellow, 799, 3), (1.0, 7));
    }
}
