//! Lines of the journal of an unfinished extraction: one for each piece that is written, one for each finished shard.
//!
//! A line is written after the bytes that it describes, and holds their length and checksum. So after a kill the last line is true;
//! after a power cut the lines whose bytes are gone are recognised and dropped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vidpairs_shard::{BoxCounts, Part, ShardEntry, ShardMark, ShardName, TracksEntry, TracksMark};
use vidpairs_types::{Outcome, Refusal, Stage};

use super::piece::PieceCuts;
use super::regions::TrackTally;

/// Position after which writing continues: `records` records of the piece are written, those of the pairs below `pair`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    pub entry: u64,
    pub piece: u32,
    pub records: u64,
    pub pair: u64,
    /// Checksum over the files of the entry when its first piece was made; `None` before, or if they could not be examined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_xxh3: Option<u64>,
}

/// Settings and inputs of a run. Two runs with the same ones write the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    pub pipeline: Value,
    pub entries: u64,
    pub entries_xxh64: u64,
    /// The part of the entries that the run is over; `None` for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Checksum of the list that pins the source; `None` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_xxh64: Option<u64>,
    /// Ordinals of the entries to retry; `None` for a run over all entries, or all of the part.
    pub retry: Option<Vec<u64>>,
    /// Ordinal of the first shard of this run.
    pub first_shard: u64,
    /// Tracklets of the finished run whose refused clips are retried.
    #[serde(default)]
    pub tracks: Option<TracksEntry>,
    /// Annotated boxes of the finished run whose refused clips are retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxCounts>,
    /// Whether the finished run whose refused clips are retried has a file of cuts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_cuts: bool,
}

impl Begin {
    /// Name of shard `number` of this run, from 0.
    pub fn shard(&self, number: u64) -> ShardName {
        ShardName {
            part: self.part,
            ordinal: self.first_shard + number,
        }
    }
}

/// A written piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PieceLine {
    pub entry: u64,
    pub piece: u32,
    pub num_pieces: u32,
    pub records: u64,
    pub lost: u64,
    /// Stage and reason of the first lost pair.
    pub loss: Option<(Stage, String)>,
    pub frames_decoded: u64,
    /// Line of `refused.jsonl`, with the last piece of an entry.
    pub refusal: Option<Refusal>,
    /// State of the open shard.
    pub mark: Option<ShardMark>,
    /// Tracklets; kind `regions` only.
    pub tracks: Option<TracksLine>,
    /// Checksum over the files of the entry, unless this is its last piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_xxh3: Option<u64>,
    /// Annotated boxes of a still image, with its last piece; `None` if the image is refused, since a retry counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxCounts>,
    /// Shot cuts of the piece.
    #[serde(default, skip_serializing_if = "PieceCuts::is_empty")]
    pub cuts: PieceCuts,
}

/// Tracklets of a piece: their counts, and the state of the file that holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TracksLine {
    pub tally: TrackTally,
    pub mark: TracksMark,
}

/// A finished shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ShardLine {
    pub shard: ShardEntry,
    pub next: Position,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Piece(Box<PieceLine>),
    Shard(ShardLine),
}

impl Line {
    /// The entry that the line is about: of a shard, the entry of the first record that is not in it.
    pub fn entry(&self) -> u64 {
        match self {
            Self::Piece(line) => line.entry,
            Self::Shard(line) => line.next.entry,
        }
    }
}

/// Counts over the written pieces of the current entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct EntryTally {
    pub records: u64,
    pub lost: u64,
    pub loss: Option<(Stage, String)>,
    /// Counts of tracklets; kind `regions` only.
    pub tracks: Option<TrackTally>,
    pub cuts: PieceCuts,
}

impl EntryTally {
    /// Adds a piece.
    pub fn add(&mut self, line: &PieceLine) {
        self.records += line.records;
        self.lost += line.lost;
        self.loss = self.loss.take().or_else(|| line.loss.clone());
        if let Some(tracks) = &line.tracks {
            self.tracks.get_or_insert_default().add(&tracks.tally);
        }
        self.cuts.add(&line.cuts);
    }
}

/// Sum of the lines of a journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Extracted {
    pub position: Position,
    pub entry: EntryTally,
    pub shards: Vec<ShardEntry>,
    /// State of the open shard.
    pub open: Option<ShardMark>,
    /// State of the file of tracklets, if anything was written to it.
    pub tracks: Option<TracksMark>,
    pub tally: TrackTally,
    /// Annotated boxes; `None` if the source has none.
    pub boxes: Option<BoxCounts>,
    /// Entries with a cut, in order.
    pub cuts: Vec<(u64, PieceCuts)>,
    pub refusals: Vec<Refusal>,
    /// Number of refusals by outcome.
    num_set_aside: BTreeMap<Outcome, u64>,
    pub entries_done: u64,
    /// Written share of the current entry, 0 to 1.
    pub entry_share: f64,
    pub pairs: u64,
    pub frames_decoded: u64,
}

