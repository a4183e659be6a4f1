//! What a stopped run has done: a line for how it began, then a line for every sequence.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vidpairs_run::{JOURNAL_FOLDER, RunError, failed, json_lines, lock};
use vidpairs_types::{Refusal, SizePx};

use super::data::TrackData;
use crate::ope::{Confidence, Times, got10k, trackingnet};
use crate::track::TrackerKind;

const FILE: &str = "progress.jsonl";

/// What the results depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    /// Of the bytes of the program: two builds of one version are two trackers.
    pub program_xxh3: String,
    pub data: Vec<TrackData>,
    pub media: Option<PathBuf>,
    pub trackers: Vec<TrackerKind>,
    /// Sequences, and a fingerprint of their names.
    pub sequences: u64,
    pub sequences_xxh3: String,
}

/// A sequence that is done: its files lie under their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Place in the list.
    pub ordinal: usize,
    /// `None` if it was set aside as a whole.
    pub scene: Option<Scene>,
    /// Of the trackers that did not fail.
    pub results: Vec<TrackerResult>,
    pub refused: Vec<Refusal>,
}

/// What the trackers had to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scene {
    /// Index in the video of the first frame.
    pub first_frame: u64,
    pub frames: u64,
    pub frame_size: SizePx,
    pub label: Option<String>,
}

/// How one tracker did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TrackerResult {
    pub tracker: TrackerKind,
    pub updates: u64,
    pub lost: u64,
    pub start_seconds: f64,
    pub overlaps: got10k::Tally,
    /// `None` where there is nothing to score.
    pub curves: Option<trackingnet::Curves>,
    pub confidence: Confidence,
    pub times: Times,
}

/// What a stopped run has left.
pub(super) struct Found {
    /// A [`Begin`], perhaps of another version.
    pub begin: Value,
    pub done: Vec<Done>,
}

/// The journal of one output folder, locked: no other process writes there.
pub(super) struct Journal {
    folder: PathBuf,
    lines: File,
    _lock: File,
}

impl Journal {
    /// Opens the journal of `out`, and reads what it holds: how the run began and which sequences are done, or
    /// `None` if nothing was begun. A torn line at its end is cut off.
    pub fn open(out: &Path) -> Result<(Self, Option<Found>), RunError> {
        let lock = lock(out)?;
        let folder = out.join(JOURNAL_FOLDER);
        let path = folder.join(FILE);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut lines = options.open(&path).map_err(failed("open", &path))?;
        let mut text = Vec::new();
        lines
            .read_to_end(&mut text)
            .map_err(failed("read", &path))?;
        let (found, whole_bytes) = parse(&text);
        let cut = lines
            .set_len(whole_bytes)
            .and_then(|()| lines.seek(SeekFrom::End(0)));
        cut.map_err(failed("shorten", &path))?;
        let journal = Self {
            folder,
            lines,
            _lock: lock,
        };
        Ok((journal, found))
    }

    /// Adds a line, to the disk.
    pub fn add(&mut self, line: &impl Serialize) -> Result<(), RunError> {
        let path = self.folder.join(FILE);
        let text = json_lines(&path, &[line])?;
        let written = self
            .lines
            .write_all(&text)
            .and_then(|()| self.lines.sync_data());
        written.map_err(failed("write", &path))
    }

    /// The run is complete: the folder goes.
    pub fn remove(self) -> Result<(), RunError> {
        fs::remove_dir_all(&self.folder).map_err(failed("remove", &self.folder))
    }
}

/// The lines up to the first that is torn or out of order, and their length.
fn parse(text: &[u8]) -> (Option<Found>, u64) {
    let is_whole = |line: &&[u8]| line.ends_with(b"\n");
    let mut lines = text.split_inclusive(|&byte| byte == b'\n').filter(is_whole);
    let first = lines.next().unwrap_or_default();
    let Ok(begin) = serde_json::from_slice::<Value>(first) else {
        return (None, 0);
    };
    let (mut all, mut bytes) = (Vec::new(), first.len() as u64);
    for line in lines {
        match serde_json::from_slice::<Done>(line) {
            Ok(done) if done.ordinal == all.len() => all.push(done),
            _ => break,
        }
        bytes += line.len() as u64;
    }
    (Some(Found { begin, done: all }), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ordinal: usize) -> String {
        let done = Done {
            ordinal,
            scene: None,
            results: Vec::new(),
            refused: Vec::new(),
        };
        serde_json::to_string(&done).unwrap() + "\n"
    }

    #[test]
    fn lines_count_up_to_the_first_that_is_torn_or_out_of_order() {
        let head = "{\"program_version\":\"0\"}\n".to_owned();
        let whole = head.clone() + &line(0) + &line(1);
        for after in ["", "{\"ordinal\":2", &line(3), &line(1), "no json\n"] {
            let (found, bytes) = parse((whole.clone() + after).as_bytes());
            assert_eq!(
                (found.unwrap().done.len(), bytes),
                (2, whole.len() as u64),
                "{after}"
            );
        }
        for cut in 0..head.len() {
            assert!(parse(&head.as_bytes()[..cut]).0.is_none());
        }
    }
}
