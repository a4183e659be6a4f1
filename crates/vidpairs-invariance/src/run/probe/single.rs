//! Classifiers of images that show one class each: logistic regression and nearest neighbours.

use std::path::Path;
use std::sync::Arc;

use vidpairs_run::{Progress, RunError, Unit, Verbosity};
use vidpairs_types::ProbeLabel;

use super::divided::Divided;
use super::error::ProbeError;
use super::judge::{Judge, lost};
use super::result::RateScore;
use super::unfinished::{Stop, Unfinished};
use crate::measure::Features;
use crate::probe::folds::Folds;
use crate::probe::grid::{best, fallback};
use crate::probe::knn::{KnnBank, KnnOptions};
use crate::probe::logistic::{
    Fitting, LogisticEnd, LogisticError, LogisticOptions, LogisticProblem, LossPart,
};
use crate::probe::{Answer, Answers, LinearClassifier};
use crate::run::blocks::{BlockCrew, in_blocks};

/// Test images of a block.
const NUM_ROWS: usize = 256;

/// Answers of a classifier.
pub(super) struct Answered {
    pub answers: Answers,
    /// Probability of the first answer for each test image; empty if the classifier has none.
    pub certainty: Vec<f64>,
    /// Cost that was chosen.
    pub cost: Option<f64>,
    /// Learning rate that was chosen.
    pub learning_rate: Option<f64>,
    /// Accuracy at each learning rate.
    pub rates: Vec<RateScore>,
    pub warnings: Vec<String>,
}

/// Answers of weighted nearest neighbours.
///
/// # Errors
/// [`RunError`]: the inputs do not fit, a thread is lost, or the work was cancelled.
pub(super) fn nearest_neighbours(
    judge: &Judge<'_>,
    divided: &Divided,
    num_classes: usize,
) -> Result<Answered, RunError> {
    let num_neighbours = judge.settings.neighbours as usize;
    let options = KnnOptions {
        num_neighbours,
        temperature: judge.settings.temperature as f32,
    };
    let labels =
        |classes: &[usize]| -> Vec<u32> { classes.iter().map(|&class| class as u32).collect() };
    let (train, test) = (
        classes_of(&divided.train.labels),
        classes_of(&divided.test.labels),
    );
    let bank = KnnBank::new(&divided.train.features, &labels(&train), &options).map_err(lost)?;
    let answer = {
        let (queries, labels) = (Arc::clone(&divided.test.features), labels(&test));
        move |block: usize| bank.answers(&queries, &labels, [num_neighbours], block)
    };
    let (mut answers, mut error) = (Vec::new(), None);
    let num_blocks = KnnBank::num_blocks(test.len());
    in_blocks(
        "nearest neighbours",
        num_blocks,
        judge.crew,
        answer,
        |found| match found {
            Ok([found]) => answers.extend(found),
            Err(err) => error = Some(lost(err)),
        },
    )?;
    if let Some(err) = error {
        return Err(err);
    }
    Ok(Answered {
        answers: Answers::new(answers, &test, num_classes).map_err(lost)?,
        certainty: Vec::new(),
        cost: None,
        learning_rate: None,
        rates: Vec::new(),
        warnings: Vec::new(),
    })
}

