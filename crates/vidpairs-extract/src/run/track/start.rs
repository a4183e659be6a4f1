//! The start of an evaluation: new, resumed, or finished already.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use vidpairs_run::{Journal, RunError, RunLayout, Started, failed};
use vidpairs_types::{Refusal, read_regular};
use xxhash_rust::xxh3::xxh3_64;

use super::TrackOptions;
use super::data::{Sequence, Sequences, TrackData};
use super::journal::{Begin, Done};
use super::output::FileNames;
use super::results::SUMMARY_FILE;
use super::summary::TrackSummary;
use crate::run::TrackRunError;
use crate::track::{TrackError, TrackerKind};

const LAYOUT: RunLayout = RunLayout {
    what: "results",
    manifest: SUMMARY_FILE,
    begin_key: "run",
};

/// The state of the output folder.
pub(super) enum Start {
    /// The run is finished.
    Complete(Box<TrackSummary>),
    /// The run is new or was stopped.
    Open(Box<Ready>),
}

/// The inputs of a run, and the sequences that are done.
pub(super) struct Ready {
    pub begin: Begin,
    pub sequences: Arc<[Sequence]>,
    /// Inputs that should have been sequences.
    pub refused: Vec<Refusal>,
    pub journal: Journal<Done>,
    pub done: Vec<Done>,
}

/// Checks the trackers and the data, and opens the output folder.
pub(super) fn start(options: &TrackOptions) -> Result<Start, RunError> {
    let out = &options.out;
    let mut of_opencv = options.trackers.iter().filter(|kind| kind.is_opencv());
    if let (Some(&kind), None) = (of_opencv.next(), options.opencv) {
        return Err(TrackRunError::from(TrackError::NoOpencv { kind }).into());
    }
    if out.exists() && !out.is_dir() {
        return Err(RunError::NotAFolder(out.clone()));
    }
    // Listed before anything is made: a wrong path leaves no folder behind.
    let found = Sequences::list(options)?;
    let begin = Begin::new(options, &found)?;
    match LAYOUT.start(out, &begin)? {
        Started::Complete(manifest) => {
            let summary = read_summary(&out.join(SUMMARY_FILE), manifest)?;
            Ok(Start::Complete(Box::new(summary)))
        }
        Started::Open(mut journal, mut done) => {
            let num = num_with_their_files(out, &done, &found.list);
            done.truncate(num);
            journal.keep(num)?;
            Ok(Start::Open(Box::new(Ready {
                begin,
                sequences: found.list.into(),
                refused: found.refused,
                journal,
                done,
            })))
        }
    }
}

/// Number of lines up to the first that is not of the next sequence, or whose files are gone: that sequence is tracked again.
fn num_with_their_files(out: &Path, done: &[Done], sequences: &[Sequence]) -> usize {
    let is_there = |(ordinal, done): &(usize, &Done)| {
        let Some(sequence) = sequences.get(*ordinal).filter(|_| done.ordinal == *ordinal) else {
            return false;
        };
        let has_files = |tracker: TrackerKind| {
            let FileNames {
                boxes,
                times,
                confidence,
            } = FileNames::of(sequence, tracker);
            let names = [boxes, times, confidence];
            names.iter().all(|name| {
                let found = out.join(name).symlink_metadata();
                found.is_ok_and(|found| found.is_file() && found.len() > 0)
            })
        };
        done.results.iter().all(|result| has_files(result.tracker))
    };
    done.iter().enumerate().take_while(is_there).count()
}

impl Begin {
    fn new(options: &TrackOptions, found: &Sequences) -> Result<Self, RunError> {
        let program = std::env::current_exe().map_err(failed("find", Path::new("this program")))?;
        let bytes = read_regular(&program, u64::MAX).map_err(failed("read", &program))?;
        Ok(Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            program_xxh3: format!("{:016x}", xxh3_64(&bytes)),
            data: options.data.iter().map(resolved_data).collect(),
            media: options
                .media
                .as_deref()
                .map(|media| resolved(media).display().to_string()),
            trackers: options.trackers.clone(),
            sequences: found.list.len() as u64,
            sequences_xxh3: found.fingerprint(),
            truth_xxh3: found.truth_fingerprint(),
            media_xxh3: found.media_fingerprint(),
        })
    }
}

fn resolved_data(data: &TrackData) -> TrackData {
    TrackData {
        kind: data.kind,
        root: resolved(&data.root),
    }
}

/// The same text for every spelling of a path: relative, through a link, with a slash at its end.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn read_summary(path: &Path, manifest: Value) -> Result<TrackSummary, RunError> {
    let read = || {
        let mut summary: TrackSummary = serde_json::from_value(manifest["summary"].clone())?;
        summary.per_sequence = serde_json::from_value(manifest["per_sequence"].clone())?;
        summary.is_complete_already = true;
        Ok(summary)
    };
    read().map_err(|err: serde_json::Error| failed("read", path)(std::io::Error::other(err)))
}
