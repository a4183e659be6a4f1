//! Reads the results of a whole experiment for `vidpairs report`.
//!
//! **Takes** folders of results, or folders above them. **Gives** an [`Experiment`]: data sets, training runs, invariances, probes,
//! tracker scores and rendered sets, as far as they can be read. **Fails** with [`ExperimentError`] if a folder is missing or nothing
//! can be read; a damaged file becomes a note beside the rest. **Source**: the files that the commands write, listed in
//! [`ResultsKind`]; `metrics.jsonl` as described in docs/TRAINING.md.

mod counts;
mod data_set;
mod error;
mod find;
mod measured;
mod rejected;
mod sums;
mod training;

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use vidpairs_invariance::run::InvarianceSummary;
use vidpairs_invariance::run::probe::ProbeSummary;
use vidpairs_run::{Control, ResultsKind};
use vidpairs_types::with_causes;

pub use self::counts::Counts;
pub use self::data_set::{DataSet, MAX_IMAGE_BYTES};
pub use self::error::ExperimentError;
pub use self::measured::{Measured, Summary};
pub use self::rejected::{MAX_REJECTED, PictureOfFrame, RejectedTracklet};
pub use self::sums::{
    RenderedSet, RenderedSettings, RenderedTotals, Speed, TrackerRun, TrackerScore, TrackerScores,
    TrackerSummary,
};
pub use self::training::{Extension, KnnMetrics, StepMetrics, TrainingRun};

use self::data_set::ImageBudget;
use self::find::Found;

/// All results of an experiment.
#[derive(Debug, Clone, Default)]
pub struct Experiment {
    /// Folders that were named. One whose path ends without a name, such as `.`, has its full path here.
    pub dirs: Vec<PathBuf>,
    /// Data sets of `vidpairs extract`.
    pub data_sets: Vec<Part<DataSet>>,
    /// Sets of `vidpairs synth`.
    pub rendered_sets: Vec<Part<RenderedSet>>,
    /// Runs of `vidpairs train`.
    pub runs: Vec<Part<TrainingRun>>,
    /// Results of `vidpairs track`.
    pub trackers: Vec<Part<TrackerScores>>,
    /// Results of `vidpairs invariance`.
    pub invariances: Vec<Part<Measured<InvarianceSummary>>>,
    /// Results of `vidpairs probe`.
    pub probes: Vec<Part<Measured<ProbeSummary>>>,
    /// Notes on what could not be read at all, with its folder.
    pub notes: Vec<(String, String)>,
}

/// Results of one command in one folder.
#[derive(Debug, Clone)]
pub struct Part<T> {
    /// Name of the folder, without what all folders of the page have in common.
    pub name: String,
    /// Path of the folder, as it was named or found.
    pub path: String,
    /// Problems of this part, one sentence each: lines that cannot be read, an unfinished run.
    pub notes: Vec<String>,
    /// The results.
    pub results: T,
}

impl Experiment {
    /// Reads the results in `dirs` and below them.
    ///
    /// # Errors
    /// [`ExperimentError`].
    ///
    /// # Examples
    /// ```no_run
    /// use vidpairs::experiment::Experiment;
    /// use vidpairs_run::Control;
    ///
    /// let experiment = Experiment::read(&["runs".into()], &Control::quiet(2))?;
    /// println!("{}", experiment.counts());
    /// # Ok::<(), vidpairs::experiment::ExperimentError>(())
    /// ```
    pub fn read(dirs: &[PathBuf], control: &Control) -> Result<Self, ExperimentError> {
        let search = find::find(dirs, &control.cancel)?;
        let of_kind = |kind| {
            let results = search.found.iter().flat_map(|found| &found.results);
            results.filter(|(other, _)| *other == kind).count() as u64
        };
        let mut experiment = Self {
            dirs: dirs.iter().map(|dir| with_name(dir)).collect(),
            notes: search.notes,
            ..Self::default()
        };
        let names = find::names(&search.found);
        let budget = ImageBudget::shared_by(of_kind(ResultsKind::Pairs));
        for (found, name) in search.found.iter().zip(&names) {
            for (kind, json) in &found.results {
                if control.cancel.is_set() {
                    return Err(ExperimentError::Stopped);
                }
                let read = experiment.add(found, name, (*kind, json), (budget, control));
                if let Err(problem) = read {
                    experiment.notes.push((found.shown(), problem));
                }
            }
        }
        if experiment.counts() == Counts::default() {
            return Err(ExperimentError::nothing(dirs, &experiment.notes));
        }
        experiment.link();
        Ok(experiment)
    }

