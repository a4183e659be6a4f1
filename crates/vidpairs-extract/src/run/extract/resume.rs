//! Where a run starts: from nothing, from where it was stopped, or not at all.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vidpairs_run::{JOURNAL_FOLDER, RunError, differences, nothing_foreign_in};
use vidpairs_shard::{MANIFEST_FILE, Manifest, ShardError, ShardWriter, TracksWriter};
use vidpairs_types::Outcome;

use super::entries::{Entries, Entry};
use super::finish::{read_refusals, summary_of};
use super::job::Item;
use super::journal::{Begin, Found, Journal, Line, Progress};
use super::{ExtractOptions, ExtractSummary};
use crate::run::ExtractError;

/// What is left to do.
pub(super) enum Start {
    /// Nothing.
    Complete(Box<ExtractSummary>),
    /// All, or the rest.
    From(Box<Ready>),
}

/// Everything that the writer needs to go on.
pub(super) struct Ready {
    pub entries: Entries,
    pub begin: Begin,
    pub journal: Journal,
    pub progress: Progress,
    pub writer: Option<ShardWriter>,
    /// In kind `regions`.
    pub tracks: Option<TracksWriter>,
}

impl Ready {
    /// The entries that are not done, in order.
    pub fn work(&self) -> Vec<Item> {
        let position = self.progress.position;
        let is_asked = |ordinal: u64| match &self.begin.retry {
            Some(retry) => retry.binary_search(&ordinal).is_ok(),
            None => true,
        };
        let item = |(ordinal, entry): (u64, &Entry)| Item {
            ordinal,
            entry: Arc::new(entry.clone()),
            skip_pieces: if ordinal == position.entry {
                position.piece
            } else {
                0
            },
        };
        (0..)
            .zip(self.entries.list.iter())
            .filter(|&(ordinal, _)| ordinal >= position.entry && is_asked(ordinal))
            .map(item)
            .collect()
    }
}

/// Looks at the output folder and the source, and decides.
pub(super) fn start(options: &ExtractOptions) -> Result<Start, RunError> {
    let out = &options.out;
    let pipeline = options.pipeline.resolved();
    let has_journal = out.join(JOURNAL_FOLDER).exists();
    let manifest = match out.join(MANIFEST_FILE).exists() {
        true => Some(Manifest::read(out)?),
        false => None,
    };
    match &manifest {
        Some(manifest) => {
            same_pipeline(out, &manifest.pipeline, &pipeline)?;
        }
        None if options.retry_refused => {
            return Err(ExtractError::NotEnded { out: out.clone() }.into());
        }
        None if !has_journal => nothing_foreign_in(out)?,
        None => {}
    }
    // Listed before anything is made: a wrong source leaves no folder behind.
    let entries = Entries::list(&options.pipeline, &options.source)?;
    if let Some(manifest) = &manifest {
        same_clips(out, (manifest.totals.clips, manifest.clips_xxh64), &entries)?;
        if !has_journal && !options.retry_refused {
            return complete(out, manifest, options);
        }
    }
    let (mut journal, found) = Journal::open(out)?;
    if let Some(found) = found {
        same_run(out, &found.begin, &pipeline, &entries)?;
        return match (&manifest, &found.begin.retry) {
            // Stopped between its last two acts: the manifest is there, the journal too.
            (Some(_), None) => {
                journal.remove()?;
                start(options)
            }
            _ => resumed(options, entries, journal, found),
        };
    }
    // An empty journal beside a manifest: a kill came while it was being taken away, or before a retry
    // began.
    if let Some(manifest) = manifest.as_ref().filter(|_| !options.retry_refused) {
        journal.remove()?;
        return complete(out, manifest, options);
    }
    let (retry, first_shard) = match &manifest {
        Some(manifest) => {
            let ordinals = refused_ordinals(out, &entries)?;
            if ordinals.is_empty() {
                journal.remove()?;
                return complete(out, manifest, options);
            }
            (Some(ordinals), manifest.shards.len() as u64)
        }
        None => (None, 0),
    };
    let begin = Begin {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline,
        entries: entries.len(),
        entries_xxh64: entries.fingerprint,
        retry,
        first_shard,
        tracks: manifest.and_then(|manifest| manifest.tracks),
    };
    journal.add(&Line::Begin(begin.clone()))?;
    let progress = Progress::default();
    let tracks = match options.pipeline.regions {
        Some(_) => Some(TracksWriter::create(journal.folder())?),
        None => None,
    };
    Ok(Start::From(Box::new(Ready {
        entries,
        begin,
        journal,
        progress,
        writer: None,
        tracks,
    })))
}

