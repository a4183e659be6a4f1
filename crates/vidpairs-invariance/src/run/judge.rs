//! Evaluates one model on one invariance: scores, controls, intervals, retrieval and warnings.

use std::sync::Arc;

use indicatif::HumanCount;
use vidpairs_pipeline::Measure;
use vidpairs_run::{RunError, counted};
use vidpairs_types::Seed;

use super::blocks::BlockCrew;
use super::cards::Cards;
use super::controls::controls;
use super::result::{Figure, ModelScores, SHOWN, TargetRetrieval, TargetScore, VersionScore};
use super::retrieving::retrieve;
use super::scoring::score_features;
use super::set_interval::{Resampling, known, set_interval};
use super::subject::Subject;
use crate::measure::interval::{BootstrapOptions, Interval, over_classes, over_targets};
use crate::measure::retrieval::{Retrieval, RetrievalOptions, RetrievalTally};
use crate::measure::{Features, Plan, Score, ScoreOptions, TopScore, Version, Warning};

/// Settings and threads of the evaluation.
pub(super) struct Judge<'a> {
    /// Settings of `[invariance]`.
    pub measure: &'a Measure,
    /// Worker threads.
    pub crew: BlockCrew<'a>,
}

/// Result of the evaluation.
pub(super) struct Judged {
    /// Scores of the model.
    pub scores: ModelScores,
    /// Expected retrieval accuracy when guessing, percent.
    pub retrieval_chance: Option<f64>,
    /// Counts of retrieval.
    pub tally: RetrievalTally,
    /// Warnings for the panel.
    pub warnings: Vec<String>,
}

impl Judge<'_> {
    /// Evaluates `features`, one row per image of `subject`.
    ///
    /// # Errors
    /// [`RunError`]: a thread is lost, the inputs do not fit, or the work was cancelled.
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
                versions.push(VersionScore {
                    version: score.version,
                    k: top.num_top,
                    figure: self.over_targets_of(top)?,
                    interval_over_sets: over_sets.map(ends),
                    control_gaussian: Some(gaussian.top[place].mean),
                    control_shuffled: Some(shuffled.top[place].mean),
                    ceiling: top.ceiling,
                    firing_units: score.num_firing_units,
                    warnings: score.warnings.iter().map(ToString::to_string).collect(),
                    per_target: per_target(subject, score, top),
                });
            }
        }
        let (tally, mut warnings) = self.retrieval(subject, features)?;
        // Only the warnings of the version and K that plots show. The warnings of all versions are stored with their scores.
        for score in scores.iter().filter(|score| score.version == SHOWN) {
            let shown = score
                .warnings
                .iter()
                .filter(|warning| self.is_of_first_top(warning));
            warnings.extend(shown.map(ToString::to_string));
        }
        let cards = Cards::of(subject, features, &plan, &scores).map_err(does_not_fit)?;
        Ok(Judged {
            scores: ModelScores {
                units: features.num_units(),
                rank: controls.rank,
                scores: versions,
                retrieval: self.retrieval_figure(&tally)?,
                retrieval_queries: tally.num_queries,
                retrieval_per_target: retrieval_per_target(subject, &tally),
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

    /// Whether a warning does not depend on K, or is about the first K.
    fn is_of_first_top(&self, warning: &Warning) -> bool {
        let first = self.measure.top.first().map(|&k| k as usize);
        match warning {
            Warning::FewUnits { num_top, .. }
            | Warning::SharedUnits { num_top, .. }
            | Warning::Saturated { num_top, .. } => Some(*num_top) == first,
            _ => true,
        }
    }

    /// Random seed of a step; the same for every model, so that models are treated alike.
    pub fn seed(&self, step: &str) -> Seed {
        Seed::of_run(self.measure.seed).for_step("invariance", step)
    }

    /// Options of the confidence intervals.
    pub fn bootstrap(&self) -> BootstrapOptions {
        BootstrapOptions {
            num_resamples: self.measure.resamples as usize,
            ..BootstrapOptions::default()
        }
    }

    fn over_targets_of(&self, top: &TopScore) -> Result<Figure, RunError> {
        let interval = over_classes(&top.per_target, self.bootstrap(), self.seed("over-targets"));
        Ok(Figure {
            value: top.mean,
            interval: known(interval)?.map(ends),
        })
    }

    fn retrieval_figure(&self, tally: &RetrievalTally) -> Result<Option<Figure>, RunError> {
        let Some(share) = tally.share() else {
            return Ok(None);
        };
        let targets = tally.targets.values().copied();
        let interval = over_targets(targets, self.bootstrap(), self.seed("retrieval-targets"));
        Ok(Some(Figure {
            value: 100.0 * share,
            interval: known(interval)?.map(|interval| ends(interval).map(|end| 100.0 * end)),
        }))
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
        let mut warnings = Vec::new();
        if retrieval.num_queries() < retrieval.num_images() {
            warnings.push(format!(
                "retrieval uses {} of the {} as queries, evenly spaced, and all as candidates",
                HumanCount(retrieval.num_queries() as u64),
                counted(retrieval.num_images() as u64, "image")
            ));
        }
        if tally.num_alone > 0 {
            warnings.push(format!(
                "retrieval leaves out {} without an image of the same target that is far enough away",
                counted(tally.num_alone, "query image")
            ));
        }
        if tally.num_zeros > 0 {
            warnings.push(format!(
                "all features of {} are 0; retrieval counts them as misses",
                counted(tally.num_zeros, "query image")
            ));
        }
        Ok((tally, warnings))
    }
}

fn ends(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

/// The error of a step whose inputs do not fit each other.
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

fn retrieval_per_target(subject: &Subject, tally: &RetrievalTally) -> Vec<TargetRetrieval> {
    let targets = tally.targets.iter();
    targets
        .map(|(&number, target)| TargetRetrieval {
            target: subject.retrieved_name(number).to_owned(),
            queries: target.num_queries,
            found: target.num_found,
        })
        .collect()
}
