//! Starts a run: new, resumed, or finished already.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use vidpairs_run::{Journal, OutFolder, RunError, Stopped, failed, refusals};
use vidpairs_shard::{MANIFEST_FILE, Manifest, ShardError, ShardName, ShardWriter, TracksWriter};
use vidpairs_types::Outcome;

use super::finish::summary_of;
use super::job::Item;
use super::journal::{Begin, Extracted, Line, ShardLine};
use super::same::{WHAT, same_clips, same_part, same_pipeline, stopped_begin};
use super::stored_out::{Checkpoint, StoredOut};
use super::{ExtractOptions, ExtractSummary, even, parts};
use crate::run::ExtractError;
use crate::run::entries::{Entries, Entry};

/// State of the output folder.
pub(super) enum Start {
    /// The run is finished.
    Complete(Box<ExtractSummary>),
    /// The run is new or was stopped.
    From(Box<Ready>),
}

/// State from which the writer continues.
pub(super) struct Ready {
    pub entries: Entries,
    pub begin: Begin,
    pub journal: Journal<Line>,
    pub progress: Extracted,
    pub writer: Option<ShardWriter>,
    /// Tracklets; kind `regions` only.
    pub tracks: Option<TracksWriter>,
}

impl Ready {
    /// The state that is resumed from.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::of(&self.progress, &self.journal, self.begin.shard(0))
    }

    /// Entries that are not finished, in order.
    pub fn work(&self) -> Vec<Item> {
        let position = self.progress.position;
        let asked = asked(&self.begin, &self.entries);
        let is_asked = |ordinal: u64| match &asked {
            Some(asked) => asked.binary_search(&ordinal).is_ok(),
            None => true,
        };
        let item = |(ordinal, entry): (u64, &Arc<Entry>)| Item {
            ordinal,
            entry: Arc::clone(entry),
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

/// Ordinals of the entries of a run, in order; `None` for all entries.
fn asked(begin: &Begin, entries: &Entries) -> Option<Vec<u64>> {
    match (&begin.retry, begin.part) {
        (Some(retry), _) => Some(retry.clone()),
        (None, Some(part)) => Some(entries.of_part(part)),
        (None, None) => None,
    }
}

/// Checks the output folder and the source, and opens the journal.
///
/// - `stored`: the output folder, if it is in a store.
pub(super) fn start(
    options: &ExtractOptions,
    stored: Option<&StoredOut>,
) -> Result<Start, RunError> {
    let out = &options.out;
    let pipeline = options.pipeline.resolved();
    if options.part.is_none() {
        parts::refuse_parts(out)?;
    }
    let has_journal = OutFolder::has_journal(out);
    let manifest = read_manifest(out)?;
    match &manifest {
        Some(manifest) if manifest.resharded.is_some() && options.retry_refused => {
            return Err(ExtractError::Resharded { out: out.clone() }.into());
        }
        Some(manifest) => {
            same_part(out, manifest.part, options.part)?;
            same_pipeline(out, &manifest.pipeline, &pipeline)?;
        }
        None if options.retry_refused => {
            return Err(ExtractError::NotEnded { out: out.clone() }.into());
        }
        None if !has_journal => OutFolder::check(out, &[])?,
        None => {}
    }
    // Listed before the folder is created: a wrong source leaves no folder behind.
    let entries = Entries::list(&options.pipeline, &options.source, &options.control)?;
    if let (Some(part), Some(root)) = (options.part, out.parent()) {
        parts::join(root, part, &pipeline, &entries)?;
        if let Some(stored) = stored
            && !stored.share_parts()?
        {
            // Another process began it.
            parts::join(root, part, &pipeline, &entries)?;
        }
    }
    if let Some(manifest) = &manifest {
        same_clips(out, manifest.totals.clips, manifest.clips_xxh64, &entries)?;
        if !has_journal && !options.retry_refused {
            OutFolder::tidy(out);
            return complete(out, manifest, options);
        }
    }
    let claimed = OutFolder::claim(out, WHAT)?;
    if read_manifest(out)? != manifest {
        // Another run has finished since.
        drop(claimed);
        return start(options, stored);
    }
    let same = |begin| stopped_begin(out, begin, options.part, &pipeline, &entries);
    let (mut journal, stopped) = Journal::open(claimed, same)?;
    if let Some(Stopped { begin, lines }) = stopped {
        return match (&manifest, &begin.retry) {
            // Stopped between the manifest and the removal of the journal.
            (Some(_), None) => {
                journal.finish()?;
                start(options, stored)
            }
            _ => resumed(options, stored, entries, journal, begin, lines),
        };
    }
    // An empty journal beside a manifest: the run was killed while it removed the journal, or before a retry began.
    if let Some(manifest) = manifest.as_ref().filter(|_| !options.retry_refused) {
        journal.finish()?;
        return complete(out, manifest, options);
    }
    let (retry, first_shard) = match &manifest {
        Some(manifest) => {
            let ordinals = refused_ordinals(out, &entries)?;
            if ordinals.is_empty() {
                journal.finish()?;
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
        part: options.part,
        list_xxh64: entries.list_xxh64,
        retry,
        first_shard,
        boxes: manifest
            .as_ref()
            .and_then(|manifest| manifest.boxes.clone()),
        has_cuts: manifest
            .as_ref()
            .is_some_and(|manifest| manifest.cuts.is_some()),
        tracks: manifest.and_then(|manifest| manifest.tracks),
    };
    journal.begin(&begin)?;
    let progress = Extracted::default();
    let tracks = match options.pipeline.regions {
        Some(_) => Some(TracksWriter::create(&journal.out().journal_folder())?),
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

fn read_manifest(out: &Path) -> Result<Option<Manifest>, ShardError> {
    match out.join(MANIFEST_FILE).exists() {
        true => Manifest::read(out).map(Some),
        false => Ok(None),
    }
}

/// Resumes after the last line of the journal whose bytes are there.
fn resumed(
    options: &ExtractOptions,
    stored: Option<&StoredOut>,
    entries: Entries,
    mut journal: Journal<Line>,
    begin: Begin,
    mut lines: Vec<Line>,
) -> Result<Start, RunError> {
    let folder = journal.out().journal_folder();
    let finished = even::folder_of(&options.out, &begin, &options.pipeline.shards)?;
    let asked = asked(&begin, &entries);
    if !Extracted::do_follow(&lines, &begin, asked.as_deref()) {
        return Err(journal.refused());
    }
    let num_lines = lines.len();
    lines.truncate(num_with_their_shards(&finished, stored, &lines));
    lines.truncate(num_without_changed_clip(&lines, &entries));
    if lines.len() < num_lines {
        // The journal first: it must not describe records that are removed below.
        journal.keep(lines.len())?;
        journal.sync()?;
    }
    let (progress, (writer, tracks)) = loop {
        let progress = Extracted::of(&lines);
        match reopened(options, [&finished, &folder], &begin, &progress) {
            Ok(open) => break (progress, open),
            // A power cut took bytes that the last line describes. The first line describes none, so the loop ends.
            Err(err) if is_shortfall(&err) && lines.pop().is_some() => {}
            Err(err) => return Err(err.into()),
        }
    };
    journal.keep(lines.len())?;
    remove_shards_after(&finished, begin.shard(progress.shards.len() as u64))?;
    Ok(Start::From(Box::new(Ready {
        entries,
        begin,
        journal,
        progress,
        writer,
        tracks,
    })))
}

/// Number of lines up to the first finished shard that is gone, or has another length. Its records are made again.
///
/// - `finished`: the folder of finished shards.
/// - `stored`: the folder of a store to which it may have moved.
fn num_with_their_shards(finished: &Path, stored: Option<&StoredOut>, lines: &[Line]) -> usize {
    let is_gone = |line: &Line| match line {
        Line::Shard(ShardLine { shard, .. }) => {
            let tar = finished.join(&shard.file);
            let has_index = tar.with_extension("idx").is_file();
            let found = tar.symlink_metadata().ok();
            let is_there = found.is_some_and(|tar| tar.is_file() && tar.len() == shard.bytes);
            let is_stored = stored.is_some_and(|stored| stored.has(shard));
            !(is_there && has_index || is_stored)
        }
        Line::Piece(_) => false,
    };
    lines.iter().position(is_gone).unwrap_or(lines.len())
}

/// Number of lines before those of the unfinished clip, if its files changed while the run was stopped; else of all lines. Its first
/// pairs would come from other video than the rest.
fn num_without_changed_clip(lines: &[Line], entries: &Entries) -> usize {
    let position = Extracted::of(lines).position;
    if (position.piece, position.records, position.pair) == (0, 0, 0) {
        return lines.len();
    }
    let at = usize::try_from(position.entry).ok();
    let now = at.and_then(|at| entries.list.get(at));
    let now = now.and_then(|entry| entry.files_xxh3());
    if now.is_some() && now == position.files_xxh3 {
        return lines.len();
    }
    let is_of_clip = |line: &Line| line.entry() == position.entry;
    lines.iter().position(is_of_clip).unwrap_or(lines.len())
}

/// Removes the shards from `first` on, which the journal does not hold. The last one goes first, so that a kill leaves no gap.
fn remove_shards_after(folder: &Path, first: ShardName) -> Result<(), RunError> {
    let names = |ordinal| {
        let name = ShardName { ordinal, ..first };
        [name.tar(), name.index()]
    };
    let first = first.ordinal;
    let is_there = |ordinal: &u64| {
        names(*ordinal)
            .iter()
            .any(|name| folder.join(name).exists())
    };
    // The first may have been reopened, and is then not there.
    let further = (first + 1..).take_while(is_there);
    let found: Vec<u64> = [first]
        .into_iter()
        .filter(is_there)
        .chain(further)
        .collect();
    for ordinal in found.into_iter().rev() {
        for path in names(ordinal).map(|name| folder.join(name)) {
            match fs::remove_file(&path) {
                Err(err) if err.kind() != ErrorKind::NotFound => {
                    return Err(failed("remove", &path)(err));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether bytes that a line of the journal describes are missing or changed.
fn is_shortfall(err: &ShardError) -> bool {
    match err {
        ShardError::CutBelowMark { .. }
        | ShardError::DiffersFromMark { .. }
        | ShardError::RecordsDifferFromMark { .. } => true,
        ShardError::Read { source, .. } | ShardError::Write { source, .. } => {
            source.kind() == ErrorKind::NotFound
        }
        _ => false,
    }
}

/// Reopens the shard and the file of tracklets in their state at `progress`.
///
/// - `finished`, `folder`: the folders of finished and of unfinished shards.
fn reopened(
    options: &ExtractOptions,
    [finished, folder]: [&Path; 2],
    begin: &Begin,
    progress: &Extracted,
) -> Result<(Option<ShardWriter>, Option<TracksWriter>), ShardError> {
    let out = &options.out;
    let tracks = match (options.pipeline.regions, progress.tracks) {
        (None, _) => None,
        (Some(_), None) => Some(TracksWriter::create(folder)?),
        (Some(_), Some(mark)) => {
            // The file was finished and the run stopped before the manifest. The file of another run stays.
            if begin.retry.is_none() {
                TracksWriter::reopen_finished(out, folder)?;
            }
            Some(TracksWriter::resume(folder, &mark)?)
        }
    };
    let writer = match progress.open {
        None => None,
        Some(mark) => {
            let name = begin.shard(progress.shards.len() as u64);
            // The shard was finished and the run stopped before the journal line.
            ShardWriter::reopen_finished(finished, folder, name)?;
            Some(ShardWriter::resume(folder, name, &mark)?)
        }
    };
    Ok((writer, tracks))
}

fn complete(out: &Path, manifest: &Manifest, options: &ExtractOptions) -> Result<Start, RunError> {
    let mut summary = summary_of(manifest, &refusals::read_all(out)?, &options.pipeline);
    summary.is_complete_already = true;
    Ok(Start::Complete(Box::new(summary)))
}

fn refused_ordinals(out: &Path, entries: &Entries) -> Result<Vec<u64>, RunError> {
    let refusals = refusals::read_all(out)?;
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
