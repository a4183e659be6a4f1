//! Reads the files of a run back, and refuses those that are damaged or of another run.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;
use vidpairs_run::RunError;
use vidpairs_weights::{CHECKSUM_KEY, Weights, WeightsError, read_weights};

use super::checkpoint::{PROGRESS_KEY, Progress};
use super::error::TrainError;
use super::folder::RunFile;
use crate::model::from_host;
use crate::train::Learner;

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// Its bytes are not those that were written. An earlier checkpoint may be sound.
    Damaged(TrainError),
    /// It is of another run, or cannot be read now.
    Refused(TrainError),
}

impl From<Unusable> for RunError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Damaged(err) | Unusable::Refused(err) => err.into(),
        }
    }
}

/// A file that this run wrote: a checkpoint, or the trunk.
#[derive(Debug)]
pub(super) struct Stored {
    weights: Weights,
    /// Progress of the run when it was written.
    pub progress: Progress,
}

/// The run whose files are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub run_file: &'a RunFile,
    /// Number of steps of the whole run.
    pub total_steps: u64,
}

impl Owner<'_> {
    /// Reads a file of this run, and checks its bytes, settings and progress.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn read(&self, path: &Path) -> Result<Stored, Unusable> {
        let weights = read_weights(path).map_err(unreadable)?;
        let no_checkpoint = |problem: String| TrainError::NoCheckpoint {
            path: path.to_owned(),
            problem,
        };
        let Some((theirs, mut others)) = RunFile::from_about(weights.metadata()) else {
            let problem = "its metadata lack the settings of the run".to_owned();
            return Err(Unusable::Refused(no_checkpoint(problem)));
        };
        let progress = others.remove(PROGRESS_KEY);
        let progress = progress.and_then(|text| serde_json::from_str::<Progress>(&text).ok());
        let Some(progress) = progress else {
            let problem = "its metadata lack the number of steps taken".to_owned();
            return Err(Unusable::Refused(no_checkpoint(problem)));
        };
        others.remove(CHECKSUM_KEY);
        if let Some(key) = others.keys().next() {
            let err = no_checkpoint(format!("its metadata have the unknown key {key}"));
            // Perhaps it is the key of the checksum, with a flipped bit.
            return Err(match weights.is_sealed() {
                true => Unusable::Refused(err),
                false => Unusable::Damaged(err),
            });
        }
        if let Some(difference) = self.run_file.difference(&theirs) {
            return Err(Unusable::Refused(TrainError::OtherRun {
                path: path.to_owned(),
                difference,
            }));
        }
        let steps = ..=self.total_steps;
        let has_best =
            |(knn, step): (f64, u64)| (0.0..=1.0).contains(&knn) && step <= progress.step;
        if !steps.contains(&progress.step) || !progress.best_knn.is_none_or(has_best) {
            let total = self.total_steps;
            let problem =
                format!("its progress {progress:?} is impossible in a run of {total} steps");
            return Err(Unusable::Refused(no_checkpoint(problem)));
        }
        Ok(Stored { weights, progress })
    }

    /// Restores `learner` from the checkpoint at `path`, which is named after `step`.
    ///
    /// # Errors
    /// [`Unusable`]; the state of the learner is then of no use.
    pub fn restore(
        &self,
        path: &Path,
        step: u64,
        learner: &mut Learner,
    ) -> Result<Stored, Unusable> {
        let stored = self.read(path)?;
        if stored.progress.step != step {
            return Err(Unusable::Refused(TrainError::NoCheckpoint {
                path: path.to_owned(),
                problem: format!("it was written after {} steps", stored.progress.step),
            }));
        }
        learner.restore(&stored.tensors()).map_err(|source| {
            Unusable::Refused(TrainError::OtherModel {
                path: path.to_owned(),
                source,
            })
        })?;
        if let Some(name) = learner.first_not_finite() {
            let err = WeightsError::NotFinite { name }.in_file(path);
            return Err(Unusable::Damaged(err.into()));
        }
        Ok(stored)
    }
}

impl Stored {
    /// Whether the file has a checksum, which matched.
    pub fn is_sealed(&self) -> bool {
        self.weights.is_sealed()
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let tensors = self.weights.iter();
        let tensors = tensors.map(|(name, tensor)| (name.to_owned(), from_host(tensor)));
        tensors.collect()
    }
}

/// A file that cannot be read at all may be sound: another try may do.
fn unreadable(err: WeightsError) -> Unusable {
    let is_lasting = match &err {
        WeightsError::File { source, .. } => !matches!(**source, WeightsError::Read(_)),
        _ => true,
    };
    match is_lasting {
        true => Unusable::Damaged(err.into()),
        false => Unusable::Refused(err.into()),
    }
}
