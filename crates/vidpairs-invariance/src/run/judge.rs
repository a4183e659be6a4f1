//! All that is said of one model on one invariance.

use std::sync::Arc;

use indicatif::HumanCount;
use vidpairs_pipeline::Measure;
use vidpairs_run::{RunError, counted};
use vidpairs_types::Seed;

use super::blocks::BlockCrew;
use super::cards::Cards;
use super::controls::controls;
use super::result::{Figure, ModelScores, TargetScore, VersionScore};
use super::retrieving::retrieve;
use super::scoring::score_features;
use super::set_interval::{Resampling, set_interval};
use super::subject::Subject;
use crate::measure::interval::{BootstrapOptions, Interval, over_classes, over_targets};
use crate::measure::retrieval::{Retrieval, RetrievalOptions, RetrievalTally};
use crate::measure::{Features, Plan, Score, ScoreOptions, TopScore, Version, Warning};

/// The version that plots and pairs show: the paper's figures are by it.
pub(super) const SHOWN: Version = Version::PublishedCode;

/// How to judge.
pub(super) struct Judge<'a> {
    /// The settings.
    pub measure: &'a Measure,
    /// Who works.
    pub crew: BlockCrew<'a>,
}

/// What was found.
pub(super) struct Judged {
    /// For the tables.
    pub scores: ModelScores,
    /// Share that retrieval finds by chance, percent.
    pub retrieval_chance: Option<f64>,
    /// Answers of retrieval.
    pub tally: RetrievalTally,
    /// What to know before trusting the figures.
    pub warnings: Vec<String>,
}

