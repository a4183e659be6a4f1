//! Fits a support vector machine for each class, and ranks the test images by them.

use std::sync::Arc;

use vidpairs_run::{RunError, counted};

use super::cards::{BestAndWorst, Candidates};
use super::divided::Divided;
use super::judge::{Judge, lost};
use super::subject::Subject;
use super::unfinished::{Stop, Unfinished};
use crate::measure::Features;
use crate::probe::precision::Ranking;
use crate::probe::svm::{CostChoice, CostChoices, CostSource, FittedSvm, SvmOptions, SvmSearch};
use crate::probe::{Truth, Truths};
use crate::run::blocks::in_blocks;

/// Machines of all classes.
pub(super) struct Machines {
    /// Cost of each class; `None` for a class without a machine.
    pub classes: Vec<Option<f64>>,
    /// Ranking of the test images by each class; `None` for a class without a machine.
    pub rankings: Vec<Option<Ranking>>,
    pub cards: BestAndWorst,
    pub warnings: Vec<String>,
}

/// Chooses the costs, fits the machines on the training images, and ranks the test images.
///
/// # Errors
/// [`RunError`]: the inputs do not fit, a thread is lost, or the work was cancelled.
pub(super) fn machines(
    judge: &Judge<'_>,
    subject: &Subject,
    divided: &Divided,
) -> Result<Machines, RunError> {
    let num_classes = subject.classes.len();
    let options = SvmOptions {
        costs: judge.settings.svm_costs.clone(),
        num_folds: judge.settings.folds as usize,
        positive_weight: judge.settings.positive_weight,
        ..SvmOptions::vissl()
    };
    let stop = Stop {
        after: format!("{} passes over the images", options.max_epochs),
        gradient: "their gradient varies by up to",
        tolerance: options.tolerance,
    };
    let [(train, zero_train), (test, zero_test)] =
        [&divided.train, &divided.test].map(|part| part.unit());
    let truths = Truths::new(&divided.train.labels, num_classes).map_err(lost)?;
    let search = SvmSearch::new(&train, truths, options, judge.seed("svm"));
    let search = Arc::new(search.map_err(lost)?);
    let choices = choices(judge, &train, &search)?;
    let test_truths = Truths::new(&divided.test.labels, num_classes).map_err(lost)?;
    let fit = {
        let (search, costs) = (Arc::clone(&search), choices.per_class.clone());
        move |class: usize| {
            let fitted = search.fit(&train, class, costs[class].cost)?;
            Ok(fitted.map(|fitted: FittedSvm| (fitted.svm.decide_all(&test), fitted.convergence)))
        }
    };
    let mut found = Machines {
        classes: Vec::new(),
        rankings: Vec::new(),
        cards: BestAndWorst::default(),
        warnings: Vec::new(),
    };
    let mut candidates = Candidates::default();
    let mut error = None;
    let mut unfinished = Unfinished::default();
    let what = "machines of classes";
    in_blocks(what, num_classes, judge.crew, fit, |fitted| {
        let class = found.classes.len();
        let fitted = fitted.unwrap_or_else(|err| {
            error = Some(lost::<crate::probe::svm::SvmError>(err));
            None
        });
        found
            .classes
            .push((fitted.as_ref()).map(|_| choices.per_class[class].cost));
        let ranking = fitted.and_then(|(decisions, convergence)| {
            if !convergence.is_converged {
                let cost = choices.per_class[class].cost;
                unfinished.add((Some(class), cost), 1, convergence.violation);
            }
            let truths = test_truths.of_class(class);
            // Nothing can be ranked before or behind the positives.
            if !truths.contains(&Truth::Negative) {
                return None;
            }
            candidates.take_class(class, &decisions, truths);
            Some(Ranking::new(&decisions, truths))
        });
        found
            .rankings
            .push(ranking.and_then(|ranking| ranking.map_err(|err| error = Some(lost(err))).ok()));
    })?;
    if let Some(err) = error {
        return Err(err);
    }
    let classes = subject.classes.as_slice();
    found.warnings = warnings_of(&choices, (classes, &divided.train_counts), &stop);
    if zero_train + zero_test > 0 {
        let images = counted((zero_train + zero_test) as u64, "image");
        found
            .warnings
            .push(format!("all features are 0 in {images}"));
    }
    found.warnings.extend(unfinished.fits(classes, &stop));
    found.cards = candidates.finish(subject, &divided.test.images);
    Ok(found)
}

/// Cross-validates the costs.
fn choices(
    judge: &Judge<'_>,
    features: &Arc<Features<'static>>,
    search: &Arc<SvmSearch>,
) -> Result<CostChoices, RunError> {
    let validate = {
        let (search, features) = (Arc::clone(search), Arc::clone(features));
        move |block: usize| search.validate(&features, block)
    };
    let (mut choosing, mut error) = (search.choosing(), None);
    let what = "cross-validation of the cost";
    in_blocks(
        what,
        search.num_blocks(),
        judge.crew,
        validate,
        |scores| match scores {
            Ok(scores) => choosing.take(scores),
            Err(err) => error = Some(lost(err)),
        },
    )?;
    match error {
        Some(err) => Err(err),
        None => Ok(choosing.finish()),
    }
}

/// Reasons to doubt the choice of the costs.
///
/// - `classes`: name and number of positive training images of each class; a class without one has no machine.
fn warnings_of(
    choices: &CostChoices,
    (classes, positives): (&[String], &[usize]),
    stop: &Stop,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let with_machine = || {
        let classes = choices.per_class.iter().zip(positives).enumerate();
        classes.filter_map(|(class, (choice, &num))| (num > 0).then_some((class, choice)))
    };
    let num = |is_so: &dyn Fn(&CostChoice) -> bool| {
        with_machine().filter(|(_, choice)| is_so(choice)).count()
    };
    let mut unfinished = Unfinished::default();
    let mut chosen = Vec::new();
    for (class, choice) in with_machine() {
        let costs = choices.costs.iter().zip(&choice.num_not_converged);
        for ((&cost, &num), &violation) in costs.zip(&choice.violations) {
            if num > 0 {
                unfinished.add((Some(class), cost), num, violation);
                if cost == choice.cost {
                    chosen.push(class);
                }
            }
        }
    }
    warnings.extend(unfinished.validations(classes, &chosen, stop));
    let others = num(&|choice| choice.source != CostSource::Validated);
    if others > 0 {
        warnings.push(format!(
            "fewer positive or negative training images than folds in {others} of the classes, which have a C that was not cross-validated on \
             them"
        ));
    }
    let greatest = choices.costs.last().copied();
    let at_end =
        num(&|choice| choice.source == CostSource::Validated && Some(choice.cost) == greatest);
    if at_end > 0 && choices.costs.len() > 1 {
        warnings.push(format!(
            "the greatest C of the grid was chosen for {at_end} of the classes; a greater one may be better, so add one to probe.svm_costs"
        ));
    }
    warnings
}