    /// Reads one result and adds it.
    fn add(
        &mut self,
        found: &Found,
        name: &str,
        (kind, json): (ResultsKind, &Value),
        (budget, control): (ImageBudget, &Control),
    ) -> Result<(), String> {
        let dir = found.path.as_path();
        let mut notes = found.notes.clone();
        match kind {
            ResultsKind::Pairs => {
                let set = DataSet::read(dir, budget, control, &mut notes)?;
                self.data_sets.push(found.part(name, notes, set));
            }
            ResultsKind::Training => {
                let run = TrainingRun::read(dir, json, &mut notes)?;
                self.runs.push(found.part(name, notes, run));
            }
            ResultsKind::RenderedSet => {
                let set = parsed(dir, kind, json)?;
                self.rendered_sets.push(found.part(name, notes, set));
            }
            ResultsKind::TrackerScores => {
                let scores = parsed(dir, kind, json)?;
                self.trackers.push(found.part(name, notes, scores));
            }
            ResultsKind::Invariance => {
                let measured = Measured::read(dir, kind, json)?;
                self.invariances.push(found.part(name, notes, measured));
            }
            ResultsKind::Probe => {
                let measured = Measured::read(dir, kind, json)?;
                self.probes.push(found.part(name, notes, measured));
            }
        }
        Ok(())
    }

    /// Finds the data set of each training run, and the training run of each measured model.
    fn link(&mut self) {
        for run in &mut self.runs {
            let sets = self.data_sets.iter();
            let sets = sets.map(|set| (set.results.fingerprint.as_str(), set.notes.is_empty()));
            run.results.data_set = linked(&run.results.dataset_xxh64, sets);
        }
        let folders: Vec<&Path> = (self.runs.iter())
            .map(|run| run.results.folder.as_path())
            .collect();
        for part in &mut self.invariances {
            part.results.link(&folders);
        }
        for part in &mut self.probes {
            part.results.link(&folders);
        }
    }

    /// Numbers of results of each kind.
    pub fn counts(&self) -> Counts {
        Counts {
            data_sets: self.data_sets.len(),
            rendered_sets: self.rendered_sets.len(),
            training_runs: self.runs.len(),
            tracker_scores: self.trackers.len(),
            invariances: self.invariances.len(),
            probes: self.probes.len(),
        }
    }

    /// Path and notes of every part, in the order of the page.
    pub fn places(&self) -> Vec<(&str, &[String])> {
        fn of<T>(parts: &[Part<T>]) -> impl Iterator<Item = (&str, &[String])> {
            parts
                .iter()
                .map(|part| (part.path.as_str(), part.notes.as_slice()))
        }
        of(&self.runs)
            .chain(of(&self.data_sets))
            .chain(of(&self.rendered_sets))
            .chain(of(&self.invariances))
            .chain(of(&self.probes))
            .chain(of(&self.trackers))
            .collect()
    }

    /// Number of notes on what is missing or could not be read.
    pub fn num_notes(&self) -> usize {
        let of_parts: usize = self.places().iter().map(|(_, notes)| notes.len()).sum();
        self.notes.len() + of_parts
    }
}

/// Index of the data set with this fingerprint; of several copies, of a sound one.
///
/// - `sets`: fingerprint of each data set, and whether it is sound.
fn linked<'a>(fingerprint: &str, sets: impl Iterator<Item = (&'a str, bool)>) -> Option<usize> {
    let copies = sets
        .enumerate()
        .filter(|(_, (other, _))| *other == fingerprint);
    let best = copies.min_by_key(|(index, (_, is_sound))| (!is_sound, *index));
    Some(best?.0)
}

/// The path, or the full path where it ends without a name.
fn with_name(dir: &Path) -> PathBuf {
    let full = || fs::canonicalize(dir).ok();
    let named = match dir.file_name() {
        Some(_) => None,
        None => full(),
    };
    named.unwrap_or_else(|| dir.to_owned())
}

/// The results that the file of `kind` in `dir` holds, or why it does not hold them.
fn parsed<T: DeserializeOwned>(dir: &Path, kind: ResultsKind, json: &Value) -> Result<T, String> {
    let file = kind.file();
    T::deserialize(json).map_err(|err| {
        let path = dir.join(file);
        format!(
            "{} has other values than expected: {}",
            path.display(),
            with_causes(&err)
        )
    })
}

#[cfg(test)]
mod tests;
