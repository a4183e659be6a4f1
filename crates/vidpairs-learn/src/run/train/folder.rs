//! The output folder of a training run.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{OutFolder, RunError, failed, same_run};
use vidpairs_types::read_regular;

use super::checkpoint;
use super::data::Data;

/// What the command writes, for errors.
const WHAT: &str = "a training run";
/// File with the settings of the run.
const RUN_FILE: &str = "run.json";
/// Largest such file, bytes.
const MAX_RUN_BYTES: u64 = 16 << 20;
/// Settings that may differ when a run is resumed: they only control what is logged and saved.
const FREE_KEYS: [&str; 6] = [
    "train.log_steps",
    "train.checkpoint_steps",
    "train.keep",
    "train.knn_epochs",
    "train.knn_images",
    "train.knn_neighbours",
];

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunFile {
    /// Version of the program that started the run.
    program_version: String,
    /// Settings, defaults included.
    training: Value,
    /// Checksum of the manifest of the shards.
    dataset_xxh64: String,
}

impl RunFile {
    /// Settings of a run by this program.
    pub fn of(pipeline: &Pipeline, data: &Data) -> Self {
        Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            training: pipeline.resolved_training(),
            dataset_xxh64: data.fingerprint.clone(),
        }
    }

    /// Metadata of the checkpoints.
    pub fn about(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("format".to_owned(), "vidpairs".to_owned()),
            ("program_version".to_owned(), self.program_version.clone()),
            ("training".to_owned(), self.training.to_string()),
            ("dataset_xxh64".to_owned(), self.dataset_xxh64.clone()),
        ])
    }

    /// Takes `out` for this run. No other process writes there while the result lives.
    ///
    /// # Errors
    /// [`RunError`]: `out` is no folder, holds something else or another run, or is in use.
    pub fn claim(&self, out: &Path) -> Result<OutFolder, RunError> {
        self.is_stored_in(out)?;
        let full = |err: RunError| err.named_if_full(out, "nothing yet");
        let claimed = OutFolder::claim(out, WHAT).map_err(full)?;
        // Once more: another run may have begun here in between.
        if !self.is_stored_in(out)? {
            claimed.write_json(RUN_FILE, self).map_err(full)?;
        }
        Ok(claimed)
    }

    /// Whether `out` holds this run already. A run without a checkpoint does not count: nothing is lost.
    fn is_stored_in(&self, out: &Path) -> Result<bool, RunError> {
        let path = out.join(RUN_FILE);
        let bytes = match read_regular(&path, MAX_RUN_BYTES) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                // With a journal the folder is ours: of a run that starts now, or was killed before it wrote its settings.
                if !OutFolder::has_journal(out) {
                    OutFolder::check(out, &[])?;
                }
                return Ok(false);
            }
            Err(err) if err.kind() == io::ErrorKind::NotADirectory => {
                return Err(RunError::NotAFolder(out.to_owned()));
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
        let is_free = |setting: &str| FREE_KEYS.contains(&setting);
        same_run(out, WHAT, &stored.settings(), &self.settings(), is_free)?;
        Ok(true)
    }

    /// All settings in one object.
    fn settings(&self) -> Value {
        let mut settings = self.training.clone();
        settings["program_version"] = json!(self.program_version);
        settings["dataset_xxh64"] = json!(self.dataset_xxh64);
        settings
    }
}
