//! The output folder of a training run.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vidpairs_pipeline::{Pipeline, WatchKeys};
use vidpairs_run::{OutFolder, RunError, failed, same_run};
use vidpairs_types::read_regular;

use super::checkpoint::Results;
use super::data::Data;
use super::error::TrainError;
use super::init::InitRecord;

/// What the command writes, for errors.
const WHAT: &str = "a training run";
/// File with the settings of the run.
const RUN_FILE: &str = "run.json";
/// Largest such file, bytes.
const MAX_RUN_BYTES: u64 = 16 << 20;
/// Settings that may differ in a run that is made longer.
const LENGTH_KEYS: [&str; 2] = ["train.epochs", "train.milestones"];
/// Keys of the metadata of checkpoints.
const FORMAT: &str = "format";
const VERSION: &str = "program_version";
const TRAINING: &str = "training";
const DATASET: &str = "dataset_xxh64";
const INIT: &str = "init";
/// Value of [`FORMAT`].
const FORMAT_NAME: &str = "vidpairs";

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunFile {
    /// Version of the program that started the run.
    program_version: String,
    /// Settings, defaults included.
    training: Value,
    /// Checksum of the manifest of the shards.
    dataset_xxh64: String,
    /// The weights that the run began with; `None` for random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    init: Option<InitRecord>,
    /// Earlier lengths of the run, if it was made longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extended: Vec<Extension>,
}

/// A change of `train.epochs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Extension {
    /// Value before.
    epochs: u64,
    /// Number of steps taken with it.
    steps: u64,
}

/// A claimed output folder.
#[derive(Debug)]
pub(super) struct Claimed {
    folder: OutFolder,
    /// `run.json` of this run, perhaps with fewer epochs.
    pub stored: Option<RunFile>,
    /// Report of a stopped run that is replaced.
    pub note: Option<String>,
    /// Whether the folder held a finished run.
    held_finished: bool,
}

impl Claimed {
    /// Writes `run.json` if it is new, or the run is longer than before.
    ///
    /// - `steps`: number of steps taken so far.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn write(&self, run_file: &RunFile, steps: u64) -> Result<(), RunError> {
        let mut written = run_file.clone();
        if let Some(stored) = &self.stored {
            if stored.epochs() >= run_file.epochs() {
                return Ok(());
            }
            written.extended.clone_from(&stored.extended);
            written.extended.push(Extension {
                epochs: stored.epochs(),
                steps,
            });
        }
        let path = self.folder.path();
        let done = self.folder.write_json(RUN_FILE, &written);
        done.map_err(|err| err.named_if_full(path, "nothing yet"))
    }

    /// Ends the run.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn finish(&mut self) -> Result<(), RunError> {
        self.folder.finish()
    }

    /// Leaves a finished run as it was found, if `begun` was refused.
    pub fn unless_refused<T>(&mut self, begun: Result<T, RunError>) -> Result<T, RunError> {
        if begun.is_err() && self.held_finished {
            let _ = self.folder.finish(); // the first error counts
        }
        begun
    }
}