impl Judge<'_> {
    /// Scores `features`, a row for each image of `subject`.
    ///
    /// # Errors
    /// [`RunError`] if a thread is lost, something does not fit, or the work was cancelled.
    pub fn judge(
        &self,
        subject: &Subject,
        features: &Arc<Features<'static>>,
    ) -> Result<Judged, RunError> {
        let crew = self.crew;
        let options = ScoreOptions {
            versions: Version::ALL.to_vec(),
            top: self.measure.top.iter().map(|&k| k as usize).collect(),
            top_share: self.measure.goodfellow_share,
        };
        let plan = Plan::new(subject.labels.clone(), options);
        let plan = Arc::new(plan.map_err(does_not_fit)?);
        let scores = score_features(features, &plan, crew)?;
        let controls = controls(features, &plan, self.seed("controls"), crew)?;
        let mut versions = Vec::new();
        for (score, (gaussian, shuffled)) in scores
            .iter()
            .zip(controls.gaussian.iter().zip(&controls.shuffled))
        {
            for (place, top) in score.top.iter().enumerate() {
                let resampling = Resampling {
                    options: self.bootstrap(),
                    seed: self.seed("over-sets"),
                };
                let of_sets = (features, &plan, score);
                let over_sets = set_interval(of_sets, top.num_top, &resampling, crew)?;
                let control = |of: &Score| of.top.get(place).map(|top| top.mean);
                versions.push(VersionScore {
                    version: score.version.name().to_owned(),
                    k: top.num_top,
                    figure: self.over_targets_of(top),
                    interval_over_sets: over_sets.map(|it| [it.low, it.high]),
                    control_gaussian: control(gaussian),
                    control_shuffled: control(shuffled),
                    ceiling: top.ceiling,
                    firing_units: score.num_firing_units,
                    warnings: score.warnings.iter().map(ToString::to_string).collect(),
                    per_target: per_target(subject, score, top),
                });
            }
        }
        let (tally, mut warnings) = self.retrieval(subject, features)?;
        // Those of the version that is shown; each version's own are beside its score.
        for score in scores.iter().filter(|it| it.version == SHOWN) {
            let shown = score.warnings.iter().filter(|it| self.is_of_first_top(it));
            warnings.extend(shown.map(ToString::to_string));
        }
        let cards = Cards::of(subject, features, &plan, &scores).map_err(does_not_fit)?;
        Ok(Judged {
            scores: ModelScores {
                units: features.num_units(),
                rank: controls.rank,
                scores: versions,
                retrieval: tally.share().map(|share| Figure {
                    value: 100.0 * share,
                    interval: self.share_interval(&tally),
                }),
                retrieval_queries: tally.num_queries,
                images_per_second: None,
                waiting: None,
                unit_cards: cards.units,
                most: cards.most,
                least: cards.least,
            },
            retrieval_chance: tally.chance().map(|share| 100.0 * share),
            tally,
            warnings,
        })
    }

    /// Whether a warning is not one that another K repeats.
    fn is_of_first_top(&self, warning: &Warning) -> bool {
        let first = self.measure.top.first().map(|&k| k as usize);
        match warning {
            Warning::FewUnits { num_top, .. }
            | Warning::SharedUnits { num_top, .. }
            | Warning::Saturated { num_top, .. } => Some(*num_top) == first,
            _ => true,
        }
    }

    /// Where the randomness of a step starts: the same for every model, so that two are judged alike.
    pub fn seed(&self, step: &str) -> Seed {
        Seed::of_run(self.measure.seed).for_step("invariance", step)
    }

    /// How intervals are drawn.
    pub fn bootstrap(&self) -> BootstrapOptions {
        BootstrapOptions {
            num_resamples: self.measure.resamples as usize,
            ..BootstrapOptions::default()
        }
    }

    fn over_targets_of(&self, top: &TopScore) -> Figure {
        let interval = over_classes(&top.per_target, self.bootstrap(), self.seed("over-targets"));
        Figure {
            value: top.mean,
            interval: ends(interval.ok()),
        }
    }

    fn share_interval(&self, tally: &RetrievalTally) -> Option<[f64; 2]> {
        let targets = tally.targets.values().copied();
        let seed = self.seed("retrieval-targets");
        let interval = over_targets(targets, self.bootstrap(), seed).ok()?;
        Some([100.0 * interval.low, 100.0 * interval.high])
    }

    fn retrieval(
        &self,
        subject: &Subject,
        features: &Arc<Features<'static>>,
    ) -> Result<(RetrievalTally, Vec<String>), RunError> {
        let options = RetrievalOptions {
            near: subject.near,
            max_queries: self.measure.queries as usize,
        };
        let retrieval = Retrieval::new(features, &subject.retrieved, &subject.conditions, options);
        let retrieval = Arc::new(retrieval.map_err(does_not_fit)?);
        let tally = retrieve(features, &retrieval, self.crew)?;
        let mut notes = Vec::new();
        if retrieval.num_queries() < retrieval.num_images() {
            notes.push(format!(
                "retrieval asks about {} of the {}, evenly spaced; all of them are candidates",
                HumanCount(retrieval.num_queries() as u64),
                counted(retrieval.num_images() as u64, "image")
            ));
        }
        if tally.num_alone > 0 {
            notes.push(format!(
                "retrieval leaves out {}, to which no image of the same thing is far enough away",
                counted(tally.num_alone, "image")
            ));
        }
        if tally.num_zeros > 0 {
            notes.push(format!(
                "all features of {} are 0; retrieval counts them as misses",
                counted(tally.num_zeros, "image")
            ));
        }
        Ok((tally, notes))
    }
}

/// Both ends of an interval.
pub(super) fn ends(interval: Option<Interval>) -> Option<[f64; 2]> {
    interval.map(|it| [it.low, it.high])
}

/// What a step says where it was given what does not fit.
fn does_not_fit(err: impl std::error::Error) -> RunError {
    RunError::Lost {
        what: "the measure",
        reason: err.to_string(),
    }
}

fn per_target(subject: &Subject, score: &Score, top: &TopScore) -> Vec<TargetScore> {
    let targets = score.targets.iter().zip(&top.per_target);
    targets
        .map(|(&class, &score)| TargetScore {
            class,
            target: subject.target_name(class).to_owned(),
            score,
        })
        .collect()
}
