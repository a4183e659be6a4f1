//! State of a running command, for others to see: a small file in the journal's folder, written anew every few seconds.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use vidpairs_types::{read_regular, replace_whole};

use crate::JOURNAL_FOLDER;

/// File in the journal's folder.
pub const STATE_FILE: &str = "state.json";
/// Largest such file that is read, bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Time between two writes.
const PERIOD: Duration = Duration::from_secs(10);

/// State of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Name of the machine; empty if it has none.
    pub host: String,
    /// Number of the process on it.
    pub pid: u32,
    /// When this was written, seconds since 1970 by the clock of that machine.
    pub unix_seconds: f64,
    /// Whether the run has ended: interrupted, or failed. A finished run leaves no state.
    pub is_stopped: bool,
    /// Time since the command was started, seconds.
    pub seconds: f64,
    /// Number of inputs that are done, those of earlier starts included.
    pub done: u64,
    /// Number of inputs that were done when the command was started.
    pub done_before: u64,
    /// Number of all inputs of the run.
    pub total: u64,
    /// Further counts, by name.
    pub counts: BTreeMap<String, u64>,
    /// Text that no other process has; only in an object store, where the state also keeps others out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<String>,
}

impl RunState {
    /// Time without a new state after which a run is taken for dead. NFS may show a state that is a minute old.
    pub const PATIENCE: Duration = Duration::from_secs(180);

    /// State of a run of this process that has done nothing yet.
    ///
    /// - `writer`: text that no other process has.
    pub fn begun(writer: &str) -> Self {
        Self {
            unix_seconds: unix_seconds(),
            writer: Some(writer.to_owned()),
            ..Self::of_process(0, 0)
        }
    }

    fn of_process(done: u64, total: u64) -> Self {
        let host = rustix::system::uname();
        Self {
            host: host.nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
            unix_seconds: 0.0,
            is_stopped: false,
            seconds: 0.0,
            done,
            done_before: done,
            total,
            counts: BTreeMap::new(),
            writer: None,
        }
    }

    /// Reads the state of the run in `out`; `None` if there is none, or it cannot be read: it is written without a promise.
    pub fn read(out: &Path) -> Option<Self> {
        let path = out.join(JOURNAL_FOLDER).join(STATE_FILE);
        serde_json::from_slice(&read_regular(&path, MAX_BYTES).ok()?).ok()
    }

    /// Time since the state was written, seconds, by the clock of this machine. That of the other may be ahead of it.
    pub fn age(&self) -> f64 {
        (unix_seconds() - self.unix_seconds).max(0.0)
    }

    /// Whether the run goes on, as far as can be told from another machine. A state from the future tells nothing: it would never grow old.
    pub fn is_running(&self) -> bool {
        let age = unix_seconds() - self.unix_seconds;
        !self.is_stopped && age.abs() < Self::PATIENCE.as_secs_f64()
    }
}

/// Writes the state of a run. When this is dropped, the run is marked as stopped, unless its journal is gone.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    start: Instant,
    written: Option<Instant>,
    state: RunState,
}

impl StateFile {
    /// State of a run in `out`, whose journal is there.
    ///
    /// - `done`, `total`: number of inputs.
    pub fn new(out: &Path, done: u64, total: u64) -> Self {
        Self {
            path: out.join(JOURNAL_FOLDER).join(STATE_FILE),
            start: Instant::now(),
            written: None,
            state: RunState::of_process(done, total),
        }
    }

    /// Takes the present counts, and writes them if the last ones are some seconds old.
    pub fn show<const N: usize>(&mut self, done: u64, counts: [(&str, u64); N]) {
        self.state.done = done;
        let counts = counts.map(|(name, count)| (name.to_owned(), count));
        self.state.counts = BTreeMap::from(counts);
        if self
            .written
            .is_none_or(|written| written.elapsed() >= PERIOD)
        {
            self.written = Some(Instant::now());
            self.write();
        }
    }

    fn write(&mut self) {
        self.state.unix_seconds = unix_seconds();
        self.state.seconds = self.start.elapsed().as_secs_f64();
        let written = serde_json::to_vec(&self.state)
            .map_err(io::Error::from)
            .and_then(|json| replace_whole(&self.path, &json));
        // The run does not depend on it: where the disk is full, something that matters will say so.
        drop(written);
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        if self.path.parent().is_some_and(Path::is_dir) {
            self.state.is_stopped = true;
            self.write();
        }
    }
}

fn unix_seconds() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_run_is_seen_running_then_stopped_and_a_dead_one_is_recognised_by_its_age() {
        let out = tempfile::tempdir().unwrap();
        let out = out.path();
        assert_eq!(RunState::read(out), None);
        fs::create_dir(out.join(JOURNAL_FOLDER)).unwrap();
        let mut file = StateFile::new(out, 3, 10);
        file.show(4, [("pairs", 17)]);
        let running = RunState::read(out).unwrap();
        assert!(running.is_running());
        assert_eq!(
            (running.done_before, running.done, running.total),
            (3, 4, 10)
        );
        assert_eq!(running.counts["pairs"], 17);
        let dead = RunState {
            unix_seconds: running.unix_seconds - 181.0,
            ..running
        };
        assert!(!dead.is_running());
        let future = RunState {
            unix_seconds: dead.unix_seconds + 362.0 + 60.0,
            ..dead
        };
        assert!(!future.is_running());
        // Too soon to be written, but not lost.
        file.show(5, [("pairs", 20)]);
        assert_eq!(RunState::read(out).unwrap().done, 4);
        drop(file);
        let stopped = RunState::read(out).unwrap();
        assert!(!stopped.is_running());
        assert_eq!((stopped.done, stopped.counts["pairs"]), (5, 20));
    }

    #[test]
    fn a_finished_run_leaves_no_state() {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join(JOURNAL_FOLDER)).unwrap();
        let mut file = StateFile::new(out.path(), 0, 1);
        file.show(1, []);
        fs::remove_dir_all(out.path().join(JOURNAL_FOLDER)).unwrap();
        drop(file);
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }
}
