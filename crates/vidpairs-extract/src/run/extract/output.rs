//! Writes the outputs of the workers, in order, into shards and the journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use vidpairs_pipeline::Shards;
use vidpairs_run::{Journal, RunError, StateFile, counted};
use vidpairs_shard::{BoxCounts, ShardMark, ShardName, ShardWriter, TracksWriter};
use vidpairs_types::parallel::Sink;
use vidpairs_types::{EncodedRecord, Outcome, Refusal, Stage};

use super::fetch::Queue;
use super::journal::{EntryTally, Extracted, Line, PieceLine, Position, ShardLine, TracksLine};
use super::piece::{Made, Output, PieceCuts, PieceRecords};
use super::progress::{Counters, Display, Step};
use super::regions::by_reason;
use super::stored_out::{Checkpoint, StoredOut};
use crate::run::entries::Entry;

const RETRY_DAMAGED: &str = "mend or replace it, then run the same command with --retry-refused";
const RETRY_LISTED: &str = "bring back the file as it was listed, with its time, then run the same command with --retry-refused; for a mended file make a new list and extract into a new folder";
const RETRY_RULE: &str = "left out by a rule of the pipeline; another pipeline may take it";
const RETRY_PARTIAL: &str = "what could be made is stored; extract a mended copy into a new folder";

/// Reason of an accepted box that could not be decoded, cropped or encoded.
const LOST: &str = "lost";

/// Writes the outputs of a run into shards.
pub(super) struct ShardSink<'a> {
    /// Folder of finished shards.
    pub folder: PathBuf,
    pub limits: Shards,
    pub entries: Arc<[Arc<Entry>]>,
    /// Whether a list pins the files of the clips.
    pub is_listed: bool,
    /// First shard of this run.
    pub first_shard: ShardName,
    /// What other machines see of the run.
    pub state: StateFile,
    pub journal: Journal<Line>,
    pub progress: Extracted,
    pub writer: Option<ShardWriter>,
    /// Tracklets; kind `regions` only.
    pub tracks: Option<TracksWriter>,
    /// Where clips come from that are in a store.
    pub queue: Option<Arc<Queue>>,
    /// The output folder, if it is in a store.
    pub stored: Option<&'a mut StoredOut>,
    pub counters: Arc<Counters>,
    pub display: &'a mut Display,
}

impl Sink<Output> for ShardSink<'_> {
    type Error = RunError;

    fn push(&mut self, output: Output) -> Result<(), RunError> {
        let start = Instant::now();
        let bytes = self.counters.bytes();
        let written = self.write(output);
        self.counters
            .add_time(Step::Write, start.elapsed(), self.counters.bytes() - bytes);
        written
    }

    fn tick(&mut self) {
        self.display.show(&self.progress, &self.counters);
        let done = &self.progress;
        let counts = [
            ("pairs", done.pairs),
            ("frames_decoded", done.frames_decoded),
            ("refused", done.num(Outcome::Refused)),
            ("skipped", done.num(Outcome::Skipped)),
            ("partial", done.num(Outcome::Partial)),
        ];
        self.state.show(done.entries_done, counts);
    }
}

