//! Makes one data set of its parts. No shard is moved or copied.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use vidpairs_pipeline::MaxRefused;
use vidpairs_run::{Control, OutFolder, RunError, RunState, counted, failed, refusals, same_run};
use vidpairs_shard::{
    BoxCounts, CUTS_FILE, ClipCuts, CutsEntry, MANIFEST_FILE, Manifest, ORDER_FILE, Part,
    PartEntry, PartsEntry, PartsFile, RecordOrder, ShardEntry, ShardError, TRACKS_FILE, Totals,
    TracksEntry, read_cuts,
};
use vidpairs_store::store_url;
use vidpairs_types::{Outcome, Refusal, with_causes};

use super::stored::StoredRun;
use super::{PartsError, array_of, refuse_lost_parts};

/// What the command writes, for errors.
const WHAT: &str = "a merged data set";

/// Result of `vidpairs merge`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MergeSummary {
    /// Number of parts.
    pub parts: u32,
    /// Counts over all parts.
    #[serde(flatten)]
    pub totals: Totals,
    /// Number of files of the source that are neither videos nor pictures of a clip, by extension.
    pub ignored: BTreeMap<String, u64>,
    /// Whether more clips were refused than `extract.max_refused` allows.
    pub too_many_refused: bool,
    /// The value of `extract.max_refused`.
    #[serde(skip)]
    pub max_refused: String,
    /// Whether the parts were merged before.
    #[serde(skip)]
    pub is_complete_already: bool,
}

impl fmt::Display for MergeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals {
            clips,
            refused,
            skipped,
            partial,
            records,
            shards,
            bytes,
        } = self.totals;
        write!(
            f,
            "{} of {} in {} of {}, {}",
            counted(records, "pair"),
            counted(clips, "clip"),
            counted(shards, "shard"),
            counted(self.parts.into(), "part"),
            indicatif::HumanBytes(bytes)
        )?;
        if self.is_complete_already {
            write!(f, "; merged already")?;
        }
        if refused + skipped + partial > 0 {
            let refused = counted(refused, "clip");
            write!(
                f,
                "; {refused} refused, {skipped} skipped, {partial} partial: refused.jsonl says why"
            )?;
        }
        Ok(())
    }
}

/// Merges the parts in `out`, a folder or a URL, which must all be complete, and proves that they are of one run and hold each clip once.
///
/// Their shards stay where they are. `dataset.json` is written last.
///
/// # Errors
/// [`PartsError`]; [`RunError::Shard`] if a manifest or an index is damaged, or two parts hold the same clip; errors of the store.
pub fn merge(out: &Path, control: &Control) -> Result<MergeSummary, RunError> {
    let Some(url) = store_url(out) else {
        let bytes_of = |path: &Path| Ok(fs::symlink_metadata(path)?.len());
        return merge_in(out, &bytes_of, control);
    };
    let run = StoredRun::fetch(url, true, control)?;
    let merged = merge_in(run.path(), &|path| run.bytes_of(path), control);
    let summary = merged.map_err(|err| run.error(err))?;
    if !summary.is_complete_already || !run.has_results() {
        run.publish(control)?;
    }
    Ok(summary)
}

