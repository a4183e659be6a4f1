//! One part of many: what it shares with the others, which may be made by other processes at the same time.

use std::fs;
use std::path::Path;

use serde_json::Value;
use vidpairs_run::{OutFolder, RunError, failed};
use vidpairs_shard::{PARTS_FILE, Part, PartsFile};
use vidpairs_types::create_own_folder;

use super::same::{same_clips, same_settings};
use crate::run::ExtractError;
use crate::run::entries::Entries;

/// Fails if `out` holds a run in parts: a run without parts would write beside them.
pub(super) fn refuse_parts(out: &Path) -> Result<(), RunError> {
    match PartsFile::read(out)? {
        None => Ok(()),
        Some(file) => Err(ExtractError::InParts {
            out: out.to_owned(),
            of: file.of(),
        }
        .into()),
    }
}

/// Joins the run in parts in the folder `root`, or begins it.
///
/// # Errors
/// [`ExtractError::OtherNumberOfParts`], [`ExtractError::WithoutParts`], [`ExtractError::SourceChanged`], [`ExtractError::ListChanged`];
/// [`RunError`] as for a run that is resumed.
pub(super) fn join(
    root: &Path,
    part: Part,
    pipeline: &Value,
    entries: &Entries,
) -> Result<(), RunError> {
    let there = match PartsFile::read(root)? {
        Some(there) => there,
        None => {
            check(root, part)?;
            // A link to a folder is the user's.
            if !root.is_dir() {
                create_own_folder(root).map_err(failed("create", root))?;
            }
            let mut clips_of_parts = vec![0; part.of() as usize];
            for entry in entries.list.iter() {
                clips_of_parts[Part::index_of(entry.id(), part.of()) as usize] += 1;
            }
            let ours = PartsFile::new(
                pipeline.clone(),
                entries.fingerprint,
                entries.list_xxh64,
                clips_of_parts,
            );
            ours.write_or_read(root)?
        }
    };
    same_settings(root, &there.program_version, &there.pipeline, pipeline)?;
    let out = root.to_owned();
    if there.of() != part.of() {
        let (then, now) = (there.of(), part.of());
        return Err(ExtractError::OtherNumberOfParts { out, then, now }.into());
    }
    if there.list_xxh64 != entries.list_xxh64 {
        return Err(ExtractError::ListChanged { out }.into());
    }
    same_clips(root, there.clips(), there.clips_xxh64, entries)
}

/// Fails if `root` holds anything but parts of a run that another process begins just now.
fn check(root: &Path, part: Part) -> Result<(), RunError> {
    if OutFolder::has_journal(root) {
        let out = root.to_owned();
        return Err(ExtractError::WithoutParts { out }.into());
    }
    let is_new = |name: &String| {
        let is_part = Part::of_folder(name).is_some_and(|other| other.of() == part.of());
        is_part || name.starts_with(PartsFile::UNFINISHED)
    };
    let mut names = vec![PARTS_FILE.to_owned()];
    if let Ok(entries) = fs::read_dir(root) {
        let found = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        names.extend(found.filter(is_new));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match OutFolder::check(root, &names) {
        // Another process began since the names were read.
        Err(RunError::NotOurs { found, .. }) if is_new(&found) => Ok(()),
        checked => checked,
    }
}