impl ShardSink<'_> {
    fn write(&mut self, output: Output) -> Result<(), RunError> {
        let Output {
            ordinal,
            piece,
            num_pieces,
            files_xxh3,
            made,
        } = output;
        let mut line = PieceLine {
            entry: ordinal,
            piece,
            num_pieces,
            records: 0,
            lost: 0,
            loss: None,
            frames_decoded: 0,
            refusal: None,
            mark: None,
            tracks: None,
            files_xxh3: files_xxh3.filter(|_| piece + 1 < num_pieces),
            boxes: None,
            cuts: PieceCuts::default(),
        };
        match made {
            Made::Listed => {
                line.refusal = self.entry(ordinal).and_then(|entry| match entry {
                    Entry::SetAside(refusal) => Some(refusal.clone()),
                    Entry::Clip { .. } => None,
                });
            }
            Made::SetAside {
                outcome,
                stage,
                reason,
            } => {
                let outcome = self.outcome_after_pieces(ordinal, outcome);
                line.refusal = self.refusal(ordinal, outcome, stage, reason);
            }
            Made::NoBox { boxes, remark } => {
                let (outcome, stage, reason) = match remark {
                    Some(remark) => (Outcome::Refused, Stage::Source, remark),
                    None => (Outcome::Skipped, Stage::Sample, why_no_box(&boxes)),
                };
                line.refusal = self.refusal(ordinal, outcome, stage, reason);
                line.boxes = Some(boxes);
            }
            Made::Fault(fault) => return Err(*fault),
            Made::Records(made) => self.write_piece(*made, files_xxh3, &mut line)?,
        }
        // Its boxes are counted by the run that can use the image: `--retry-refused`. Each box is counted at most once.
        let is_refused = |refusal: &Refusal| refusal.outcome == Outcome::Refused;
        if line.refusal.as_ref().is_some_and(is_refused) {
            line.boxes = None;
        }
        line.mark = self.mark()?;
        if let Some(refusal) = &line.refusal {
            self.display.refused(refusal);
        }
        let line = Line::Piece(Box::new(line));
        self.journal.add(&line)?;
        self.progress.add(&line); // after the journal: what is counted is safe
        if let Some(stored) = &mut self.stored {
            stored
                .checkpoint(|| Checkpoint::of(&self.progress, &self.journal, self.first_shard))?;
        }
        Ok(())
    }

    /// A clip whose first pairs are stored is partial, not refused or skipped: a retry would store them twice.
    fn outcome_after_pieces(&self, ordinal: u64, outcome: Outcome) -> Outcome {
        let Position { entry, records, .. } = self.progress.position;
        match outcome {
            _ if entry == ordinal && self.progress.entry.records + records > 0 => Outcome::Partial,
            // It had given nothing.
            Outcome::Partial => Outcome::Refused,
            outcome => outcome,
        }
    }

    /// Appends the records that no earlier run has written, and fills in `line`.
    ///
    /// - `files_xxh3`: of the clip, for the shards that end inside the piece.
    fn write_piece(
        &mut self,
        made: PieceRecords,
        files_xxh3: Option<u64>,
        line: &mut PieceLine,
    ) -> Result<(), RunError> {
        let is_at = self.progress.position;
        let mut place = match (is_at.entry, is_at.piece) == (line.entry, line.piece) {
            true => Position {
                files_xxh3,
                ..is_at
            },
            false => Position {
                entry: line.entry,
                piece: line.piece,
                files_xxh3,
                ..Position::default()
            },
        };
        let num_planned = (made.records.len() + made.lost.len()) as u64;
        line.loss = made
            .lost
            .into_iter()
            .next()
            .map(|lost| (lost.stage, lost.reason));
        line.frames_decoded = made.frames_decoded;
        line.cuts = made.cuts;
        let first_pair = place.pair;
        for (pair, record) in &made.records {
            let pair = *pair;
            // By ordinal, not by count: a piece that is made again may lack a pair that is stored.
            if pair >= first_pair {
                place.pair = pair;
                self.append(record, place)?;
                place.records += 1;
            }
        }
        line.records = place.records;
        line.lost = num_planned.saturating_sub(line.records);
        if let (Some(writer), Some(made)) = (&mut self.tracks, made.tracks) {
            line.tracks = Some(TracksLine {
                mark: writer.append(&made.zstd)?,
                tally: made.tally,
            });
        }
        if line.piece + 1 >= line.num_pieces {
            let mut tally = self.progress.entry.clone();
            tally.add(line);
            line.boxes = made.boxes.map(|boxes| with_lost(boxes, tally.records));
            line.refusal = self.refusal_of_whole(line.entry, tally, made.remarks);
        }
        Ok(())
    }

    fn append(&mut self, record: &EncodedRecord, place: Position) -> Result<(), RunError> {
        if let Some(writer) = &self.writer {
            let is_full = writer.num_records() >= u64::from(self.limits.max_records)
                || writer.size_with(record)? > self.limits.max_bytes;
            if is_full {
                self.finish_shard(place)?;
            }
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let name = ShardName {
                    ordinal: self.first_shard.ordinal + self.progress.shards.len() as u64,
                    ..self.first_shard
                };
                none.insert(ShardWriter::create(
                    &self.journal.out().journal_folder(),
                    name,
                )?)
            }
        };
        writer.append(record)?;
        self.counters.add_bytes(
            record
                .members
                .iter()
                .map(|member| member.bytes.len() as u64)
                .sum(),
        );
        Ok(())
    }

    /// Finishes the open shard.
    ///
    /// - `next`: the first record that is not in it.
    pub fn finish_shard(&mut self, next: Position) -> Result<(), RunError> {
        if let Some(writer) = self.writer.take() {
            // The journal, which is synced below, describes them too.
            self.tracks.as_ref().map(TracksWriter::sync).transpose()?;
            let shard = writer.finish(&self.folder)?;
            let line = Line::Shard(ShardLine {
                shard: shard.clone(),
                next,
            });
            self.journal.add(&line)?;
            self.progress.add(&line);
            self.journal.sync()?;
            if let Some(stored) = &mut self.stored {
                let checkpoint = Checkpoint::of(&self.progress, &self.journal, self.first_shard);
                stored.finished(&shard, checkpoint)?;
            }
        }
        Ok(())
    }

    fn mark(&mut self) -> Result<Option<ShardMark>, RunError> {
        Ok(self.writer.as_mut().map(ShardWriter::mark).transpose()?)
    }

    fn entry(&self, ordinal: u64) -> Option<&Entry> {
        let entry = self.entries.get(usize::try_from(ordinal).ok()?)?;
        Some(entry)
    }

    /// The line of `refused.jsonl` for a clip whose pieces are all written; `None` if nothing is missing.
    fn refusal_of_whole(
        &self,
        ordinal: u64,
        tally: EntryTally,
        remarks: Vec<String>,
    ) -> Option<Refusal> {
        let num_planned = tally.records + tally.lost;
        let num_records = tally.records;
        match tally.loss {
            Some((stage, reason)) if tally.records == 0 => {
                self.refusal(ordinal, Outcome::Refused, stage, reason)
            }
            Some((stage, reason)) => {
                let lost = tally.lost;
                let reason =
                    format!("{lost} of {num_planned} pairs are missing; the first: {reason}");
                self.refusal(ordinal, Outcome::Partial, stage, reason)
            }
            None if num_records == 0 => {
                let (stage, why) = why_no_pair(&tally);
                let (outcome, stage, reason) = nothing_found(stage, why, &remarks);
                self.refusal(ordinal, outcome, stage, reason)
            }
            None if !remarks.is_empty() => {
                self.refusal(ordinal, Outcome::Partial, Stage::Source, remarks.join("; "))
            }
            None => None,
        }
    }

    fn refusal(
        &self,
        ordinal: u64,
        outcome: Outcome,
        stage: Stage,
        reason: String,
    ) -> Option<Refusal> {
        let Some(Entry::Clip { clip, .. }) = self.entry(ordinal) else {
            return None;
        };
        let retry = match outcome {
            Outcome::Refused if self.is_listed => RETRY_LISTED,
            Outcome::Refused => RETRY_DAMAGED,
            Outcome::Skipped => RETRY_RULE,
            Outcome::Partial => RETRY_PARTIAL,
        };
        Some(Refusal {
            id: clip.id.clone(),
            path: clip.media.path().display().to_string(),
            outcome,
            stage,
            reason: match &self.queue {
                Some(queue) => queue.with_url(ordinal, &reason),
                None => reason,
            },
            retry: retry.to_owned(),
        })
    }
}

