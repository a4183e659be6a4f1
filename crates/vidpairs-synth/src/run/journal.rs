//! What a stopped run has published: a line per item, and the truth of its images.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vidpairs_run::{JOURNAL_FOLDER, RunError, failed, json_lines, lock};
use vidpairs_types::Refusal;

use super::TRUTH_FILE;
use crate::set::Settings;
use crate::truth::Truth;

const FILE: &str = "progress.jsonl";

/// What the bytes of a set depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    pub settings: Settings,
    /// Objects of the catalogues, and a fingerprint of their ids.
    pub objects: u64,
    pub objects_xxh3: String,
    /// Files that backdrops may be taken from, and a fingerprint of their names.
    pub backgrounds: u64,
    pub backgrounds_xxh3: String,
}

/// An item that is published, or refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Place in the plan.
    pub item: u64,
    pub names: Vec<String>,
    pub objects: Vec<String>,
    pub images: u64,
    pub bytes: u64,
    /// Objects and backgrounds set aside on the way.
    pub refused: Vec<Refusal>,
    /// Why the item itself could not be made.
    pub not_made: Option<Refusal>,
    /// Length of the truth so far.
    pub truth_bytes: u64,
}

/// Sums over the lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Progress {
    done: Vec<Done>,
    pub images: u64,
    pub bytes: u64,
}

impl Progress {
    pub fn add(&mut self, done: Done) {
        self.images += done.images;
        self.bytes += done.bytes;
        self.done.push(done);
    }

    /// Items done: made or refused.
    pub fn items(&self) -> u64 {
        self.done.len() as u64
    }

    pub fn items_made(&self) -> u64 {
        self.done
            .iter()
            .filter(|done| done.not_made.is_none())
            .count() as u64
    }

    /// Name and reason of the first item that could not be made.
    pub fn first_refused(&self) -> Option<(String, String)> {
        let refusal = self.done.iter().find_map(|done| done.not_made.as_ref())?;
        Some((refusal.id.clone(), refusal.reason.clone()))
    }

    /// Files and folders, in the order of the items.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.done
            .iter()
            .flat_map(|done| &done.names)
            .map(String::as_str)
    }

    /// Ids of the objects that can be seen.
    pub fn objects(&self) -> BTreeSet<&str> {
        self.done
            .iter()
            .flat_map(|done| &done.objects)
            .map(String::as_str)
            .collect()
    }

    pub fn refused(&self) -> impl Iterator<Item = &Refusal> {
        self.done
            .iter()
            .flat_map(|done| done.refused.iter().chain(&done.not_made))
    }
}

/// The journal of one output folder, locked: no other process writes there.
pub(super) struct Journal {
    folder: PathBuf,
    lines: File,
    truth: File,
    truth_bytes: u64,
    _lock: File,
}

impl Journal {
    /// Opens the journal of `out`, and reads what it holds: how the run began and what it published, or
    /// `None` if nothing was begun.
    pub fn open(out: &Path) -> Result<(Self, Option<(Value, Progress)>), RunError> {
        let lock = lock(out)?;
        let folder = out.join(JOURNAL_FOLDER);
        let open = |path: &Path| {
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create(true).truncate(false);
            options.open(path).map_err(failed("open", path))
        };
        let (path, truth_path) = (folder.join(FILE), folder.join(TRUTH_FILE));
        let (mut lines, mut truth) = (open(&path)?, open(&truth_path)?);
        let mut text = Vec::new();
        lines
            .read_to_end(&mut text)
            .map_err(failed("read", &path))?;
        let truth_len = truth.metadata().map_err(failed("read", &truth_path))?.len();
        let (found, bytes) = parse(&text, truth_len);
        let truth_bytes = found
            .as_ref()
            .and_then(|(_, progress)| progress.done.last())
            .map_or(0, |done| done.truth_bytes);
        for (file, path, len) in [
            (&mut lines, &path, bytes),
            (&mut truth, &truth_path, truth_bytes),
        ] {
            let cut = file.set_len(len).and_then(|()| file.seek(SeekFrom::End(0)));
            cut.map_err(failed("shorten", path))?;
        }
        let journal = Self {
            folder,
            lines,
            truth,
            truth_bytes,
            _lock: lock,
        };
        Ok((journal, found))
    }

    /// Writes the first line.
    pub fn begin(&mut self, begin: &Begin) -> Result<(), RunError> {
        self.write_line(begin)
    }

    /// Appends `truths`, and gives the length of the truth with them.
    pub fn add_truths(&mut self, truths: &[Truth]) -> Result<u64, RunError> {
        let path = self.folder.join(TRUTH_FILE);
        let text = json_lines(&path, truths)?;
        let written = self
            .truth
            .write_all(&text)
            .and_then(|()| self.truth.sync_data());
        written.map_err(failed("write", &path))?;
        self.truth_bytes += text.len() as u64;
        Ok(self.truth_bytes)
    }

    /// Adds a line, to the disk.
    pub fn add(&mut self, done: &Done) -> Result<(), RunError> {
        self.write_line(done)
    }

    /// The run is complete: the folder goes.
    pub fn remove(self) -> Result<(), RunError> {
        fs::remove_dir_all(&self.folder).map_err(failed("remove", &self.folder))
    }

    fn write_line(&mut self, line: &impl Serialize) -> Result<(), RunError> {
        let path = self.folder.join(FILE);
        let text = json_lines(&path, &[line])?;
        let written = self
            .lines
            .write_all(&text)
            .and_then(|()| self.lines.sync_data());
        written.map_err(failed("write", &path))
    }
}

/// The lines up to the first that is torn, or whose truth is not there, and their length.
fn parse(text: &[u8], truth_len: u64) -> (Option<(Value, Progress)>, u64) {
    let mut lines = text
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| line.ends_with(b"\n"));
    let Some(first) = lines.next() else {
        return (None, 0);
    };
    let Ok(begin) = serde_json::from_slice::<Value>(first) else {
        return (None, 0);
    };
    let mut progress = Progress::default();
    let mut bytes = first.len() as u64;
    for line in lines {
        match serde_json::from_slice::<Done>(line) {
            Ok(done) if done.item == progress.items() && done.truth_bytes <= truth_len => {
                progress.add(done);
                bytes += line.len() as u64;
            }
            _ => break,
        }
    }
    (Some((begin, progress)), bytes)
}