/// Merges the parts in a folder.
///
/// - `bytes_of`: length of a file below it, which may be elsewhere.
fn merge_in(
    out: &Path,
    bytes_of: &dyn Fn(&Path) -> io::Result<u64>,
    control: &Control,
) -> Result<MergeSummary, RunError> {
    if !out.is_dir() {
        return Err(PartsError::NoFolder(out.to_owned()).into());
    }
    let Some(file) = PartsFile::read(out)? else {
        refuse_lost_parts(out)?;
        let is_run = OutFolder::has_journal(out) || out.join(MANIFEST_FILE).is_file();
        let path = out.to_owned();
        return Err(match is_run {
            true => PartsError::NoParts(path),
            false => PartsError::NoRun(path),
        }
        .into());
    };
    let path = out.join(MANIFEST_FILE);
    let before = match path.is_file().then(|| Manifest::read(out)) {
        // What is left of an earlier merge is written anew.
        Some(Err(ShardError::ManifestUnreadable { .. })) | None => None,
        Some(read) => Some(read?),
    };
    if before.as_ref().is_some_and(|before| before.parts.is_none()) {
        return Err(PartsError::OtherDataset(out.to_owned()).into());
    }
    check_folders(out, file.of())?;
    let mut claimed = OutFolder::claim(out, WHAT)?;
    let manifests = manifests(out, &file, bytes_of)?;
    let refusals = refusals_of(out, &file, &manifests)?;
    let cuts = cuts_of(out, &file, &manifests)?.map(|clips| CutsEntry::of(&clips));
    let (list, shards): (Vec<_>, Vec<_>) = manifests
        .iter()
        .zip(file.parts())
        .map(|(manifest, part)| described(part, manifest))
        .unzip();
    let slices: Vec<&[ShardEntry]> = shards.iter().map(Vec::as_slice).collect();
    let keep_going = || !control.cancel.is_set();
    let order = RecordOrder::of_parts(out, &slices, &keep_going);
    let order = order.map_err(|err| PartsError::Index {
        problem: with_causes(&err),
    })?;
    let order = order.ok_or(RunError::Stopped)?;
    // Not yet in its place: the manifest of an earlier merge describes the file that is there.
    let journal = claimed.journal_folder();
    let order = order.write(&journal, &journal.join("unfinished"))?;
    let mut manifest = merged(&file, &manifests, shards.concat());
    manifest = manifest.with_parts(PartsEntry { order, list });
    manifest.cuts = cuts.as_ref().map(|(_, entry)| entry.clone());
    let is_complete_already = before.as_ref() == Some(&manifest);
    if path.is_file() && !is_complete_already {
        fs::remove_file(&path).map_err(failed("remove", &path))?;
    }
    let path = out.join(ORDER_FILE);
    fs::rename(journal.join(ORDER_FILE), &path).map_err(failed("write", &path))?;
    claimed.write_refusals(&refusals)?;
    if let Some((text, _)) = &cuts {
        claimed.write(CUTS_FILE, text)?;
    }
    vidpairs_run::write_card(&claimed, &manifest)?;
    if !is_complete_already {
        manifest.write_atomically(out)?;
    }
    claimed.finish()?;
    let max_refused = manifest.pipeline.pointer("/extract/max_refused");
    let max_refused = max_refused.and_then(MaxRefused::of_resolved);
    Ok(MergeSummary {
        parts: file.of(),
        totals: manifest.totals,
        ignored: manifest.ignored,
        too_many_refused: max_refused
            .is_some_and(|max| max.is_exceeded(manifest.totals.refused, manifest.totals.clips)),
        max_refused: max_refused.map_or_else(String::new, |max| max.to_string()),
        is_complete_already,
    })
}

/// Fails if a folder of a part is of a run in another number of parts.
fn check_folders(out: &Path, of: u32) -> Result<(), RunError> {
    for entry in fs::read_dir(out).map_err(failed("list", out))? {
        let name = entry.map_err(failed("list", out))?.file_name();
        let part = name.to_str().and_then(Part::of_folder);
        if part.is_some_and(|part| part.of() != of) {
            let folder = out.join(name);
            return Err(PartsError::ForeignPart { folder, of }.into());
        }
    }
    Ok(())
}

