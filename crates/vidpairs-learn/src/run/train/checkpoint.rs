//! Writes and reads checkpoints: the complete state of a run in one file, written whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use tch::Tensor;
use vidpairs_run::{RunError, failed};
use vidpairs_types::create_own_folder;
use vidpairs_weights::{HostTensor, Weights, read_weights, write_safetensors};

use super::error::TrainError;
use crate::model::{from_host, to_host};
use crate::train::Learner;

/// Folder of the checkpoints in a run.
const CHECKPOINTS: &str = "checkpoints";
/// Checkpoint with the best kNN accuracy.
const BEST: &str = "best.safetensors";
/// The trunk alone, under torchvision's names.
pub(super) const BACKBONE: &str = "backbone.safetensors";
/// Key of [`Progress`] in the metadata.
const PROGRESS_KEY: &str = "progress";

/// Progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Number of steps taken.
    pub step: u64,
    /// Best kNN accuracy so far, 0 to 1, and its step.
    pub best_knn: Option<(f64, u64)>,
}

/// The checkpoints of a run.
#[derive(Debug)]
pub(super) struct Checkpoints {
    run: PathBuf,
    folder: PathBuf,
    /// Number of checkpoints to keep.
    keep: usize,
    /// Metadata of each: version, settings, data set.
    about: BTreeMap<String, String>,
}

/// Whether the run in `out` has a checkpoint.
///
/// # Errors
/// [`RunError::File`] if the folder cannot be listed.
pub(super) fn is_any_in(out: &Path) -> Result<bool, RunError> {
    let folder = out.join(CHECKPOINTS);
    let mut entries = match fs::read_dir(&folder) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries.map_err(failed("list", &folder))?,
    };
    Ok(entries.any(|entry| {
        entry.is_ok_and(|entry| entry.path().extension() == Some("safetensors".as_ref()))
    }))
}

impl Checkpoints {
    /// Opens the checkpoints of the run in `out`; the folder is created if it is missing.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn open(out: &Path, keep: u32, about: BTreeMap<String, String>) -> Result<Self, RunError> {
        let folder = out.join(CHECKPOINTS);
        create_own_folder(&folder).map_err(failed("create", &folder))?;
        let checkpoints = Self {
            run: out.to_owned(),
            folder,
            keep: keep as usize,
            about,
        };
        checkpoints.remove_parts()?;
        Ok(checkpoints)
    }

    /// Step and file of the last checkpoint.
    ///
    /// # Errors
    /// [`RunError::File`] if the folder cannot be listed.
    pub fn last(&self) -> Result<Option<(u64, PathBuf)>, RunError> {
        Ok(self.all()?.pop())
    }

    /// Writes the checkpoint of `progress` and the trunk, and removes old checkpoints.
    ///
    /// # Errors
    /// [`RunError`]; earlier checkpoints stay.
    pub fn save(&self, learner: &Learner, progress: &Progress) -> Result<PathBuf, RunError> {
        let path = self.folder.join(file_name(progress.step));
        self.write(&path, learner, progress)?;
        write_safetensors(&self.run.join(BACKBONE), &self.backbone(learner, progress))
            .map_err(TrainError::from)?;
        self.remove_old()?;
        Ok(path)
    }

    /// Completes the last checkpoint of a run that was killed, or found the disk full: writes its trunk and removes old checkpoints.
    ///
    /// # Errors
    /// [`RunError`]; the checkpoints stay.
    pub fn finish_last(&self, learner: &Learner, progress: &Progress) -> Result<(), RunError> {
        let path = self.run.join(BACKBONE);
        let stored = read_weights(&path).ok();
        let stored = stored.and_then(|stored| progress_of(&stored));
        if stored.as_ref() != Some(progress) {
            write_safetensors(&path, &self.backbone(learner, progress))
                .map_err(TrainError::from)?;
        }
        self.remove_old()
    }

    fn remove_old(&self) -> Result<(), RunError> {
        let all = self.all()?;
        let too_many = all.len().saturating_sub(self.keep);
        for (_, path) in all.into_iter().take(too_many) {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        Ok(())
    }

    /// Removes unfinished files of a killed run.
    fn remove_parts(&self) -> Result<(), RunError> {
        let entries = fs::read_dir(&self.folder).map_err(failed("list", &self.folder))?;
        for entry in entries {
            let path = entry.map_err(failed("list", &self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.starts_with('.') && name.ends_with(".part")) {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Writes the checkpoint with the best kNN accuracy.
    ///
    /// # Errors
    /// [`RunError`]; the earlier one stays.
    pub fn save_best(&self, learner: &Learner, progress: &Progress) -> Result<(), RunError> {
        self.write(&self.folder.join(BEST), learner, progress)
    }

    /// Restores `learner` from the checkpoint at `path`.
    ///
    /// # Errors
    /// [`RunError`] if it cannot be read or belongs to another model.
    pub fn restore(path: &Path, learner: &mut Learner) -> Result<Progress, RunError> {
        let weights = read_weights(path).map_err(TrainError::from)?;
        let progress = progress_of(&weights).ok_or_else(|| TrainError::NoCheckpoint {
            path: path.to_owned(),
            what: "how far the run was",
        })?;
        let state = weights
            .iter()
            .map(|(name, tensor)| (name.to_owned(), from_host(tensor)))
            .collect();
        learner
            .restore(&state)
            .map_err(|source| TrainError::OtherModel {
                path: path.to_owned(),
                source,
            })?;
        Ok(progress)
    }

    fn write(&self, path: &Path, learner: &Learner, progress: &Progress) -> Result<(), RunError> {
        let state = learner.state();
        let tensors = state
            .iter()
            .map(|(name, tensor)| (name.clone(), host(tensor)));
        let mut weights: Weights = tensors.collect();
        self.describe(&mut weights, progress);
        Ok(write_safetensors(path, &weights).map_err(TrainError::from)?)
    }

    fn backbone(&self, learner: &Learner, progress: &Progress) -> Weights {
        let tensors = learner.trunk().tensors().iter();
        let tensors = tensors.map(|named| (named.name.clone(), host(&named.tensor)));
        let mut weights: Weights = tensors.collect();
        self.describe(&mut weights, progress);
        weights
    }

    fn describe(&self, weights: &mut Weights, progress: &Progress) {
        for (key, value) in &self.about {
            weights.set_metadata(key, value);
        }
        let progress = serde_json::to_string(progress).expect("numbers have a JSON form");
        weights.set_metadata(PROGRESS_KEY, progress);
    }

    /// Steps and files, ascending.
    fn all(&self) -> Result<Vec<(u64, PathBuf)>, RunError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("list", &self.folder))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("list", &self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let step = name.and_then(|name| {
                let digits = name.strip_prefix("step-")?.strip_suffix(".safetensors")?;
                digits.parse().ok()
            });
            found.extend(step.map(|step| (step, path)));
        }
        found.sort();
        Ok(found)
    }
}

fn progress_of(weights: &Weights) -> Option<Progress> {
    serde_json::from_str(weights.metadata().get(PROGRESS_KEY)?).ok()
}

fn file_name(step: u64) -> String {
    format!("step-{step:010}.safetensors")
}

fn host(tensor: &Tensor) -> HostTensor {
    to_host(tensor).expect("the state of a learner has numbers that weight files hold")
}
