//! Fits one classifier on the features of one model, and tests it.

use std::path::Path;
use std::sync::Arc;

use vidpairs_pipeline::{Probe, ProbeName};
use vidpairs_run::RunError;
use vidpairs_types::{ProbeLabel, Seed};

use super::cards::cards_of_answers;
use super::divided::Divided;
use super::error::ProbeError;
use super::linear::Sweep;
use super::result::{ClassScore, Confusion, ProbeScores};
use super::single::{self, Answered};
use super::subject::Subject;
use super::svm;
use crate::measure::interval::BootstrapOptions;
use crate::probe::Answers;
use crate::probe::precision::{ApKind, MeanAp, Ranking};
use crate::probe::segmentation::{ImagePixels, PixelSums};
use crate::run::Figure;
use crate::run::blocks::BlockCrew;
use crate::run::image_interval::{Photographs, figure_over_images};

/// Number of answers among which a class counts as found, beside the first.
const TOP: usize = 5;

/// Settings and threads.
pub(super) struct Judge<'a> {
    /// Settings of `[probe]`.
    pub settings: &'a Probe,
    /// Worker threads.
    pub crew: BlockCrew<'a>,
}

/// Result of a classifier.
pub(super) struct Judged {
    pub scores: ProbeScores,
    /// Answers, from which differences of models are computed.
    pub outcome: Arc<Outcome>,
    /// Test images, as indices in the subject.
    pub test_images: Vec<usize>,
    /// Photographs that they come from.
    pub photographs: Photographs,
    /// Expected score when guessing, percent.
    pub chance: Option<f64>,
}

/// Answers for the test images, of which figures of resamples can be computed.
pub(super) enum Outcome {
    /// The ranking of each class; `None` for a class that is not scored.
    Rankings(Vec<Option<Ranking>>),
    /// The answer for each image.
    Answers(Answers),
    /// The pixels of each image, and the number of classes.
    Pixels(Arc<Vec<ImagePixels>>, usize),
}

impl Outcome {
    /// The score of a resample, 0 to 1.
    pub fn score(&self, counts: &[u32]) -> Option<f64> {
        match self {
            Self::Rankings(rankings) => MeanAp::of(rankings, ApKind::Envelope, Some(counts)).mean,
            Self::Answers(answers) => answers.top(1, Some(counts)),
            Self::Pixels(images, num_classes) => {
                PixelSums::of(images.iter(), Some(counts), *num_classes).mean_iou()
            }
        }
    }

    /// The top-5 accuracy of a resample, 0 to 1; `None` for rankings and pixels.
    pub fn top5(&self, counts: &[u32]) -> Option<f64> {
        match self {
            Self::Rankings(_) | Self::Pixels(..) => None,
            Self::Answers(answers) => answers.top(TOP, Some(counts)),
        }
    }
}

/// [`Outcome::score`] of `outcome`.
fn score_of(outcome: &Arc<Outcome>) -> impl Fn(&[u32]) -> Option<f64> + Send + Sync + 'static {
    let outcome = Arc::clone(outcome);
    move |counts| outcome.score(counts)
}

/// [`Outcome::top5`] of `outcome`.
fn top5_of(outcome: &Arc<Outcome>) -> impl Fn(&[u32]) -> Option<f64> + Send + Sync + 'static {
    let outcome = Arc::clone(outcome);
    move |counts| outcome.top5(counts)
}

impl Judge<'_> {
    /// Fits and tests `probe`.
    ///
    /// - `path`: data set or features, for errors. `sweep`: trained linear classifiers, and the index of the stage.
    ///
    /// # Errors
    /// [`RunError`]: a thread is lost, the inputs do not fit, or the work was cancelled.
    pub fn judge(
        &self,
        probe: ProbeName,
        subject: &Subject,
        divided: &Divided,
        (path, sweep): (&Path, Option<(&Sweep, usize)>),
    ) -> Result<Judged, RunError> {
        let num_classes = subject.classes.len();
        match probe {
            ProbeName::Svm => self.scored(subject, divided, by_rankings(self, subject, divided)?),
            // Refused before any work: these images have no class for each pixel.
            ProbeName::Segmentation => Err(labels_error(probe, subject, path).into()),
            ProbeName::Linear => {
                let (sweep, stage) = sweep.ok_or_else(|| ProbeError::NeedsImages {
                    path: path.to_owned(),
                })?;
                let answered = sweep.answers(stage, self, divided, (num_classes, path))?;
                self.scored(subject, divided, by_answers(subject, divided, answered))
            }
            ProbeName::Logistic => {
                let answered = single::logistic_regression(self, divided, (num_classes, path))?;
                self.scored(subject, divided, by_answers(subject, divided, answered))
            }
            ProbeName::Knn => {
                let answered = single::nearest_neighbours(self, divided, num_classes)?;
                self.scored(subject, divided, by_answers(subject, divided, answered))
            }
        }
    }

    /// Scores and intervals of what a classifier found.
    fn scored(
        &self,
        subject: &Subject,
        divided: &Divided,
        found: Found,
    ) -> Result<Judged, RunError> {
        let outcome = Arc::new(found.outcome);
        let score = self.figure(&divided.photographs, score_of(&outcome))?;
        let top5 = match subject.classes.len() > TOP {
            true => self.figure(&divided.photographs, top5_of(&outcome))?,
            false => None,
        };
        let classes = subject.classes.iter().zip(found.per_class).enumerate();
        let per_class = classes.map(|(class, (name, (score, cost)))| ClassScore {
            class: name.clone(),
            score: score.map(|share| 100.0 * share),
            train_images: divided.train_counts[class],
            test_images: divided.test_counts[class],
            cost,
        });
        Ok(Judged {
            scores: ProbeScores {
                units: divided.units,
                score: score.unwrap_or_default(),
                top5,
                per_class: per_class.collect(),
                ..found.scores
            },
            outcome,
            test_images: divided.test.images.clone(),
            photographs: divided.photographs.clone(),
            chance: found.chance,
        })
    }

    /// A figure of the test images in percent, with its interval; `None` if it is undefined.
    ///
    /// - `figure`: the figure, 0 to 1, from the number of times that each image is there.
    ///
    /// The resamples of the same photographs are the same, so that differences of models are paired.
    ///
    /// # Errors
    /// [`RunError`]: a thread is lost, or the work was cancelled.
    pub fn figure(
        &self,
        photographs: &Photographs,
        figure: impl Fn(&[u32]) -> Option<f64> + Send + Sync + 'static,
    ) -> Result<Option<Figure>, RunError> {
        let options = BootstrapOptions {
            num_resamples: self.settings.resamples as usize,
            ..BootstrapOptions::default()
        };
        figure_over_images(
            photographs,
            options,
            self.seed("over-images"),
            self.crew,
            move |counts| figure(counts).map(|share| 100.0 * share),
        )
    }

    /// Random seed of a step; the same for every model, so that models are treated alike.
    pub fn seed(&self, step: &str) -> Seed {
        Seed::of_run(self.settings.seed).for_step("probe", step)
    }
}

