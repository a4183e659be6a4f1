//! Words what support vector machines that did not converge mean for a score.

use vidpairs_run::counted;
use vidpairs_types::readable;

/// Number of classes that are named; the others are counted.
const MAX_NAMED: usize = 3;

/// When the training of a machine stops.
pub(super) struct Stop {
    /// Passes over the images.
    pub max_epochs: usize,
    /// Range of the gradient at which it converges.
    pub tolerance: f64,
}

/// Machines that stopped before they converged.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    num: usize,
    /// Class and cost of each, without repetition.
    of: Vec<(usize, f64)>,
    /// Greatest range of the gradient.
    violation: f64,
}

impl Unfinished {
    /// Adds `num` machines of a class with a cost.
    pub fn add(&mut self, of: (usize, f64), num: usize, violation: f64) {
        self.num += num;
        self.of.push(of);
        self.violation = self.violation.max(violation);
    }

    /// Warning about machines of the cross-validation, if there are any.
    ///
    /// - `classes`: names. `chosen`: classes whose chosen cost is that of such a machine.
    pub fn validations(&self, classes: &[String], chosen: &[usize], stop: &Stop) -> Option<String> {
        let effect = match chosen {
            [] => "; no class has chosen such a C, so the score hardly depends on them".to_owned(),
            chosen => format!(
                ". Such a C was chosen for {}; {}",
                named(classes, chosen.iter().copied()),
                "it may not be the best one"
            ),
        };
        (self.num > 0).then(|| {
            format!(
                "{} of the cross-validation did not converge ({}): {}. The average precisions by which C is chosen are inexact there{effect}. \
                 Leave these costs out of probe.svm_costs to compare only machines that converge",
                counted(self.num as u64, "support vector machine"),
                self.places(classes),
                self.distance(stop)
            )
        })
    }

    /// Warning about the machines that are scored, if there are any.
    ///
    /// - `classes`: names.
    pub fn fits(&self, classes: &[String], stop: &Stop) -> Option<String> {
        (self.num > 0).then(|| {
            format!(
                "{} did not converge ({}): {}. The average precision of these classes, and with it the score, may differ from that of the \
                 best machine in either direction. Leave these costs out of probe.svm_costs to score only machines that converge",
                counted(self.num as u64, "support vector machine"),
                self.places(classes),
                self.distance(stop)
            )
        })
    }

    /// `C 100 to 1000; dog, cat and 3 more classes`.
    fn places(&self, classes: &[String]) -> String {
        let costs = || self.of.iter().map(|(_, cost)| *cost);
        let min = costs().fold(f64::INFINITY, f64::min);
        let max = costs().fold(0.0, f64::max);
        let costs = match min < max {
            true => format!("C {} to {}", readable(min), readable(max)),
            false => format!("C {}", readable(min)),
        };
        let of_classes = self.of.iter().map(|(class, _)| *class);
        format!("{costs}; {}", named(classes, of_classes))
    }

    fn distance(&self, stop: &Stop) -> String {
        format!(
            "after {} passes over the images their gradient still varies by up to {}; it has converged at {}",
            stop.max_epochs,
            readable(rounded(self.violation)),
            readable(stop.tolerance)
        )
    }
}

/// Two digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.1e}").parse().unwrap_or(number)
}

/// `dog, cat, bird and 3 more classes`, in the order of the classes.
fn named(classes: &[String], of: impl Iterator<Item = usize>) -> String {
    let mut of: Vec<usize> = of.collect();
    of.sort_unstable();
    of.dedup();
    let first: Vec<&str> = of
        .iter()
        .take(MAX_NAMED)
        .filter_map(|&class| classes.get(class).map(String::as_str))
        .collect();
    match of.len().saturating_sub(MAX_NAMED) {
        0 => first.join(", "),
        1 => format!("{} and 1 more class", first.join(", ")),
        more => format!("{} and {more} more classes", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Stop = Stop {
        max_epochs: 2000,
        tolerance: 1e-5,
    };

    fn classes() -> Vec<String> {
        ["bird", "cat", "cow", "dog", "emu"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn machines_that_converged_give_no_warning() {
        let none = Unfinished::default();
        assert_eq!(none.fits(&classes(), &STOP), None);
        assert_eq!(none.validations(&classes(), &[], &STOP), None);
    }

    #[test]
    fn many_machines_are_one_warning_with_classes_costs_and_the_distance_from_the_tolerance() {
        let mut unfinished = Unfinished::default();
        for (class, cost, violation) in [
            (3, 1000.0, 0.01234),
            (1, 100.0, 2e-3),
            (0, 100.0, 1e-3),
            (4, 1e-7, 1e-4),
        ] {
            unfinished.add((class, cost), 2, violation);
        }
        let fits = unfinished.fits(&classes(), &STOP).unwrap();
        let start = "8 support vector machines did not converge (C 1e-7 to 1000; bird, cat, dog and 1 more class): after 2000 passes over the \
                     images their gradient still varies by up to 0.012; it has converged at 1e-5. ";
        assert!(fits.starts_with(start), "{fits}");
        assert!(
            fits.contains("may differ") && fits.contains("probe.svm_costs"),
            "{fits}"
        );
        let validations =
            |chosen: &[usize]| unfinished.validations(&classes(), chosen, &STOP).unwrap();
        assert!(validations(&[]).contains("no class has chosen such a C"));
        assert!(validations(&[4]).contains("Such a C was chosen for emu;"));
    }
}
