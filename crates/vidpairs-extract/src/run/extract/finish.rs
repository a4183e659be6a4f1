//! Ends a run: writes the last shard, `refused.jsonl`, and the manifest after everything else.

use std::collections::HashSet;
use std::time::Instant;

use vidpairs_pipeline::Pipeline;
use vidpairs_run::{REFUSED_FILE, RunError};
use vidpairs_shard::{CARD_FILE, CUTS_FILE, ClipCuts, CutsEntry, Manifest, Totals, read_cuts};
use vidpairs_source::IgnoredFiles;
use vidpairs_types::{Outcome, Refusal};

use super::even;
use super::journal::{Begin, Extracted};
use super::output::ShardSink;
use super::piece::PieceCuts;
use super::watch::each_once;
use super::{ExtractOptions, ExtractSummary};

/// Finishes a run whose pieces are all written.
pub(super) fn finish(
    mut sink: ShardSink<'_>,
    options: &ExtractOptions,
    begin: &Begin,
    ignored: &IgnoredFiles,
    start: Instant,
) -> Result<ExtractSummary, RunError> {
    let position = sink.progress.position;
    sink.finish_shard(position)?;
    let (out, entries) = (&options.out, sink.entries);
    let Extracted {
        mut shards,
        mut refusals,
        frames_decoded,
        tally,
        boxes,
        cuts,
        ..
    } = sink.progress;
    let id_of = |ordinal: u64| Some(entries.get(usize::try_from(ordinal).ok()?)?.id());
    let mut cuts: Vec<ClipCuts> = cuts
        .into_iter()
        .filter_map(|(ordinal, found)| Some(cuts_of(id_of(ordinal)?, found)))
        .collect();
    if let Some(count) = even::count(begin, &options.pipeline.shards) {
        shards = even::divide(out, &shards, count, &options.control, sink.display)?;
    }
    let tracks = sink
        .tracks
        .map(|tracks| tracks.finish(out, &tally.counts, begin.tracks.as_ref()))
        .transpose()?;
    if let Some(retry) = &begin.retry {
        if let (Some(count), false) = (options.pipeline.shards.count, shards.is_empty()) {
            options.control.notice(&format!(
                "warning: the pairs of the retried clips are in shards beside the {count}; vidpairs reshard makes even ones"
            ));
        }
        let retried: HashSet<&str> = retry.iter().filter_map(|&ordinal| id_of(ordinal)).collect();
        let before = vidpairs_run::refusals::read_all(out)?.into_iter();
        refusals.extend(before.filter(|refusal| !retried.contains(refusal.id.as_str())));
        refusals.sort_by(|a, b| a.id.cmp(&b.id));
        if begin.has_cuts {
            let before = read_cuts(out)?.into_iter();
            cuts.extend(before.filter(|clip| !retried.contains(clip.id.as_str())));
        }
        // A retry that was stopped after its manifest was written finds its own shards in it.
        let first_shard = usize::try_from(begin.first_shard).unwrap_or(usize::MAX);
        shards.splice(
            0..0,
            Manifest::read(out)?.shards.into_iter().take(first_shard),
        );
    }
    let num = |outcome| {
        refusals
            .iter()
            .filter(|refusal| refusal.outcome == outcome)
            .count() as u64
    };
    let num_clips = match begin.part {
        None => entries.len(),
        Some(part) => entries
            .iter()
            .filter(|entry| part.holds(entry.id()))
            .count(),
    } as u64;
    let totals = Totals {
        clips: num_clips,
        refused: num(Outcome::Refused),
        skipped: num(Outcome::Skipped),
        partial: num(Outcome::Partial),
        records: shards.iter().map(|shard| shard.records).sum(),
        shards: shards.len() as u64,
        bytes: shards.iter().map(|shard| shard.bytes).sum(),
    };
    sink.journal.out().write_refusals(&refusals)?;
    cuts.sort_by(|a, b| a.id.cmp(&b.id));
    let cuts = match options.pipeline.pairs.avoid_cuts() {
        true => {
            let (text, entry) = CutsEntry::of(&cuts);
            sink.journal.out().write(CUTS_FILE, &text)?;
            Some(entry)
        }
        false => None,
    };
    let (pipeline, seed) = (options.pipeline.resolved(), options.pipeline.seed);
    let mut manifest = Manifest::new(pipeline, seed, begin.entries_xxh64, totals, shards);
    manifest.tracks = tracks;
    manifest.cuts = cuts;
    manifest.boxes = match (begin.boxes.clone(), boxes) {
        (Some(mut before), Some(now)) => {
            before.add(&now);
            Some(before)
        }
        (before, now) => before.or(now),
    };
    manifest.part = begin.part;
    manifest.list_xxh64 = begin.list_xxh64.filter(|_| begin.part.is_some());
    manifest.ignored = ignored.by_extension.clone();
    // A part is no data set to be passed on.
    let has_card = begin.part.is_none();
    if has_card {
        vidpairs_run::write_card(sink.journal.out(), &manifest)?;
    }
    if let Some(stored) = &mut sink.stored {
        let tracks = manifest.tracks.as_ref().map(|tracks| &*tracks.file);
        let card = has_card.then_some(CARD_FILE);
        let cuts = manifest.cuts.as_ref().map(|cuts| &*cuts.file);
        let results = [REFUSED_FILE].into_iter();
        let results = results.chain(cuts).chain(tracks).chain(card);
        stored.flush(&results.collect::<Vec<&str>>())?;
    }
    manifest.write_atomically(out)?;
    if let Some(stored) = &mut sink.stored {
        stored.publish()?;
    }
    // Before another process can begin in the folder.
    drop(sink.state);
    sink.journal.finish()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(ExtractSummary {
        frames_decoded,
        frames_tracked: tally.frames_tracked,
        tracker_updates: tally.tracker_updates,
        seconds,
        ..summary_of(&manifest, &refusals, &options.pipeline)
    })
}

/// The line of a clip in `cuts.jsonl`.
fn cuts_of(id: &str, found: PieceCuts) -> ClipCuts {
    let PieceCuts {
        cuts,
        moved,
        left_out,
    } = found;
    ClipCuts {
        id: id.to_owned(),
        moved,
        left_out,
        // Two pieces may have seen the same one.
        cuts: each_once(cuts),
    }
}

/// Summary of a finished data set, without the cost of its run.
pub(super) fn summary_of(
    manifest: &Manifest,
    refusals: &[Refusal],
    pipeline: &Pipeline,
) -> ExtractSummary {
    let totals = manifest.totals;
    let refused = refusals
        .iter()
        .filter(|found| found.outcome == Outcome::Refused)
        .count() as u64;
    let tracks = manifest.tracks.as_ref();
    let counts = tracks
        .map(|tracks| tracks.counts.clone())
        .unwrap_or_default();
    ExtractSummary {
        clips: totals.clips,
        refused: totals.refused,
        skipped: totals.skipped,
        partial: totals.partial,
        ignored: manifest.ignored.clone(),
        pairs: totals.records,
        shards: totals.shards,
        bytes: totals.bytes,
        frames_decoded: 0,
        frames_tracked: 0,
        tracker_updates: 0,
        tracklets: counts.tracklets,
        rejected_tracklets: counts.rejected,
        cuts: manifest.cuts.as_ref().map(|cuts| cuts.counts),
        boxes: manifest.boxes.clone(),
        seconds: 0.0,
        // A part may have a single clip, and that a bad one: the share counts when all parts are merged.
        too_many_refused: manifest.part.is_none()
            && pipeline
                .extract
                .max_refused
                .is_exceeded(refused, totals.clips),
        is_complete_already: false,
    }
}