impl RunFile {
    /// Settings of a run by this program.
    pub fn of(pipeline: &Pipeline, data: &Data, init: Option<InitRecord>) -> Self {
        Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            training: pipeline.resolved_training(),
            dataset_xxh64: data.fingerprint.clone(),
            init,
            extended: Vec::new(),
        }
    }

    /// Metadata of the checkpoints.
    pub fn about(&self) -> BTreeMap<String, String> {
        let mut about = BTreeMap::from([
            (FORMAT.to_owned(), FORMAT_NAME.to_owned()),
            (VERSION.to_owned(), self.program_version.clone()),
            (TRAINING.to_owned(), self.training.to_string()),
            (DATASET.to_owned(), self.dataset_xxh64.clone()),
        ]);
        if let Some(init) = &self.init {
            about.insert(INIT.to_owned(), json!(init).to_string());
        }
        about
    }

    /// Settings in the metadata of a checkpoint, and the other metadata. `None` if they are not those of a checkpoint.
    pub fn from_about(
        about: &BTreeMap<String, String>,
    ) -> Option<(Self, BTreeMap<String, String>)> {
        let mut others = about.clone();
        let format = others.remove(FORMAT)?;
        let run_file = Self {
            program_version: others.remove(VERSION)?,
            training: serde_json::from_str(&others.remove(TRAINING)?).ok()?,
            dataset_xxh64: others.remove(DATASET)?,
            init: match others.remove(INIT) {
                Some(init) => Some(serde_json::from_str(&init).ok()?),
                None => None,
            },
            extended: Vec::new(),
        };
        (format == FORMAT_NAME).then_some((run_file, others))
    }

    /// Takes `out` for this run. No other process writes there while the result lives.
    ///
    /// # Errors
    /// [`RunError`]: `out` is no folder, holds something else, another run or results that would be lost, or is in use.
    pub fn claim(&self, out: &Path) -> Result<Claimed, RunError> {
        self.look(out)?;
        let had_journal = OutFolder::has_journal(out);
        let full = |err: RunError| err.named_if_full(out, "nothing yet");
        let folder = OutFolder::claim(out, WHAT).map_err(full)?;
        // Once more: another run may have begun here in between.
        let (stored, note) = self.look(out)?;
        let has_run = stored.is_some() || !Results::of(out)?.steps.is_empty();
        Ok(Claimed {
            folder,
            stored,
            note,
            held_finished: has_run && !had_journal,
        })
    }

    /// `run.json` in `out` if it is of this run, and a note on another one that is replaced.
    ///
    /// # Errors
    /// [`RunError`] if `out` holds something that this run would replace.
    fn look(&self, out: &Path) -> Result<(Option<Self>, Option<String>), RunError> {
        let results = Results::of(out)?;
        // A run that was stopped or failed before its first checkpoint begins again: it has nothing to lose.
        let is_only_begun =
            OutFolder::has_journal(out) && results.steps.is_empty() && !results.has_backbone;
        let Some(stored) = Self::read(out, &results)? else {
            // Each checkpoint holds the settings too.
            if results.steps.is_empty() && (!is_only_begun || results.has_best) {
                OutFolder::check(out, &[])?;
            }
            return Ok((None, None));
        };
        if is_only_begun
            && !results.has_best
            && let Some(difference) = self.difference(&stored)
        {
            let note = format!(
                "the run in {} had other settings ({difference}) and ended before its first checkpoint; this run replaces it",
                out.display()
            );
            return Ok((None, Some(note)));
        }
        self.compare(out, &stored)?;
        if results.steps.is_empty() && !is_only_begun && !results.has_backbone {
            return Err(TrainError::NoCheckpointLeft {
                out: out.to_owned(),
                found: RUN_FILE.to_owned(),
            }
            .into());
        }
        Ok((Some(stored), None))
    }

    /// Reads `run.json` in `out`; `None` if there is none.
    fn read(out: &Path, results: &Results) -> Result<Option<Self>, RunError> {
        let path = out.join(RUN_FILE);
        let bytes = match read_regular(&path, MAX_RUN_BYTES) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) if err.kind() == io::ErrorKind::NotADirectory => {
                return Err(RunError::NotAFolder(out.to_owned()));
            }
            Err(err) => return Err(failed("read", &path)(err)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|err| {
            let problem = match bytes.iter().all(|&byte| byte == 0) {
                true if bytes.is_empty() => "is empty".to_owned(),
                true => "holds only zeros".to_owned(),
                false => format!("is damaged ({err})"),
            };
            let advice = match results.steps.is_empty() {
                true => "choose another folder for --out",
                false => {
                    "delete it and run the same command again: each checkpoint holds the settings too"
                }
            };
            TrainError::RunFile {
                path,
                problem,
                advice,
            }
            .into()
        })
    }

    /// Fails if `stored`, of the run in `out`, is another run.
    fn compare(&self, out: &Path, stored: &Self) -> Result<(), RunError> {
        let is_longer = self.epochs() > stored.epochs();
        // Settings that only control what is logged, saved and tolerated may differ.
        let watch = WatchKeys::paths();
        let is_free = |setting: &str| {
            watch.iter().any(|path| path == setting) || is_longer && LENGTH_KEYS.contains(&setting)
        };
        same_run(out, WHAT, &stored.settings(), &self.settings(), is_free)
    }

    /// Settings in which `stored` differs from this run, as text. A run with fewer epochs is the same run, earlier.
    pub fn difference(&self, stored: &Self) -> Option<String> {
        match self.compare(Path::new(""), stored).err()? {
            RunError::OtherRun { difference, .. } => Some(difference),
            RunError::OtherVersion { theirs, ours, .. } => {
                Some(format!("the version of vidpairs was {theirs}, is {ours}"))
            }
            other => Some(other.to_string()),
        }
    }

    /// All settings in one object.
    fn settings(&self) -> Value {
        let mut settings = self.training.clone();
        if !settings.is_object() {
            return settings;
        }
        settings["program_version"] = json!(self.program_version);
        settings["dataset_xxh64"] = json!(self.dataset_xxh64);
        if let Some(init) = &self.init {
            settings["init"] = json!(init);
        }
        settings
    }

    /// Value of `train.epochs`; 0 without one.
    pub fn epochs(&self) -> u64 {
        self.training["train"]["epochs"].as_u64().unwrap_or(0)
    }

    /// Value of `train.milestones`; empty without one.
    pub fn milestones(&self) -> Vec<u32> {
        let milestones = &self.training["train"]["milestones"];
        serde_json::from_value(milestones.clone()).unwrap_or_default()
    }
}
