//! The folder of a run: whose it is, and what may go on in it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{
    JOURNAL_FOLDER, RunError, differences, failed, lock, nothing_foreign_in, write_whole,
};

use super::checkpoint;
use super::data::Data;
use super::error::TrainError;

/// What the run is; its being there makes a folder one of a run.
const RUN_FILE: &str = "run.json";
/// Settings that a run may go on with changed: what is written when.
const FREE_KEYS: [&str; 6] = [
    "training.train.log_steps",
    "training.train.checkpoint_steps",
    "training.train.keep",
    "training.train.knn_epochs",
    "training.train.knn_images",
    "training.train.knn_neighbours",
];

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunFile {
    /// Of the program that began the run.
    program_version: String,
    /// Settings, defaults included.
    training: Value,
    /// Of the shards.
    dataset_xxh64: String,
}

impl RunFile {
    /// That of a run by this program.
    pub fn of(pipeline: &Pipeline, data: &Data) -> Self {
        Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            training: pipeline.resolved_training(),
            dataset_xxh64: data.fingerprint.clone(),
        }
    }

    /// What to say of the run in each of its checkpoints.
    pub fn about(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("format".to_owned(), "vidpairs".to_owned()),
            ("program_version".to_owned(), self.program_version.clone()),
            ("training".to_owned(), self.training.to_string()),
            ("dataset_xxh64".to_owned(), self.dataset_xxh64.clone()),
        ])
    }

    /// Takes `out` for this run, and keeps others out while what is returned lives.
    ///
    /// # Errors
    /// [`RunError`]: `out` is no folder, holds something else or another run, or another program is at work in it.
    pub fn claim(&self, out: &Path) -> Result<File, RunError> {
        if out.exists() && !out.is_dir() {
            return Err(RunError::NotAFolder(out.to_owned()));
        }
        self.is_stored_in(out)?;
        let full = |err: RunError| err.named_if_full(out, "nothing yet");
        let claim = lock(out).map_err(full)?;
        // Once more: another run may have begun here in between.
        if !self.is_stored_in(out)? {
            let text = serde_json::to_vec_pretty(self).unwrap_or_default();
            write_whole(out, RUN_FILE, &text).map_err(full)?;
        }
        Ok(claim)
    }

    /// Whether `out` holds this run already. One that has no checkpoint yet is as good as none: whatever it was, nothing is lost.
    fn is_stored_in(&self, out: &Path) -> Result<bool, RunError> {
        let path = out.join(RUN_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                // With a journal it is ours: a run that begins now, or was killed before it could say what it is.
                if !out.join(JOURNAL_FOLDER).is_dir() {
                    nothing_foreign_in(out)?;
                }
                return Ok(false);
            }
            Err(err) => return Err(failed("read", &path)(err)),
        };
        let stored: Self = serde_json::from_slice(&bytes)
            .map_err(|err| failed("read", &path)(io::Error::other(err)))?;
        if stored == *self {
            return Ok(true);
        }
        if !checkpoint::is_any_in(out)? {
            return Ok(false);
        }
        if stored.program_version != self.program_version {
            return Err(RunError::OtherVersion {
                out: out.to_owned(),
                theirs: stored.program_version,
                ours: self.program_version.clone(),
            });
        }
        let value = |run: &Self| serde_json::to_value(run).unwrap_or_default();
        let is_free = |key: &str| FREE_KEYS.contains(&key);
        let mut differences = differences(&value(&stored), &value(self), is_free).into_iter();
        match differences.next() {
            None => Ok(true),
            Some(difference) => Err(TrainError::OtherRun {
                out: out.to_owned(),
                difference: difference.replacen("training.", "", 1),
            }
            .into()),
        }
    }
}
