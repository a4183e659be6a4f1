//! The highest score that any features could have on given labels.

use super::Version;
use super::rule::Rule;

/// Images that bring a target the same each.
#[derive(Debug, Clone, Copy)]
struct Gain {
    /// What one image adds to `L` of a unit for the target.
    per_image: f64,
    /// How many images.
    num: f64,
}

/// Upper bound in percent; [`TopScore::ceiling`](super::TopScore::ceiling) says how it comes about.
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
        // No unit competes with another: each can fire for the one set that suits it best.
        Version::Goodfellow => 100.0 * bound(gains, num_fired, 1.0, f64::INFINITY),
    }
}

/// Of each target, largest first.
fn gains(rule: &Rule) -> Vec<Vec<Gain>> {
    let mut gains: Vec<Vec<Gain>> = vec![Vec::new(); rule.num_targets()];
    for (target, size) in rule.sets().flatten() {
        let (Some(of_target), Some(num_sets)) = (gains.get_mut(target), rule.num_sets.get(target))
        else {
            continue;
        };
        match rule.version {
            Version::Formula => of_target.push(Gain {
                per_image: 1.0 / (num_sets * size),
                num: size,
            }),
            // Sets in which nothing fires do not count, so one set is enough; the smallest is the cheapest.
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

/// Mean over the targets of the mean over `num_slots` units of `L`, where a unit fires for `num_fired` images and all of
/// them together for `budget`.
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
