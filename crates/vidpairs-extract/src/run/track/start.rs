//! Where a run starts: from nothing, from where it was stopped, or not at all.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vidpairs_run::{JOURNAL_FOLDER, RunError, differences, failed, nothing_foreign_in};
use vidpairs_types::Refusal;
use xxhash_rust::xxh3::xxh3_64;

use super::TrackOptions;
use super::data::{Sequence, Sequences};
use super::journal::{Begin, Done, Journal};
use super::results::SUMMARY_FILE;
use super::summary::TrackSummary;
use crate::run::TrackRunError;
use crate::track::TrackError;

/// What is left to do.
pub(super) enum Start {
    /// Nothing.
    Complete(Box<TrackSummary>),
    /// All, or the rest.
    From(Box<Ready>),
}

/// Everything that is needed to go on.
pub(super) struct Ready {
    pub begin: Begin,
    pub sequences: Arc<[Sequence]>,
    /// What should have been sequences.
    pub refused: Vec<Refusal>,
    pub journal: Journal,
    pub done: Vec<Done>,
}

/// Looks at the trackers, the data and the output folder, and decides.
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
    let has_journal = out.join(JOURNAL_FOLDER).is_dir();
    if let Some(mut summary) = finished(out, &begin)? {
        if has_journal {
            // The run was stopped while it removed it.
            Journal::open(out)?.0.remove()?;
        }
        summary.is_complete_already = true;
        return Ok(Start::Complete(Box::new(summary)));
    }
    if !has_journal {
        nothing_foreign_in(out)?;
    }
    let (mut journal, before) = Journal::open(out)?;
    let done = match before {
        Some(found) => {
            begin.same_as(&found.begin, out)?;
            found.done
        }
        None => {
            journal.add(&begin)?;
            Vec::new()
        }
    };
    Ok(Start::From(Box::new(Ready {
        begin,
        sequences: found.list.into(),
        refused: found.refused,
        journal,
        done,
    })))
}

impl Begin {
    fn new(options: &TrackOptions, found: &Sequences) -> Result<Self, RunError> {
        let program = std::env::current_exe().map_err(failed("find", Path::new("this program")))?;
        let bytes = std::fs::read(&program).map_err(failed("read", &program))?;
        Ok(Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            program_xxh3: format!("{:016x}", xxh3_64(&bytes)),
            data: options.data.clone(),
            media: options.media.clone(),
            trackers: options.trackers.clone(),
            sequences: found.list.len() as u64,
            sequences_xxh3: found.fingerprint(),
        })
    }

    /// Fails if `theirs` is another run.
    fn same_as(&self, theirs: &Value, out: &Path) -> Result<(), RunError> {
        let is_build = |path: &str| path == "program_xxh3";
        let mut differences = differences(theirs, &json!(self), is_build);
        if theirs["program_xxh3"] != json!(self.program_xxh3) {
            differences.push("another build of vidpairs".to_owned());
        }
        match differences.is_empty() {
            true => Ok(()),
            false => Err(RunError::OtherRun {
                out: out.to_owned(),
                what: "results",
                difference: differences.join(", "),
            }),
        }
    }
}

/// The summary of a run that `out` holds whole.
fn finished(out: &Path, begin: &Begin) -> Result<Option<TrackSummary>, RunError> {
    let path = out.join(SUMMARY_FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed("read", &path)(err)),
    };
    let unreadable = |err: serde_json::Error| failed("read", &path)(std::io::Error::other(err));
    let found: Value = serde_json::from_slice(&text).map_err(unreadable)?;
    begin.same_as(&found["run"], out)?;
    let mut summary: TrackSummary =
        serde_json::from_value(found["summary"].clone()).map_err(unreadable)?;
    summary.per_sequence =
        serde_json::from_value(found["per_sequence"].clone()).map_err(unreadable)?;
    Ok(Some(summary))
}