/// The counts of a still image that gave `num_records` records: a box that a rule accepts but that is not stored is `lost`.
fn with_lost(mut boxes: BoxCounts, num_records: u64) -> BoxCounts {
    let num_accepted = boxes.annotated.saturating_sub(boxes.num_left_out());
    let num_lost = num_accepted.saturating_sub(num_records);
    if num_lost > 0 {
        boxes.left_out.insert(LOST.to_owned(), num_lost);
    }
    boxes
}

/// Reason why a still image with sound boxes gives no record.
fn why_no_box(boxes: &BoxCounts) -> String {
    match boxes.annotated {
        0 => "it has no annotated box".to_owned(),
        num => {
            let reasons = by_reason(&boxes.left_out);
            format!(
                "no usable box: {} ({reasons})",
                counted(num, "annotated object")
            )
        }
    }
}

/// Stage and reason why a clip without damage gives no pair.
fn why_no_pair(tally: &EntryTally) -> (Stage, String) {
    let left_out = tally.cuts.left_out;
    let over_cuts = match left_out {
        1 => "1 pair spans a cut".to_owned(),
        _ => format!("{} span a cut", counted(left_out, "pair")),
    };
    match &tally.tracks {
        // Tracklets of the pairs that were left out are rejected for the cut.
        Some(tracks) if left_out > 0 => {
            let why = tracks.why_none();
            (Stage::Track, format!("{over_cuts}; {why}"))
        }
        Some(tracks) => (Stage::Track, tracks.why_none()),
        None => (Stage::Sample, over_cuts),
    }
}

/// Outcome of a clip without a pair, for the reason `why`: skipped, or refused if damage may have cost the pair.
fn nothing_found(stage: Stage, why: String, remarks: &[String]) -> (Outcome, Stage, String) {
    if remarks.is_empty() {
        (Outcome::Skipped, stage, why)
    } else {
        let reason = format!("{}: {why}", remarks.join("; "));
        (Outcome::Refused, Stage::Decode, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotated_boxes_are_those_stored_and_those_left_out_also_if_some_could_not_be_cropped() {
        let planned = BoxCounts {
            annotated: 9,
            left_out: [("crowd".to_owned(), 2), ("outside".to_owned(), 1)].into(),
        };
        assert_eq!(with_lost(planned.clone(), 6), planned);
        let counted = with_lost(planned, 4);
        assert_eq!(counted.left_out.get(LOST), Some(&2));
        assert_eq!(counted.annotated, 4 + counted.num_left_out());
    }
}