impl Extracted {
    /// The sum of `lines`.
    pub fn of(lines: &[Line]) -> Self {
        let mut progress = Self::default();
        lines.iter().for_each(|line| progress.add(line));
        progress
    }

    /// Whether each of `lines` follows from the run `begin` and the lines before it: entries and pieces in order, none left out, and
    /// shards by their names.
    ///
    /// - `asked`: ordinals of the entries of the run; `None` for all.
    pub fn do_follow(lines: &[Line], begin: &Begin, asked: Option<&[u64]>) -> bool {
        let mut progress = Self::default();
        lines.iter().all(|line| {
            let follows = progress.is_next(line, begin, asked);
            progress.add(line);
            follows
        })
    }

    fn is_next(&self, line: &Line, begin: &Begin, asked: Option<&[u64]>) -> bool {
        let is_at = self.position;
        let next_entry = match asked {
            Some(asked) => asked
                .get(asked.partition_point(|&entry| entry < is_at.entry))
                .copied(),
            None => Some(is_at.entry).filter(|&entry| entry < begin.entries),
        };
        let piece = match next_entry == Some(is_at.entry) {
            true => is_at.piece,
            false => 0,
        };
        match line {
            Line::Piece(line) => {
                // A clip that changed while the run was stopped, or was lost, ends as a whole.
                let is_whole = (line.piece, line.num_pieces) == (0, 1);
                Some(line.entry) == next_entry
                    && (line.piece == piece || is_whole)
                    && line.piece < line.num_pieces
            }
            Line::Shard(ShardLine { shard, next }) => {
                let name = begin.shard(self.shards.len() as u64);
                let is_same_place = (next.entry, next.piece) == (is_at.entry, is_at.piece);
                let is_next_place = Some(next.entry) == next_entry && next.piece == piece;
                shard.file == name.tar() && (is_same_place || is_next_place)
            }
        }
    }

    pub fn add(&mut self, line: &Line) {
        match line {
            Line::Piece(line) => self.add_piece(line),
            Line::Shard(line) => self.add_shard(line),
        }
    }

    fn add_piece(&mut self, line: &PieceLine) {
        self.entry.add(line);
        if let Some(tracks) = &line.tracks {
            self.tally.add(&tracks.tally);
            self.tracks = Some(tracks.mark);
        }
        if let Some(boxes) = &line.boxes {
            self.boxes.get_or_insert_default().add(boxes);
        }
        self.pairs += line.records;
        self.frames_decoded += line.frames_decoded;
        if let Some(refusal) = &line.refusal {
            *self.num_set_aside.entry(refusal.outcome).or_default() += 1;
            self.refusals.push(refusal.clone());
        }
        self.open = line.mark;
        if line.piece + 1 >= line.num_pieces {
            let cuts = std::mem::take(&mut self.entry).cuts;
            if !cuts.is_empty() {
                self.cuts.push((line.entry, cuts));
            }
            self.entries_done += 1;
            self.entry_share = 0.0;
            self.position = Position {
                entry: line.entry + 1,
                ..Position::default()
            };
        } else {
            self.entry_share = f64::from(line.piece + 1) / f64::from(line.num_pieces);
            self.position = Position {
                entry: line.entry,
                piece: line.piece + 1,
                files_xxh3: line.files_xxh3,
                ..Position::default()
            };
        }
    }

    fn add_shard(&mut self, line: &ShardLine) {
        self.shards.push(line.shard.clone());
        self.open = None;
        self.position = line.next;
    }