/// Manifest of each part, proved to be of the run of `file`, with all of its files.
fn manifests(
    out: &Path,
    file: &PartsFile,
    bytes_of: &dyn Fn(&Path) -> io::Result<u64>,
) -> Result<Vec<Manifest>, RunError> {
    let is_complete = |part: Part| {
        let folder = out.join(part.folder());
        folder.join(MANIFEST_FILE).is_file() && !OutFolder::has_journal(&folder)
    };
    let incomplete: Vec<Part> = file.parts().filter(|part| !is_complete(*part)).collect();
    if !incomplete.is_empty() {
        let is_running = |part: &&Part| {
            RunState::read(&out.join(part.folder())).is_some_and(|state| state.is_running())
        };
        let (running, missing): (Vec<&Part>, Vec<&Part>) = incomplete.iter().partition(is_running);
        let indices = |parts: Vec<&Part>| {
            let indices: Vec<u32> = parts.into_iter().map(|part| part.index()).collect();
            array_of(&indices)
        };
        let (num, of) = (incomplete.len(), file.of());
        let (running, missing) = (indices(running), indices(missing));
        return Err(match missing.is_empty() {
            true => PartsError::Running { num, of, running },
            false => PartsError::Incomplete { num, of, missing },
        }
        .into());
    }
    let read = |(part, clips): (Part, &u64)| {
        let folder = out.join(part.folder());
        let manifest = Manifest::read(&folder)?;
        check_part(&folder, part, *clips, file, &manifest)?;
        check_files(&folder, &manifest, bytes_of)?;
        Ok(manifest)
    };
    file.parts().zip(&file.clips_of_parts).map(read).collect()
}

/// Whether a part is of the run of `file`.
fn check_part(
    folder: &Path,
    part: Part,
    clips: u64,
    file: &PartsFile,
    manifest: &Manifest,
) -> Result<(), RunError> {
    let other = |difference: String| {
        RunError::from(PartsError::OtherPart {
            folder: folder.to_owned(),
            difference,
        })
    };
    if !manifest.pipeline.is_object() {
        return Err(other("its manifest has no settings".to_owned()));
    }
    let settings = |version: &str, seed: u64, pipeline: &serde_json::Value| {
        let mut all = pipeline.clone();
        all["program_version"] = json!(version);
        all["seed"] = json!(seed);
        all
    };
    let theirs = settings(&manifest.program_version, manifest.seed, &manifest.pipeline);
    let seed = file.pipeline["seed"].as_u64().unwrap_or(manifest.seed);
    let ours = settings(&file.program_version, seed, &file.pipeline);
    same_run(folder, WHAT, &theirs, &ours, |key| key == "extract").map_err(|err| match err {
        RunError::OtherRun { difference, .. } => other(difference),
        RunError::OtherVersion { theirs, ours, .. } => {
            other(format!("program_version was {theirs}, is {ours}"))
        }
        err => err,
    })?;
    let named = match manifest.part {
        Some(part) => part.to_string(),
        None => "a whole data set".to_owned(),
    };
    if manifest.part != Some(part) {
        return Err(other(format!("it is {named}")));
    }
    if manifest.list_xxh64 != file.list_xxh64 {
        return Err(other(
            "it was made with another list of clips, or without one".to_owned(),
        ));
    }
    if manifest.clips_xxh64 != file.clips_xxh64 {
        return Err(other("it is of another source".to_owned()));
    }
    if manifest.totals.clips != clips {
        let found = manifest.totals.clips;
        return Err(other(format!("it has {found} clips instead of {clips}")));
    }
    Ok(())
}

/// Whether every file of a part has the length that its manifest states. The `.idx` are read later.
fn check_files(
    folder: &Path,
    manifest: &Manifest,
    bytes_of: &dyn Fn(&Path) -> io::Result<u64>,
) -> Result<(), PartsError> {
    let tars = manifest.shards.iter();
    let tars = tars.map(|shard| (&shard.file, shard.bytes));
    let tracks = manifest.tracks.iter();
    for (name, stated) in tars.chain(tracks.map(|tracks| (&tracks.file, tracks.bytes))) {
        let path = folder.join(name);
        let problem = match bytes_of(&path) {
            Ok(found) if found == stated => continue,
            Ok(found) => format!("has {found} bytes; its manifest states {stated}"),
            Err(err) => err.to_string(),
        };
        return Err(PartsError::File { path, problem });
    }
    Ok(())
}

