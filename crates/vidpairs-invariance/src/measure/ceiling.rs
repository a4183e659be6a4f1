//! Computes an upper bound of the score for any features on given labels.

use super::Version;
use super::rule::Rule;

/// Images that each add the same to `L` for a target.
#[derive(Debug, Clone, Copy)]
struct Gain {
    /// Increase of a unit's `L` for the target per image that fires.
    per_image: f64,
    /// Number of images.
    num: f64,
}

/// Upper bound in percent; [`TopScore::ceiling`](super::TopScore::ceiling) gives the derivation.
pub(super) fn ceiling(rule: &Rule, num_images: usize, num_units: usize, num_top: usize) -> f64 {
    let num_fired = rule.rank as f64;
    let gains = gains(rule);
    let num_slots = num_top.min(num_units) as f64;
    let budget = num_units as f64 * num_fired;
    match rule.version {
        Version::Formula => 100.0 * bound(gains, num_fired, num_slots, budget),
        Version::PublishedCode => {
            let least_share = (num_fired + 1.0) / num_images as f64;
            let bound = bound(gains, num_fired, num_slots, 2.0 * budget);
            rule.percent / least_share * bound
        }
        // Units do not compete: each can fire for the set that suits it best.
        Version::Goodfellow => 100.0 * bound(gains, num_fired, 1.0, f64::INFINITY),
    }
}

/// The gains of each target, largest first.
fn gains(rule: &Rule) -> Vec<Vec<Gain>> {
    let mut gains: Vec<Vec<Gain>> = vec![Vec::new(); rule.num_targets()];
    for (target, size) in rule.sets().flatten() {
        let of_target = &mut gains[target];
        match rule.version {
            Version::Formula => of_target.push(Gain {
                per_image: 1.0 / (rule.num_sets[target] * size),
                num: size,
            }),
            // Sets without a firing image do not count, so one set suffices; the smallest needs the fewest images.
            Version::PublishedCode | Version::Goodfellow => match of_target.first_mut() {
                Some(smallest) if smallest.num <= size => {}
                _ => {
                    *of_target = vec![Gain {
                        per_image: 1.0 / size,
                        num: size,
                    }];
                }
            },
        }
    }
    for of_target in &mut gains {
        of_target.sort_by(|a, b| b.per_image.total_cmp(&a.per_image));
    }
    gains
}

/// Upper bound of the mean over targets of the mean of `L` over `num_slots` units, if a unit fires for at most `num_fired` images and
/// all units together for at most `budget`.
fn bound(gains: Vec<Vec<Gain>>, num_fired: f64, num_slots: f64, mut budget: f64) -> f64 {
    let num_targets = gains.len() as f64;
    let mut affordable: Vec<Gain> = Vec::new();
    for of_target in gains {
        let mut left = num_fired;
        for gain in of_target {
            let num = gain.num.min(left);
            left -= num;
            affordable.push(Gain { num, ..gain });
        }
    }
    affordable.sort_by(|a, b| b.per_image.total_cmp(&a.per_image));
    let mut sum = 0.0;
    for gain in affordable {
        let num = (gain.num * num_slots).min(budget);
        budget -= num;
        sum += num * gain.per_image;
    }
    sum / (num_slots * num_targets)
}
