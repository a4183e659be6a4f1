//! How far the parts of a data set are.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration};
use serde::{Deserialize, Serialize};
use vidpairs_run::{Control, OutFolder, RunError, RunState, counted, failed};
use vidpairs_shard::{MANIFEST_FILE, MAX_MANIFEST_BYTES, Part, PartsFile, ShardError, Totals};
use vidpairs_store::store_url;
use vidpairs_types::{printable, read_regular};

use super::stored::StoredRun;
use super::{PartsError, array_of, refuse_lost_parts};

/// Most running parts that are shown.
const MAX_SHOWN: usize = 20;

/// State of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// All of its clips are done.
    Complete,
    /// A process works on it.
    Running,
    /// It was begun, and no process works on it.
    Stopped,
    /// It was not begun.
    NotBegun,
    /// Its manifest cannot be read.
    Damaged,
}

/// Result of `vidpairs status`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Number of parts; 1 for a run without parts.
    pub parts: u32,
    /// Number of complete parts.
    pub complete: u32,
    /// Number of parts that a process works on.
    pub running: u32,
    /// Number of parts that were begun and stopped.
    pub stopped: u32,
    /// Number of parts that were not begun.
    pub not_begun: u32,
    /// Number of parts whose `dataset.json` cannot be read. Their folders are to be moved away.
    pub damaged: u32,
    /// Their indices, in the same form as `missing`.
    pub damaged_parts: String,
    /// Indices of the parts that are stopped or were not begun, in the form that `sbatch --array` takes; empty if there is none.
    pub missing: String,
    /// Number of clips of all parts; `null` for a run without parts whose number is not known yet.
    pub clips: Option<u64>,
    /// Number of clips that are done.
    pub clips_done: u64,
    /// Number of pairs that are stored.
    pub pairs: u64,
    /// Number of refused clips.
    pub refused: u64,
    /// Number of skipped clips.
    pub skipped: u64,
    /// Number of partial clips.
    pub partial: u64,
    /// Clips per second of all running parts together.
    pub clips_per_second: f64,
    /// Time left at this rate, seconds; `null` if nothing runs or nothing is left.
    pub seconds_left: Option<f64>,
    /// Whether the parts, as they are, are merged: the folder is a data set.
    pub is_merged: bool,
    /// Counts of the complete parts.
    #[serde(skip)]
    totals: Totals,
    /// Parts that a process works on, those with the most clips left first.
    pub running_parts: Vec<RunningPart>,
}

/// A part that a process works on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunningPart {
    /// Index of the part.
    pub part: u32,
    /// Name of the machine.
    pub host: String,
    /// Number of clips that are done.
    pub clips_done: u64,
    /// Number of its clips.
    pub clips: u64,
    /// Clips per second.
    pub clips_per_second: f64,
    /// Time since it last told how far it is, seconds.
    pub seconds_silent: f64,
}

/// What a manifest says in short.
#[derive(Deserialize)]
struct Brief {
    totals: Totals,
}

/// Looks at the run in `out`, a folder or a URL: at all of its parts, or at the whole if it has none.
///
/// # Errors
/// [`PartsError`]; [`RunError::Shard`] if a manifest cannot be read; errors of the store.
pub fn status(out: &Path, control: &Control) -> Result<Status, RunError> {
    let Some(url) = store_url(out) else {
        return status_in(out);
    };
    let run = StoredRun::fetch(url, false, control)?;
    status_in(run.path()).map_err(|err| run.error(err))
}