/// Answers of logistic regression with the cost of the greatest accuracy in cross-validation.
///
/// # Errors
/// [`RunError`]: the inputs do not fit, a thread is lost, or the work was cancelled.
pub(super) fn logistic_regression(
    judge: &Judge<'_>,
    divided: &Divided,
    (num_classes, path): (usize, &Path),
) -> Result<Answered, RunError> {
    let classes = classes_of(&divided.train.labels);
    let fitter = Fitter {
        crew: judge.crew,
        num_classes,
    };
    let costs = &judge.settings.logistic_costs;
    let num_folds = judge.settings.folds as usize;
    let folds = Folds::stratified(&classes, num_folds, judge.seed("logistic"));
    let num_fits = (num_folds + 1) * costs.len();
    let unit = Unit::Things("fit");
    let mut progress = Progress::new(unit, num_fits as u64, 0, judge.crew.verbosity);
    progress.set_note("logistic regression".to_owned());
    let mut shares = vec![0.0; costs.len()];
    let mut num_validated = 0;
    let mut unfinished = Unfinished::default();
    for fold in 0..num_folds {
        let (training, held_out): (Vec<usize>, Vec<usize>) = (
            folds.training(fold).collect(),
            folds.held_out(fold).collect(),
        );
        let Some((fitted_on, of_training)) = rows(&divided.train.features, &classes, &training)
        else {
            continue;
        };
        let Some((tested_on, of_held_out)) = rows(&divided.train.features, &classes, &held_out)
        else {
            continue;
        };
        let fits = fitter.path(&fitted_on, &of_training, costs, |_| progress.advance(1))?;
        // A fold of one class or of constant units, which has nothing to tell apart.
        let Some(fits) = fits else { continue };
        num_validated += 1;
        for ((share, &cost), (classifier, end)) in shares.iter_mut().zip(costs).zip(fits) {
            let answers = classifier.answers(&tested_on, &of_held_out).map_err(lost)?;
            *share += answers.top(1, None).unwrap_or_default();
            if !end.is_converged {
                unfinished.add((None, cost), 1, end.steepness);
            }
        }
    }
    let mut warnings = Vec::new();
    // A single image of a class is held out by one fold, whose classifier cannot know the class.
    let mut of_class = vec![0u64; num_classes];
    for &class in &classes {
        of_class[class] += 1;
    }
    let num_single = of_class.iter().filter(|&&num| num == 1).count();
    let can_validate = of_class.iter().any(|&num| num > 1);
    if can_validate && num_single > 0 {
        warnings.push(format!(
            "classes with a single training image, which the cross-validation of C cannot recognise: {num_single}"
        ));
    }
    let place = match num_validated {
        _ if !can_validate => {
            warnings.push(
                "every class has a single training image, so C was not cross-validated: the C of the grid that is nearest to 1 was taken"
                    .to_owned(),
            );
            fallback(costs)
        }
        0 => {
            warnings.push(
                "too few training images for the folds, so C was not cross-validated".to_owned(),
            );
            fallback(costs)
        }
        _ => best(&shares).unwrap_or_default(),
    };
    if can_validate && num_validated > 0 && place + 1 == costs.len() && costs.len() > 1 {
        warnings.push(
            "the greatest C of the grid was chosen; a greater one may be better, so add one to probe.logistic_costs".to_owned(),
        );
    }
    // Smaller costs first: each is a start for the next.
    let chosen = costs.get(..=place).unwrap_or(costs);
    let fits = fitter.path(&divided.train.features, &classes, chosen, |_| {
        progress.advance(1)
    })?;
    let fitted = fits.and_then(|mut fits| fits.pop());
    let Some((classifier, end)) = fitted else {
        let what = match of_class.iter().filter(|&&num| num > 0).count() {
            0 | 1 => "its training images are of one class",
            _ => "every feature has the same value in all training images",
        };
        return Err(ProbeError::Unfit {
            path: path.to_owned(),
            reason: format!("{what}, so that no logistic regression can be fitted"),
        }
        .into());
    };
    if !end.is_converged {
        unfinished.add((None, costs[place]), 1, end.steepness);
    }
    let LogisticOptions {
        tolerance,
        max_iterations,
        ..
    } = LogisticOptions::default();
    warnings.extend(unfinished.regressions(&Stop {
        after: format!("at most {max_iterations} iterations"),
        gradient: "components of their gradient differ from 0 by up to",
        tolerance,
    }));
    let (answers, certainty) = answers_of(judge, divided, classifier, num_classes)?;
    Ok(Answered {
        answers,
        certainty,
        cost: costs.get(place).copied(),
        learning_rate: None,
        rates: Vec::new(),
        warnings,
    })
}

/// Answers for the test images, and the probability of each.
pub(super) fn answers_of(
    judge: &Judge<'_>,
    divided: &Divided,
    classifier: LinearClassifier,
    num_classes: usize,
) -> Result<(Answers, Vec<f64>), RunError> {
    let classes = classes_of(&divided.test.labels);
    let num_blocks = classes.len().div_ceil(NUM_ROWS);
    let answer = {
        let (features, classes) = (Arc::clone(&divided.test.features), classes.clone());
        move |block: usize| -> Result<Vec<(Answer, f64)>, String> {
            let images: Vec<usize> =
                (block * NUM_ROWS..classes.len().min((block + 1) * NUM_ROWS)).collect();
            let Some((features, classes)) = rows(&features, &classes, &images) else {
                return Ok(Vec::new());
            };
            let scores = classifier
                .scores(&features)
                .map_err(|err| err.to_string())?;
            let rows = scores.chunks_exact(num_classes).zip(classes);
            Ok(rows
                .map(|(scores, class)| (Answer::of_scores(scores, class), certainty(scores)))
                .collect())
        }
    };
    let (mut answers, mut certainty, mut error) = (Vec::new(), Vec::new(), None);
    let crew = quiet(judge.crew);
    in_blocks(
        "answers for test images",
        num_blocks,
        crew,
        answer,
        |found| match found {
            Ok(found) => {
                for (answer, probability) in found {
                    answers.push(answer);
                    certainty.push(probability);
                }
            }
            Err(reason) => error = Some(reason),
        },
    )?;
    if let Some(reason) = error {
        return Err(RunError::Lost {
            what: "the probe",
            reason,
        });
    }
    let answers = Answers::new(answers, &classes, num_classes).map_err(lost)?;
    Ok((answers, certainty))
}