/// What a classifier found on the test images.
struct Found {
    outcome: Outcome,
    /// Score of each class, 0 to 1, and its cost, if each class has its own.
    per_class: Vec<(Option<f64>, Option<f64>)>,
    /// Expected score when guessing, percent.
    chance: Option<f64>,
    /// Cards, warnings, and what was chosen; the scores are not yet set.
    scores: ProbeScores,
}

/// Accuracy of answers.
fn by_answers(subject: &Subject, divided: &Divided, answered: Answered) -> Found {
    let Answered {
        answers,
        certainty,
        cost,
        learning_rate,
        rates,
        warnings,
    } = answered;
    let most = divided.test_counts.iter().copied().max().unwrap_or(0);
    let [best, worst] = cards_of_answers(&answers, &certainty, subject, &divided.test.images);
    let counts = answers.confusion().into_iter().enumerate();
    let counts = counts.flat_map(|(truth, row)| {
        let row = row.into_iter().enumerate().filter(|(_, num)| *num > 0);
        row.map(move |(answer, num)| (truth, answer, num as usize))
    });
    Found {
        scores: ProbeScores {
            cost,
            learning_rate,
            rates,
            confusion: Some(Confusion {
                counts: counts.collect(),
            }),
            warnings,
            best,
            worst,
            ..ProbeScores::default()
        },
        per_class: (answers.per_class().into_iter())
            .map(|share| (share, None))
            .collect(),
        chance: Some(100.0 * most as f64 / divided.test.images.len() as f64),
        outcome: Outcome::Answers(answers),
    }
}

/// Average precision of support vector machines.
fn by_rankings(judge: &Judge<'_>, subject: &Subject, divided: &Divided) -> Result<Found, RunError> {
    let svm::Machines {
        classes,
        rankings,
        cards: [best, worst],
        warnings,
    } = svm::machines(judge, subject, divided)?;
    let aps = MeanAp::of(&rankings, ApKind::Envelope, None).per_class;
    let mut num_counted = vec![divided.test.images.len(); aps.len()];
    for label in &divided.test.labels {
        if let ProbeLabel::Many { ignored, .. } = label {
            ignored.iter().for_each(|&class| num_counted[class] -= 1);
        }
    }
    let positives = aps.iter().zip(divided.test_counts.iter().zip(num_counted));
    let shares: Vec<f64> = positives
        .filter(|(ap, _)| ap.is_some())
        .map(|(_, (&num, of))| 100.0 * num as f64 / of as f64)
        .collect();
    let chance = shares.iter().sum::<f64>() / shares.len() as f64;
    Ok(Found {
        outcome: Outcome::Rankings(rankings),
        per_class: aps.into_iter().zip(classes).collect(),
        chance: Some(chance).filter(|chance| chance.is_finite()),
        scores: ProbeScores {
            warnings,
            best,
            worst,
            ..ProbeScores::default()
        },
    })
}

/// The error of a classifier that does not fit the labels of `subject`.
pub(super) fn labels_error(probe: ProbeName, subject: &Subject, path: &Path) -> ProbeError {
    let (labels, expected) = match (subject.has_pixels(), subject.has_many()) {
        (true, _) => ("a class for each pixel", "[\"segmentation\"]"),
        (false, true) => ("several classes each", "[\"svm\"]"),
        (false, false) => (
            "one class each",
            "a list of \"svm\", \"linear\", \"logistic\" or \"knn\"",
        ),
    };
    ProbeError::Labels {
        probe: probe.name(),
        path: path.to_owned(),
        labels,
        expected,
    }
}

/// The error of a step whose inputs do not fit each other.
pub(super) fn lost<E: std::error::Error>(err: E) -> RunError {
    RunError::Lost {
        what: "the probe",
        reason: err.to_string(),
    }
}