/// Goes back to the last line of the journal whose bytes are there.
fn resumed(
    options: &ExtractOptions,
    entries: Entries,
    mut journal: Journal,
    found: Found,
) -> Result<Start, RunError> {
    let mut count = found.lines.len();
    let (progress, (writer, tracks)) = loop {
        let progress = found.progress(count);
        match reopened(options, journal.folder(), &found.begin, &progress) {
            Ok(open) => break (progress, open),
            // A power cut took bytes that the journal speaks of. Without a line there is none, so the loop
            // ends at the latest there.
            Err(_) if count > 0 => count -= 1,
            Err(err) => return Err(err.into()),
        }
    };
    journal.keep(&found, count)?;
    Ok(Start::From(Box::new(Ready {
        entries,
        begin: found.begin,
        journal,
        progress,
        writer,
        tracks,
    })))
}

/// The open shard and the file of tracklets as they were at `progress`.
fn reopened(
    options: &ExtractOptions,
    folder: &Path,
    begin: &Begin,
    progress: &Progress,
) -> Result<(Option<ShardWriter>, Option<TracksWriter>), ShardError> {
    let out = &options.out;
    let tracks = match (options.pipeline.regions, progress.tracks) {
        (None, _) => None,
        (Some(_), None) => Some(TracksWriter::create(folder)?),
        (Some(_), Some(mark)) => {
            // Finished, and stopped before the manifest was written. What another run had finished stays.
            if begin.retry.is_none() {
                TracksWriter::reopen_finished(out, folder)?;
            }
            Some(TracksWriter::resume(folder, &mark)?)
        }
    };
    let writer = match progress.open {
        None => None,
        Some(mark) => {
            let ordinal = begin.first_shard + progress.shards.len() as u64;
            // Finished, and stopped before the journal could say so.
            ShardWriter::reopen_finished(out, folder, ordinal)?;
            Some(ShardWriter::resume(folder, ordinal, &mark)?)
        }
    };
    Ok((writer, tracks))
}

fn complete(out: &Path, manifest: &Manifest, options: &ExtractOptions) -> Result<Start, RunError> {
    let mut summary = summary_of(manifest, &read_refusals(out)?, &options.pipeline);
    summary.is_complete_already = true;
    Ok(Start::Complete(Box::new(summary)))
}

fn refused_ordinals(out: &Path, entries: &Entries) -> Result<Vec<u64>, RunError> {
    let refusals = read_refusals(out)?;
    let refused: HashSet<&str> = refusals
        .iter()
        .filter(|refusal| refusal.outcome == Outcome::Refused)
        .map(|refusal| refusal.id.as_str())
        .collect();
    let all = (0..).zip(entries.list.iter());
    Ok(all
        .filter(|(_, entry)| refused.contains(entry.id()))
        .map(|(ordinal, _)| ordinal)
        .collect())
}

fn same_run(
    out: &Path,
    begin: &Begin,
    pipeline: &Value,
    entries: &Entries,
) -> Result<(), RunError> {
    let ours = env!("CARGO_PKG_VERSION");
    same_pipeline(out, &begin.pipeline, pipeline)?;
    if begin.program_version != ours {
        let (theirs, ours) = (begin.program_version.clone(), ours.to_owned());
        return Err(RunError::OtherVersion {
            out: out.to_owned(),
            theirs,
            ours,
        });
    }
    same_clips(out, (begin.entries, begin.entries_xxh64), entries)
}

/// Whether the source still holds the clips whose number and fingerprint were noted.
fn same_clips(
    out: &Path,
    (then, fingerprint): (u64, u64),
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

/// Whether two pipelines make the same bytes. `[extract]` says how much damage a run bears, not what
/// it writes.
fn same_pipeline(out: &Path, theirs: &Value, ours: &Value) -> Result<(), RunError> {
    let differences = differences(theirs, ours, |path| path == "extract");
    if differences.is_empty() {
        return Ok(());
    }
    Err(RunError::OtherRun {
        out: out.to_owned(),
        what: "pairs",
        difference: differences.join(", "),
    })
}