fn status_in(out: &Path) -> Result<Status, RunError> {
    if !out.is_dir() {
        return Err(PartsError::NoFolder(out.to_owned()).into());
    }
    let Some(file) = PartsFile::read(out)? else {
        refuse_lost_parts(out)?;
        let mut status = Status::of_parts(1, None);
        match status.add(0, out.to_owned(), None)? {
            PartState::NotBegun => return Err(PartsError::NoRun(out.to_owned()).into()),
            _ => return Ok(status.ended()),
        }
    };
    let mut status = Status::of_parts(file.of(), Some(file.clips()));
    let (mut missing, mut damaged) = (Vec::new(), Vec::new());
    for (part, clips) in file.parts().zip(&file.clips_of_parts) {
        let folder = out.join(Part::folder(part));
        match status.add(part.index(), folder, Some(*clips))? {
            PartState::Complete | PartState::Running => {}
            PartState::Stopped | PartState::NotBegun => missing.push(part.index()),
            PartState::Damaged => damaged.push(part.index()),
        }
    }
    status.damaged_parts = array_of(&damaged);
    status.missing = array_of(&missing);
    // A merge is old once refused clips of a part were retried. A damaged one is made anew.
    let merged = totals_of(out).ok().flatten();
    status.is_merged = status.is_complete() && merged == Some(status.totals);
    Ok(status.ended())
}

/// The counts of the manifest in `folder`, if there is one.
fn totals_of(folder: &Path) -> Result<Option<Totals>, RunError> {
    let path = folder.join(MANIFEST_FILE);
    match read_regular(&path, MAX_MANIFEST_BYTES) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &path)(error)),
        Ok(json) => {
            let brief: Brief = serde_json::from_slice(&json)
                .map_err(|source| ShardError::ManifestUnreadable { path, source })?;
            Ok(Some(brief.totals))
        }
    }
}

impl Status {
    fn of_parts(parts: u32, clips: Option<u64>) -> Self {
        Self {
            parts,
            complete: 0,
            running: 0,
            stopped: 0,
            not_begun: 0,
            damaged: 0,
            damaged_parts: String::new(),
            missing: String::new(),
            clips,
            clips_done: 0,
            pairs: 0,
            refused: 0,
            skipped: 0,
            partial: 0,
            clips_per_second: 0.0,
            seconds_left: None,
            is_merged: false,
            totals: Totals::default(),
            running_parts: Vec::new(),
        }
    }

    /// Whether every part is complete.
    pub fn is_complete(&self) -> bool {
        self.complete == self.parts
    }

    /// Adds the run in `folder`.
    fn add(
        &mut self,
        part: u32,
        folder: PathBuf,
        clips: Option<u64>,
    ) -> Result<PartState, RunError> {
        // While refused clips of a complete run are retried, it has both.
        let is_open = OutFolder::has_journal(&folder);
        let (brief, is_damaged) = match totals_of(&folder) {
            Ok(brief) => (brief, false),
            // A part among others is told; the only one is an error.
            Err(_) if clips.is_some() => (None, true),
            Err(err) => return Err(err),
        };
        let state = RunState::read(&folder);
        let found = match (&brief, &state) {
            _ if is_damaged => PartState::Damaged,
            (Some(_), _) if !is_open => PartState::Complete,
            (_, Some(state)) if is_open && state.is_running() => PartState::Running,
            _ if is_open => PartState::Stopped,
            _ => PartState::NotBegun,
        };
        let number = match found {
            PartState::Complete => &mut self.complete,
            PartState::Running => &mut self.running,
            PartState::Stopped => &mut self.stopped,
            PartState::NotBegun => &mut self.not_begun,
            PartState::Damaged => &mut self.damaged,
        };
        *number += 1;
        if let Some(totals) = brief {
            self.totals.add(&totals);
            self.clips_done = self.clips_done.saturating_add(totals.clips);
            self.pairs = self.pairs.saturating_add(totals.records);
            self.refused = self.refused.saturating_add(totals.refused);
            self.skipped = self.skipped.saturating_add(totals.skipped);
            self.partial = self.partial.saturating_add(totals.partial);
            self.clips.get_or_insert(totals.clips);
        } else if let Some(state) = state.filter(|_| is_open) {
            let count = |name: &str| state.counts.get(name).copied().unwrap_or(0);
            self.clips_done = self.clips_done.saturating_add(state.done);
            self.pairs = self.pairs.saturating_add(count("pairs"));
            self.refused = self.refused.saturating_add(count("refused"));
            self.skipped = self.skipped.saturating_add(count("skipped"));
            self.partial = self.partial.saturating_add(count("partial"));
            self.clips.get_or_insert(state.total);
            if found == PartState::Running {
                self.running_parts
                    .push(RunningPart::of(part, &state, clips));
            }
        }
        Ok(found)
    }

