//! Starts a run with new weights, or after the last sound checkpoint.

use std::fs;
use std::path::{Path, PathBuf};

use vidpairs_run::{RunError, counted, failed};
use vidpairs_types::with_causes;

use super::checkpoint::{BACKBONE, Checkpoints, Progress, Results};
use super::error::TrainError;
use super::folder::{Claimed, RunFile};
use super::load::Loader;
use super::restore::{Owner, Unusable};
use super::{TrainOptions, config};
use crate::train::{Learner, Schedule};

/// State at the start of a run.
#[derive(Debug)]
pub(super) struct Begin {
    pub learner: Learner,
    pub checkpoints: Checkpoints,
    pub progress: Progress,
    /// Checkpoint of `progress` and the weights; `None` for a new run.
    pub last_checkpoint: Option<PathBuf>,
    /// Best kNN accuracy and its step in the stored file, which may be later than `progress`.
    pub stored_best: Option<(f64, u64)>,
    /// Reports of damaged checkpoints and of a longer run.
    pub notes: Vec<String>,
}

impl Begin {
    /// The weights of `learner`, or the state of the last sound checkpoint in the claimed folder.
    ///
    /// # Errors
    /// [`RunError`]: a checkpoint is another run's, or none is sound; the checkpoints of a run are gone; the folder cannot be
    /// written, or is full.
    pub fn of(
        options: &TrainOptions,
        run_file: &RunFile,
        claimed: &Claimed,
        loader: &Loader,
        mut learner: Learner,
    ) -> Result<Self, RunError> {
        let TrainOptions { pipeline, out, .. } = options;
        let keep = pipeline.train.watch.keep;
        let checkpoints = Checkpoints::open(out, keep, run_file.about())
            .map_err(|err| err.named_if_full(out, "nothing yet"))?;
        let owner = Owner {
            run_file,
            total_steps: loader.total_steps(),
        };
        let results = Results::of(out)?;
        let mut notes: Vec<String> = claimed.note.iter().cloned().collect();
        let last = last_sound(out, &results, owner, &mut learner, &mut notes)?;
        let Some((progress, path)) = last else {
            let progress = match results.has_backbone {
                true => finished_without_checkpoints(out, &checkpoints, owner)?,
                false => Progress::default(),
            };
            return Ok(Self {
                learner,
                checkpoints,
                progress,
                last_checkpoint: None,
                stored_best: None,
                notes,
            });
        };
        let finished = finish_last(&checkpoints, owner, &learner, &progress);
        finished.map_err(|err| err.named_if_full(out, &counted(progress.step, "step")))?;
        let stored_best = stored_best(&checkpoints, owner, &mut notes);
        notes.extend(longer(options, claimed, loader, &progress)?);
        Ok(Self {
            learner,
            checkpoints,
            progress,
            last_checkpoint: Some(path),
            stored_best,
            notes,
        })
    }
}

/// Restores `learner` from the last sound checkpoint, and sets damaged later ones aside. `None` if there is no checkpoint.
fn last_sound(
    out: &Path,
    results: &Results,
    owner: Owner<'_>,
    learner: &mut Learner,
    notes: &mut Vec<String>,
) -> Result<Option<(Progress, PathBuf)>, RunError> {
    let mut damaged = Vec::new();
    for (step, path) in results.steps.iter().rev() {
        match owner.restore(path, *step, learner) {
            Ok(stored) => {
                for (path, err) in damaged {
                    notes.push(set_aside(path, &err, *step)?);
                }
                if !stored.is_sealed() {
                    let path = path.display();
                    notes.push(format!(
                        "{path} has no checksum, since an earlier vidpairs wrote it: changed bytes would not be noticed"
                    ));
                }
                return Ok(Some((stored.progress, path.clone())));
            }
            Err(Unusable::Damaged(err)) => damaged.push((path, err)),
            Err(refused) => return Err(refused.into()),
        }
    }
    match damaged.into_iter().next() {
        None => Ok(None),
        Some((_, newest)) => Err(TrainError::NoSoundCheckpoint {
            out: out.to_owned(),
            num_checkpoints: results.steps.len(),
            newest: Box::new(newest),
        }
        .into()),
    }
}

/// Renames a damaged checkpoint, so that it neither counts as one to keep nor is taken for a sound one.
fn set_aside(path: &Path, err: &TrainError, step: u64) -> Result<String, RunError> {
    let aside = path.with_extension("damaged");
    fs::rename(path, &aside).map_err(failed("rename", path))?;
    Ok(format!(
        "{}; it is kept as {}, and training goes on after step {step}",
        with_causes(err),
        aside.display()
    ))
}

/// Progress of a finished run of which only the results were kept.
///
/// # Errors
/// [`TrainError::NoCheckpointLeft`] if the run was not finished, or is to become longer.
fn finished_without_checkpoints(
    out: &Path,
    checkpoints: &Checkpoints,
    owner: Owner<'_>,
) -> Result<Progress, RunError> {
    let stored = owner.read(&checkpoints.backbone()).ok();
    let progress = stored.map(|stored| stored.progress);
    let is_finished = |progress: &Progress| progress.step == owner.total_steps;
    Ok(progress
        .filter(is_finished)
        .ok_or(TrainError::NoCheckpointLeft {
            out: out.to_owned(),
            found: BACKBONE.to_owned(),
        })?)
}

/// Completes the last checkpoint of a run that was killed, or found the disk full: writes its trunk and removes old checkpoints.
fn finish_last(
    checkpoints: &Checkpoints,
    owner: Owner<'_>,
    learner: &Learner,
    progress: &Progress,
) -> Result<(), RunError> {
    let stored = owner.read(&checkpoints.backbone()).ok();
    if stored.is_none_or(|stored| stored.progress != *progress) {
        checkpoints.write_backbone(learner, progress)?;
    }
    checkpoints.remove_old()
}

/// Best kNN accuracy and its step in the stored file.
fn stored_best(
    checkpoints: &Checkpoints,
    owner: Owner<'_>,
    notes: &mut Vec<String>,
) -> Option<(f64, u64)> {
    let path = checkpoints.best();
    if !path.exists() {
        return None;
    }
    match owner.read(&path) {
        Ok(stored) => stored.progress.best_knn,
        Err(Unusable::Damaged(err) | Unusable::Refused(err)) => {
            notes.push(format!(
                "{}; only a higher kNN accuracy replaces it",
                with_causes(&err)
            ));
            None
        }
    }
}

/// Report of a run that is longer than before, with the learning rates before and after the change.
fn longer(
    options: &TrainOptions,
    claimed: &Claimed,
    loader: &Loader,
    progress: &Progress,
) -> Result<Option<String>, RunError> {
    let train = &options.pipeline.train;
    let (step, epochs) = (progress.step, train.epochs);
    let Some(stored) = &claimed.stored else {
        return Ok(None);
    };
    let before = u32::try_from(stored.epochs()).unwrap_or(epochs);
    if before >= epochs {
        return Ok(None);
    }
    let schedule = config::schedule(train)?;
    let last = Schedule {
        num_epochs: before,
        milestones: stored.milestones(),
        ..schedule.clone()
    };
    let lr = |schedule: &Schedule, step| schedule.lr_at(step, loader.steps_per_epoch());
    Ok(Some(format!(
        "train.epochs was {before} and is {epochs}: the run goes on after {} of now {}; the learning rate follows the schedule of \
         {epochs} epochs from here on, so it goes from {:.3e} to {:.3e}",
        counted(step, "step"),
        loader.total_steps(),
        lr(&last, step.saturating_sub(1)),
        lr(&schedule, step)
    )))
}