    /// Number of entries with this outcome.
    pub fn num(&self, outcome: Outcome) -> u64 {
        self.num_set_aside.get(&outcome).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_shard::StoredCut;

    use super::*;

    fn piece(entry: u64, piece: u32, num_pieces: u32) -> PieceLine {
        let (records, lost) = (2, u64::from(piece == 1));
        let loss = (piece == 1).then(|| (Stage::Decode, "frame 7".to_owned()));
        let frames_decoded = 10;
        PieceLine {
            entry,
            piece,
            num_pieces,
            records,
            lost,
            loss,
            frames_decoded,
            refusal: None,
            mark: None,
            tracks: None,
            files_xxh3: Some(5),
            boxes: None,
            cuts: PieceCuts::default(),
        }
    }

    fn begin(entries: u64, retry: Option<Vec<u64>>) -> Begin {
        Begin {
            program_version: String::new(),
            pipeline: Value::Null,
            entries,
            entries_xxh64: 0,
            part: None,
            list_xxh64: None,
            retry,
            first_shard: 2,
            tracks: None,
            boxes: None,
            has_cuts: false,
        }
    }

    fn shard(ordinal: u64, entry: u64, piece: u32) -> Line {
        let shard = ShardEntry {
            file: ShardName::from(ordinal).tar(),
            bytes: 0,
            records: 0,
            xxh64: 0,
        };
        let next = Position {
            entry,
            piece,
            ..Position::default()
        };
        Line::Shard(ShardLine { shard, next })
    }

    #[test]
    fn lines_follow_in_the_order_of_entries_pieces_and_shards_only() {
        let line =
            |entry, number, num_pieces| Line::Piece(Box::new(piece(entry, number, num_pieces)));
        let sound = [
            line(0, 0, 1),
            line(1, 0, 3),
            shard(2, 1, 1),
            line(1, 1, 3),
            line(1, 2, 3),
            shard(3, 2, 0),
            line(2, 0, 2),
            line(2, 0, 1),
        ];
        let all = begin(3, None);
        let do_follow = |lines: &[Line], begin: &Begin| {
            Extracted::do_follow(lines, begin, begin.retry.as_deref())
        };
        for num in 0..=sound.len() {
            assert!(do_follow(&sound[..num], &all), "{num} lines");
        }
        assert!(!do_follow(&sound, &begin(2, None)), "beyond the source");
        for left_out in [0, 1, 2, 3, 4] {
            let mut lines = sound.to_vec();
            lines.remove(left_out);
            assert!(!do_follow(&lines, &all), "without line {left_out}");
        }
        for (place, wrong) in [
            (0, line(1, 0, 1)),
            (1, line(1, 1, 3)),
            (1, line(1, 3, 3)),
            (2, shard(3, 1, 1)),
            (2, shard(2, 2, 0)),
            (5, shard(3, 1, 1)),
        ] {
            let mut lines = sound.to_vec();
            lines[place] = wrong;
            assert!(!do_follow(&lines, &all), "line {place}: {:?}", lines[place]);
        }
        let retry = begin(9, Some(vec![3, 7]));
        let lines = [
            line(3, 0, 1),
            shard(2, 7, 0),
            line(7, 0, 2),
            line(7, 1, 2),
            shard(3, 8, 0),
        ];
        assert!(do_follow(&lines, &retry));
        assert!(!do_follow(&lines[1..], &retry));
        assert!(!do_follow(&[line(3, 0, 1), line(4, 0, 1)], &retry));
    }

    #[test]
    fn progress_knows_where_an_entry_in_pieces_was_left() {
        let mut progress = Extracted::default();
        progress.add_piece(&piece(0, 0, 1));
        assert_eq!(
            progress.position,
            Position {
                entry: 1,
                ..Position::default()
            }
        );
        progress.add_piece(&piece(1, 0, 3));
        progress.add_piece(&piece(1, 1, 3));
        assert_eq!(
            progress.position,
            Position {
                entry: 1,
                piece: 2,
                files_xxh3: Some(5),
                ..Position::default()
            }
        );
        let loss = Some((Stage::Decode, "frame 7".to_owned()));
        assert_eq!(
            progress.entry,
            EntryTally {
                records: 4,
                lost: 1,
                loss,
                ..EntryTally::default()
            }
        );
        progress.add_piece(&piece(1, 2, 3));
        assert_eq!((progress.entries_done, progress.pairs), (2, 8));
    }

    #[test]
    fn the_cuts_of_the_pieces_of_an_entry_are_added_up() {
        let mut progress = Extracted::default();
        let of_piece = |number, before: &[u64], left_out| {
            let cut = |&before: &u64| StoredCut {
                before,
                after: before + 1,
                kind: "hard".to_owned(),
                seconds: None,
            };
            let cuts = PieceCuts {
                cuts: before.iter().map(cut).collect(),
                moved: 2,
                left_out,
            };
            PieceLine {
                cuts,
                ..piece(1, number, 2)
            }
        };
        progress.add_piece(&piece(0, 0, 1));
        progress.add_piece(&of_piece(0, &[9, 40], 0));
        progress.add_piece(&of_piece(1, &[70], 3));
        progress.add_piece(&piece(2, 0, 1));
        let [(entry, cuts)] = &*progress.cuts else {
            panic!("{:?}", progress.cuts);
        };
        let before: Vec<u64> = cuts.cuts.iter().map(|cut| cut.before).collect();
        assert_eq!((*entry, before), (1, vec![9, 40, 70]));
        assert_eq!((cuts.moved, cuts.left_out), (4, 3));
    }
}