    /// Computes what follows from the sums.
    fn ended(mut self) -> Self {
        self.running_parts
            .sort_by_key(|part| std::cmp::Reverse(part.clips.saturating_sub(part.clips_done)));
        let rates = self.running_parts.iter();
        // Not `sum`, which is -0 for nothing.
        self.clips_per_second = rates.fold(0.0, |sum, part| sum + part.clips_per_second);
        let left = self.clips.unwrap_or(0).saturating_sub(self.clips_done);
        if left > 0 && self.clips_per_second > 0.0 {
            self.seconds_left = Some(left as f64 / self.clips_per_second);
        }
        self
    }
}

impl RunningPart {
    fn of(part: u32, state: &RunState, clips: Option<u64>) -> Self {
        let done = state.done.saturating_sub(state.done_before);
        Self {
            part,
            host: state.host.clone(),
            clips_done: state.done,
            clips: clips.unwrap_or(state.total),
            clips_per_second: done as f64 / state.seconds.max(1.0),
            seconds_silent: state.age(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = [
            (self.complete, "complete"),
            (self.running, "running"),
            (self.stopped, "stopped"),
            (self.not_begun, "not begun"),
            (self.damaged, "damaged"),
        ];
        let states: Vec<String> = states
            .into_iter()
            .filter(|(num, _)| *num > 0)
            .map(|(num, state)| format!("{} {state}", HumanCount(num.into())))
            .collect();
        let parts = counted(self.parts.into(), "part");
        writeln!(f, "{parts}: {}", states.join(", "))?;
        let done = HumanCount(self.clips_done);
        match self.clips {
            Some(clips) => write!(f, "{done} of {}", counted(clips, "clip"))?,
            None => write!(f, "{}", counted(self.clips_done, "clip"))?,
        }
        write!(f, ", {}", counted(self.pairs, "pair"))?;
        let set_aside = BTreeMap::from([
            ("refused", self.refused),
            ("skipped", self.skipped),
            ("partial", self.partial),
        ]);
        for (what, num) in set_aside.into_iter().filter(|(_, num)| *num > 0) {
            write!(f, ", {} {what}", HumanCount(num))?;
        }
        if self.clips_per_second > 0.0 {
            write!(f, "; {:.1} clips/s", self.clips_per_second)?;
        }
        if let Some(left) = self.seconds_left {
            let left = HumanDuration(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX));
            write!(f, ", about {left} left")?;
        }
        for part in self.running_parts.iter().take(MAX_SHOWN) {
            let RunningPart {
                part,
                host,
                clips_done,
                clips,
                clips_per_second,
                seconds_silent,
            } = part;
            write!(
                f,
                "\n  part {part} on {}: {} of {}, {clips_per_second:.1} clips/s, seen {seconds_silent:.0} s ago",
                printable(host),
                HumanCount(*clips_done),
                counted(*clips, "clip"),
            )?;
        }
        let more = self.running_parts.len().saturating_sub(MAX_SHOWN);
        if more > 0 {
            write!(f, "\n  and {} more running", counted(more as u64, "part"))?;
        }
        if !self.damaged_parts.is_empty() {
            let damaged = &self.damaged_parts;
            write!(
                f,
                "\nthe dataset.json of {damaged} cannot be read: move the folders of these parts away, then run the parts again"
            )?;
        }
        match (self.is_complete(), self.is_merged) {
            _ if self.parts == 1 && self.missing.is_empty() => Ok(()),
            (true, true) => write!(f, "\nmerged"),
            (true, false) => write!(f, "\nready for `vidpairs merge`"),
            (false, _) if self.missing.is_empty() => Ok(()),
            (false, _) => write!(f, "\nto be run: {0} (sbatch --array={0})", self.missing),
        }
    }
}
