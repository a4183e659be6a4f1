//! Whether a folder holds the run that is asked for: the same settings, part, list and clips.

use std::path::Path;

use serde_json::{Value, json};
use vidpairs_run::{RunError, same_run};
use vidpairs_shard::Part;

use super::journal::Begin;
use crate::run::ExtractError;
use crate::run::entries::Entries;

/// What the command writes, for errors.
pub(super) const WHAT: &str = "pairs";

/// The settings of the stopped run, if they and the source are those of this one.
pub(super) fn stopped_begin(
    out: &Path,
    begin: Value,
    part: Option<Part>,
    pipeline: &Value,
    entries: &Entries,
) -> Result<Begin, RunError> {
    let version = begin["program_version"].as_str().unwrap_or_default();
    same_settings(out, version, &begin["pipeline"], pipeline)?;
    let begin: Begin = serde_json::from_value(begin).map_err(RunError::of)?;
    same_part(out, begin.part, part)?;
    if begin.list_xxh64 != entries.list_xxh64 {
        let out = out.to_owned();
        return Err(ExtractError::ListChanged { out }.into());
    }
    same_clips(out, begin.entries, begin.entries_xxh64, entries)?;
    Ok(begin)
}

/// Fails if the folder was made for another part: it was renamed or copied.
pub(super) fn same_part(
    out: &Path,
    theirs: Option<Part>,
    ours: Option<Part>,
) -> Result<(), RunError> {
    let named = |part: Option<Part>| part.map_or("a whole run".to_owned(), |part| part.to_string());
    match theirs == ours {
        true => Ok(()),
        false => Err(ExtractError::OtherPart {
            out: out.to_owned(),
            theirs: named(theirs),
            ours: named(ours),
        }
        .into()),
    }
}

/// Fails if the clips of the source are not those of the run, by number and checksum.
pub(super) fn same_clips(
    out: &Path,
    then: u64,
    fingerprint: u64,
    entries: &Entries,
) -> Result<(), RunError> {
    if fingerprint == entries.fingerprint {
        return Ok(());
    }
    Err(ExtractError::SourceChanged {
        out: out.to_owned(),
        then,
        now: entries.len(),
    }
    .into())
}

/// Fails if two pipelines write other bytes.
pub(super) fn same_pipeline(out: &Path, theirs: &Value, ours: &Value) -> Result<(), RunError> {
    // `[extract]` sets the tolerance for bad inputs, not the bytes that are written.
    same_run(out, WHAT, theirs, ours, |setting| setting == "extract")
}

/// Fails if a run of the program `version` writes other bytes than one of this program.
pub(super) fn same_settings(
    out: &Path,
    version: &str,
    theirs: &Value,
    ours: &Value,
) -> Result<(), RunError> {
    let of_run = |version: &str, pipeline: &Value| {
        let mut all = pipeline.clone();
        if let Some(all) = all.as_object_mut() {
            all.insert("program_version".to_owned(), json!(version));
        }
        all
    };
    let ours = of_run(env!("CARGO_PKG_VERSION"), ours);
    same_pipeline(out, &of_run(version, theirs), &ours)
}
