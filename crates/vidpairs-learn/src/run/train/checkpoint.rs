//! Writes checkpoints: the complete state of a run in one file, written whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use tch::Tensor;
use vidpairs_run::{RunError, failed};
use vidpairs_types::create_own_folder;
use vidpairs_weights::{HostTensor, Weights, write_safetensors};

use super::error::TrainError;
use crate::model::to_host;
use crate::train::Learner;

/// Folder of the checkpoints in a run.
const CHECKPOINTS: &str = "checkpoints";
/// Checkpoint with the best kNN accuracy.
const BEST: &str = "best.safetensors";
/// The trunk alone, under torchvision's names.
pub(super) const BACKBONE: &str = "backbone.safetensors";
/// Key of [`Progress`] in the metadata.
pub(super) const PROGRESS_KEY: &str = "progress";

/// Progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Number of steps taken.
    pub step: u64,
    /// Best kNN accuracy so far, 0 to 1, and its step.
    pub best_knn: Option<(f64, u64)>,
}

/// What a run wrote so far.
#[derive(Debug)]
pub(super) struct Results {
    /// Steps and files of the checkpoints, ascending.
    pub steps: Vec<(u64, PathBuf)>,
    /// Whether there is a checkpoint with the best kNN accuracy.
    pub has_best: bool,
    /// Whether there is a trunk, which is written after the first checkpoint.
    pub has_backbone: bool,
}

impl Results {
    /// Of the run in `out`.
    ///
    /// # Errors
    /// [`RunError::File`] if the folder of the checkpoints cannot be listed.
    pub fn of(out: &Path) -> Result<Self, RunError> {
        let folder = out.join(CHECKPOINTS);
        Ok(Self {
            steps: steps_in(&folder)?,
            has_best: folder.join(BEST).exists(),
            has_backbone: out.join(BACKBONE).exists(),
        })
    }
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

impl Checkpoints {
    /// Opens the checkpoints of the run in `out`, and removes unfinished ones.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn open(out: &Path, keep: u32, about: BTreeMap<String, String>) -> Result<Self, RunError> {
        let folder = out.join(CHECKPOINTS);
        let checkpoints = Self {
            run: out.to_owned(),
            folder,
            keep: keep as usize,
            about,
        };
        checkpoints.remove_parts()?;
        Ok(checkpoints)
    }

    /// Path of the checkpoint with the best kNN accuracy.
    pub fn best(&self) -> PathBuf {
        self.folder.join(BEST)
    }

    /// Path of the trunk.
    pub fn backbone(&self) -> PathBuf {
        self.run.join(BACKBONE)
    }

    /// Writes the checkpoint of `progress` and the trunk, and removes old checkpoints.
    ///
    /// # Errors
    /// [`RunError`]; earlier checkpoints stay.
    pub fn save(&self, learner: &Learner, progress: &Progress) -> Result<PathBuf, RunError> {
        let path = self.folder.join(file_name(progress.step));
        self.write(&path, learner, progress)?;
        self.write_backbone(learner, progress)?;
        self.remove_old()?;
        Ok(path)
    }

    /// Writes the checkpoint with the best kNN accuracy.
    ///
    /// # Errors
    /// [`RunError`]; the earlier one stays.
    pub fn save_best(&self, learner: &Learner, progress: &Progress) -> Result<(), RunError> {
        self.write(&self.best(), learner, progress)
    }

    /// Writes the trunk alone.
    ///
    /// # Errors
    /// [`RunError`]; the earlier one stays.
    pub fn write_backbone(&self, learner: &Learner, progress: &Progress) -> Result<(), RunError> {
        let tensors = learner.trunk().tensors().iter();
        let tensors = tensors.map(|named| (named.name.clone(), host(&named.tensor)));
        self.write_tensors(&self.backbone(), tensors.collect(), progress)
    }

    /// Removes all checkpoints but the last ones.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn remove_old(&self) -> Result<(), RunError> {
        let all = steps_in(&self.folder)?;
        let too_many = all.len().saturating_sub(self.keep);
        for (_, path) in all.into_iter().take(too_many) {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        Ok(())
    }

    /// Removes unfinished files of a killed run.
    fn remove_parts(&self) -> Result<(), RunError> {
        for path in files_in(&self.folder)? {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.starts_with('.') && name.ends_with(".part")) {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    fn write(&self, path: &Path, learner: &Learner, progress: &Progress) -> Result<(), RunError> {
        let state = learner.state();
        let tensors = state.iter();
        let tensors = tensors.map(|(name, tensor)| (name.clone(), host(tensor)));
        self.write_tensors(path, tensors.collect(), progress)
    }

    fn write_tensors(
        &self,
        path: &Path,
        mut weights: Weights,
        progress: &Progress,
    ) -> Result<(), RunError> {
        for (key, value) in &self.about {
            weights.set_metadata(key, value);
        }
        let progress = serde_json::to_string(progress).expect("numbers have a JSON form");
        weights.set_metadata(PROGRESS_KEY, progress);
        weights.seal();
        if let Some(folder) = path.parent() {
            create_own_folder(folder).map_err(failed("create", folder))?;
        }
        Ok(write_safetensors(path, &weights).map_err(TrainError::from)?)
    }
}

/// Steps and files of the checkpoints in `folder`, ascending. Files of other names are not ours.
fn steps_in(folder: &Path) -> Result<Vec<(u64, PathBuf)>, RunError> {
    let mut found = Vec::new();
    for path in files_in(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        let step = name.and_then(|name| {
            let digits = name.strip_prefix("step-")?.strip_suffix(".safetensors")?;
            let step = digits.parse().ok()?;
            (file_name(step) == name).then_some(step)
        });
        found.extend(step.map(|step| (step, path)));
    }
    found.sort();
    Ok(found)
}

/// Paths in `folder`; none if it is missing.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    use io::ErrorKind::{NotADirectory, NotFound};
    let entries = match fs::read_dir(folder) {
        Err(err) if [NotFound, NotADirectory].contains(&err.kind()) => return Ok(Vec::new()),
        entries => entries.map_err(failed("list", folder))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths
        .collect::<Result<_, _>>()
        .map_err(failed("list", folder))
}

fn file_name(step: u64) -> String {
    format!("step-{step:010}.safetensors")
}

fn host(tensor: &Tensor) -> HostTensor {
    to_host(tensor).expect("the state of a learner has numbers that weight files hold")
}