/// Probability of the first answer: the greatest value of the softmax.
fn certainty(scores: &[f64]) -> f64 {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
    sum.recip()
}

/// Trains regressions.
struct Fitter<'a> {
    crew: BlockCrew<'a>,
    num_classes: usize,
}

impl Fitter<'_> {
    /// Classifiers of ascending costs, each started where the one before ended, and how their training ended; `None` if all images are of one
    /// class, or all units are constant.
    fn path(
        &self,
        features: &Arc<Features<'static>>,
        classes: &[usize],
        costs: &[f64],
        mut done: impl FnMut(usize),
    ) -> Result<Option<Vec<(LinearClassifier, LogisticEnd)>>, RunError> {
        let options = LogisticOptions::default();
        let problem = LogisticProblem::new(features, classes, self.num_classes, options);
        let problem = match problem {
            Ok(problem) => problem,
            Err(LogisticError::OneClass { .. } | LogisticError::AllConstant { .. }) => {
                return Ok(None);
            }
            Err(err) => return Err(lost(err)),
        };
        let mut last: Option<Fitting> = None;
        let mut path = Vec::new();
        for (place, &cost) in costs.iter().enumerate() {
            let problem = Arc::new(problem.with_cost(cost).map_err(lost)?);
            let start = match &last {
                Some(last) => last.after(&problem),
                None => Fitting::new(&problem),
            };
            let fitted = self.fit(&problem, start, features)?;
            let (classifier, end) = fitted.finish(&problem);
            path.push((classifier, end));
            last = Some(fitted);
            done(place);
        }
        Ok(Some(path))
    }

    fn fit(
        &self,
        problem: &Arc<LogisticProblem>,
        mut fitting: Fitting,
        features: &Arc<Features<'static>>,
    ) -> Result<Fitting, RunError> {
        while let Some(point) = fitting.point() {
            let evaluate = {
                let (problem, features) = (Arc::clone(problem), Arc::clone(features));
                let point = point.to_vec();
                move |block: usize| problem.evaluate(&features, &point, block)
            };
            let (mut sum, mut error): (Option<LossPart>, _) = (None, None);
            let crew = quiet(self.crew);
            let what = "logistic regression";
            in_blocks(what, problem.num_blocks(), crew, evaluate, |part| {
                match (part, &mut sum) {
                    (Ok(part), Some(sum)) => *sum += part,
                    (Ok(part), None) => sum = Some(part),
                    (Err(err), _) => error = Some(err),
                }
            })?;
            match (error, sum) {
                (None, Some(sum)) => fitting.tell(problem, sum),
                (Some(err), _) => return Err(lost(err)),
                (None, None) => break,
            }
        }
        Ok(fitting)
    }
}

fn quiet(crew: BlockCrew<'_>) -> BlockCrew<'_> {
    BlockCrew {
        verbosity: Verbosity::Quiet,
        ..crew
    }
}

/// The class of each image.
pub(super) fn classes_of(labels: &[ProbeLabel]) -> Vec<usize> {
    let class = |label: &ProbeLabel| match label {
        ProbeLabel::One(class) => Some(*class),
        ProbeLabel::Many { .. } | ProbeLabel::Pixels(_) => None,
    };
    labels.iter().filter_map(class).collect()
}

/// Features and classes of some images; `None` if there are none.
pub(super) fn rows(
    features: &Features<'_>,
    classes: &[usize],
    images: &[usize],
) -> Option<(Arc<Features<'static>>, Vec<usize>)> {
    let num_units = features.num_units();
    let row = |&image: &usize| &features.values()[image * num_units..][..num_units];
    let values: Vec<f32> = images.iter().flat_map(row).copied().collect();
    let features = Features::new(values, num_units).ok()?;
    let classes = images.iter().map(|&image| classes[image]).collect();
    Some((Arc::new(features), classes))
}
