//! Words what fits that did not converge mean for a score.

use vidpairs_run::counted;
use vidpairs_types::readable;

/// Number of classes that are named; the others are counted.
const MAX_NAMED: usize = 3;

/// When training stops.
pub(super) struct Stop {
    /// Work after which it is given up.
    pub after: String,
    /// What is compared with the tolerance.
    pub gradient: &'static str,
    /// Value at which training has converged.
    pub tolerance: f64,
}

/// Fits that were given up before they converged.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    num: usize,
    costs: Vec<f64>,
    classes: Vec<usize>,
    /// Greatest value that is compared with the tolerance.
    violation: f64,
}

impl Unfinished {
    /// Adds `num` fits with a cost.
    ///
    /// - `class`: of a machine for one class.
    pub fn add(&mut self, (class, cost): (Option<usize>, f64), num: usize, violation: f64) {
        self.num += num;
        self.costs.push(cost);
        self.classes.extend(class);
        self.violation = self.violation.max(violation);
    }

    /// Warning about machines of the cross-validation, if there are any.
    ///
    /// - `classes`: names. `chosen`: classes whose chosen cost is that of such a machine.
    pub fn validations(&self, classes: &[String], chosen: &[usize], stop: &Stop) -> Option<String> {
        let effect = match chosen {
            [] => "no class has a C at which its own machines did not converge, so the score hardly depends on them".to_owned(),
            chosen => format!(
                "such a C was chosen for {}, and may not be the best",
                named(classes, chosen)
            ),
        };
        let text = format!(
            "The average precisions that choose C are inexact there; {effect}. Leave these costs out of probe.svm_costs to compare only \
             machines that converge"
        );
        self.warning(
            "support vector machine",
            " of the cross-validation",
            (classes, stop),
            &text,
        )
    }

    /// Warning about the machines that are scored, if there are any.
    ///
    /// - `classes`: names.
    pub fn fits(&self, classes: &[String], stop: &Stop) -> Option<String> {
        let text = "The average precision of these classes, and with it the score, may differ from that of the best machine in either direction. \
                    Leave these costs out of probe.svm_costs to score only machines that converge";
        self.warning("support vector machine", "", (classes, stop), text)
    }

    /// Warning about logistic regressions, if there are any.
    pub fn regressions(&self, stop: &Stop) -> Option<String> {
        let text = "The accuracies that choose C, and the score if such a C was chosen, may differ from those of the best weights in either \
                    direction. Leave these costs out of probe.logistic_costs to compare only fits that converge";
        self.warning("logistic regression", "", (&[], stop), text)
    }

    fn warning(
        &self,
        noun: &str,
        of: &str,
        (classes, stop): (&[String], &Stop),
        meaning: &str,
    ) -> Option<String> {
        let min = self.costs.iter().copied().reduce(f64::min)?;
        let max = self.costs.iter().copied().reduce(f64::max)?;
        let mut places = match min < max {
            true => format!("C {} to {}", readable(min), readable(max)),
            false => format!("C {}", readable(min)),
        };
        if !self.classes.is_empty() {
            places = format!("{places}; {}", named(classes, &self.classes));
        }
        Some(format!(
            "{}{of} did not converge ({places}). After {} {} {}, instead of at most {}. {meaning}",
            counted(self.num as u64, noun),
            stop.after,
            stop.gradient,
            readable(rounded(self.violation)),
            readable(stop.tolerance)
        ))
    }
}

/// Two digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.1e}").parse().unwrap_or(number)
}

/// `class dog`, `classes dog, cat, bird and 3 more`, in the order of the classes.
fn named(classes: &[String], of: &[usize]) -> String {
    let mut of = of.to_vec();
    of.sort_unstable();
    of.dedup();
    let first: Vec<&str> = of
        .iter()
        .take(MAX_NAMED)
        .filter_map(|&class| classes.get(class).map(String::as_str))
        .collect();
    let noun = if of.len() == 1 { "class" } else { "classes" };
    let more = match of.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{noun} {}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop() -> Stop {
        Stop {
            after: "2000 passes over the images".to_owned(),
            gradient: "their gradient varies by up to",
            tolerance: 1e-5,
        }
    }

    fn classes() -> Vec<String> {
        ["bird", "cat", "cow", "dog", "emu"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn machines_that_converged_give_no_warning() {
        let none = Unfinished::default();
        assert_eq!(none.fits(&classes(), &stop()), None);
        assert_eq!(none.validations(&classes(), &[], &stop()), None);
        assert_eq!(none.regressions(&stop()), None);
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
            unfinished.add((Some(class), cost), 2, violation);
        }
        let fits = unfinished.fits(&classes(), &stop()).unwrap();
        let start = "8 support vector machines did not converge (C 1e-7 to 1000; classes bird, cat, dog and 1 more). After 2000 passes over the \
                     images their gradient varies by up to 0.012, instead of at most 1e-5. ";
        assert!(fits.starts_with(start), "{fits}");
        assert!(
            fits.contains("may differ") && fits.contains("probe.svm_costs"),
            "{fits}"
        );
        let validations =
            |chosen: &[usize]| unfinished.validations(&classes(), chosen, &stop()).unwrap();
        assert!(
            validations(&[])
                .contains("no class has a C at which its own machines did not converge")
        );
        assert!(validations(&[4]).contains("such a C was chosen for class emu,"));
    }
}