/// What all parts set aside, in the order of the ids.
fn refusals_of(
    out: &Path,
    file: &PartsFile,
    manifests: &[Manifest],
) -> Result<Vec<Refusal>, RunError> {
    let mut all = Vec::new();
    for (part, manifest) in file.parts().zip(manifests) {
        let folder = out.join(part.folder());
        let found = refusals::read_all(&folder)?;
        let num = |outcome| {
            let of_outcome = found.iter().filter(|refusal| refusal.outcome == outcome);
            of_outcome.count() as u64
        };
        let Totals {
            refused,
            skipped,
            partial,
            ..
        } = manifest.totals;
        let counts = [Outcome::Refused, Outcome::Skipped, Outcome::Partial].map(num);
        if counts != [refused, skipped, partial] {
            let path = folder.join(vidpairs_run::REFUSED_FILE);
            let stated = refused + skipped + partial;
            let problem = format!("has {} lines; its manifest states {stated}", found.len());
            return Err(PartsError::File { path, problem }.into());
        }
        all.extend(found);
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

/// The clips with cuts of all parts, in the order of the ids; `None` if cuts were ignored.
fn cuts_of(
    out: &Path,
    file: &PartsFile,
    manifests: &[Manifest],
) -> Result<Option<Vec<ClipCuts>>, RunError> {
    let mut all: Option<Vec<ClipCuts>> = None;
    for (part, manifest) in file.parts().zip(manifests) {
        let Some(stated) = &manifest.cuts else {
            continue;
        };
        let folder = out.join(part.folder());
        let found = read_cuts(&folder)?;
        if CutsEntry::of(&found).1 != *stated {
            let path = folder.join(CUTS_FILE);
            let problem = "is not the file that its manifest describes".to_owned();
            return Err(PartsError::File { path, problem }.into());
        }
        all.get_or_insert_default().extend(found);
    }
    if let Some(all) = &mut all {
        all.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(all)
}

/// Description of a part, and its shards with their paths below the data set.
fn described(part: Part, manifest: &Manifest) -> (PartEntry, Vec<ShardEntry>) {
    let folder = part.folder();
    let shards = manifest.shards.iter();
    let shards = shards.map(|shard| ShardEntry {
        file: format!("{folder}/{}", shard.file),
        ..shard.clone()
    });
    let tracks = manifest.tracks.as_ref().map(|tracks| TracksEntry {
        file: format!("{folder}/{TRACKS_FILE}"),
        ..tracks.clone()
    });
    let entry = PartEntry {
        folder: folder.clone(),
        clips: manifest.totals.clips,
        shards: manifest.shards.len() as u64,
        records: {
            let records = manifest.shards.iter().map(|shard| shard.records);
            records.fold(0, u64::saturating_add)
        },
        tracks,
    };
    (entry, shards.collect())
}

/// The manifest of all parts.
fn merged(file: &PartsFile, manifests: &[Manifest], shards: Vec<ShardEntry>) -> Manifest {
    let mut totals = Totals::default();
    let mut boxes: Option<BoxCounts> = None;
    for manifest in manifests {
        totals.add(&manifest.totals);
        if let Some(of_part) = &manifest.boxes {
            boxes.get_or_insert_default().add(of_part);
        }
    }
    let first = manifests.first();
    let seed = first.map_or(0, |first| first.seed);
    let pipeline = file.pipeline.clone();
    let mut manifest = Manifest::new(pipeline, seed, file.clips_xxh64, totals, shards);
    manifest.program_version = file.program_version.clone();
    // Every part saw the same source.
    manifest.ignored = first.map(|first| first.ignored.clone()).unwrap_or_default();
    manifest.boxes = boxes;
    manifest
}
