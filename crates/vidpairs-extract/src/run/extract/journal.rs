//! What an unfinished run has done: one JSON line for every piece that is written, in `DIR/.journal`.
//!
//! A line goes to the operating system after the bytes that it speaks of, and names their length and
//! checksum. So after a kill the last line is true; after a power cut the lines whose bytes are gone
//! are found out and taken back.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vidpairs_run::{JOURNAL_FOLDER, RunError, lock};
use vidpairs_shard::{ShardEntry, ShardMark, TracksEntry, TracksMark};
use vidpairs_types::{Outcome, Refusal, Stage};

use super::regions::TrackTally;

const FILE: &str = "progress.jsonl";

/// Where writing goes on: so many records of that piece of that entry are written, those of the pairs
/// below `pair`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    pub entry: u64,
    pub piece: u32,
    pub records: u64,
    pub pair: u64,
}

/// How a run began; two runs with the same words write the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub program_version: String,
    pub pipeline: Value,
    pub entries: u64,
    pub entries_xxh64: u64,
    /// Ordinals of the entries that are tried again; `None` for a run over all.
    pub retry: Option<Vec<u64>>,
    /// Ordinal of the first shard that this run writes.
    pub first_shard: u64,
    /// The tracklets of the finished run whose refused clips are tried again.
    #[serde(default)]
    pub tracks: Option<TracksEntry>,
}

/// A piece is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PieceLine {
    pub entry: u64,
    pub piece: u32,
    pub num_pieces: u32,
    pub records: u64,
    pub lost: u64,
    /// Of the first pair that was lost.
    pub loss: Option<(Stage, String)>,
    pub frames_decoded: u64,
    /// The line of `refused.jsonl` that the end of the entry gives.
    pub refusal: Option<Refusal>,
    /// The open shard, if there is one.
    pub mark: Option<ShardMark>,
    /// In kind `regions`.
    pub tracks: Option<TracksLine>,
}

/// What the regions of a piece came to, and the file of tracklets with those of this piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TracksLine {
    pub tally: TrackTally,
    pub mark: TracksMark,
}

/// A shard is finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ShardLine {
    pub shard: ShardEntry,
    pub next: Position,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Begin(Begin),
    Piece(PieceLine),
    Shard(ShardLine),
}

/// What the pieces of the entry at work gave so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct EntryTally {
    pub records: u64,
    pub lost: u64,
    pub loss: Option<(Stage, String)>,
    /// In kind `regions`.
    pub tracks: Option<TrackTally>,
}

impl EntryTally {
    /// Adds what a piece gave.
    pub fn add(&mut self, line: &PieceLine) {
        self.records += line.records;
        self.lost += line.lost;
        self.loss = self.loss.take().or_else(|| line.loss.clone());
        if let Some(tracks) = &line.tracks {
            self.tracks.get_or_insert_default().add(&tracks.tally);
        }
    }
}

/// What the lines of a journal add up to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Progress {
    pub position: Position,
    pub entry: EntryTally,
    pub shards: Vec<ShardEntry>,
    /// The open shard.
    pub open: Option<ShardMark>,
    /// The file of tracklets, if anything was written there.
    pub tracks: Option<TracksMark>,
    pub tally: TrackTally,
    pub refusals: Vec<Refusal>,
    pub entries_done: u64,
    /// Of the entry at work, 0 to 1.
    pub entry_share: f64,
    pub pairs: u64,
    pub frames_decoded: u64,
}

impl Progress {
    pub fn add(&mut self, line: &Line) {
        match line {
            Line::Begin(_) => {}
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
        self.pairs += line.records;
        self.frames_decoded += line.frames_decoded;
        self.refusals.extend(line.refusal.clone());
        self.open = line.mark;
        if line.piece + 1 >= line.num_pieces {
            self.entry = EntryTally::default();
            self.entries_done += 1;
            self.entry_share = 0.0;
            self.position = Position {
                entry: line.entry + 1,
                piece: 0,
                records: 0,
                pair: 0,
            };
        } else {
            self.entry_share = f64::from(line.piece + 1) / f64::from(line.num_pieces);
            self.position = Position {
                entry: line.entry,
                piece: line.piece + 1,
                records: 0,
                pair: 0,
            };
        }
    }

    fn add_shard(&mut self, line: &ShardLine) {
        self.shards.push(line.shard.clone());
        self.open = None;
        self.position = line.next;
    }

    /// Entries with this outcome.
    pub fn num(&self, outcome: Outcome) -> u64 {
        self.refusals
            .iter()
            .filter(|refusal| refusal.outcome == outcome)
            .count() as u64
    }
}

/// The journal of one output folder, locked: no other process writes there.
pub(super) struct Journal {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    /// Length of the lines that are whole.
    bytes: u64,
    _lock: File,
}

/// What lay in a journal.
pub(super) struct Found {
    pub begin: Begin,
    /// The lines after it, each with the journal's length after the line.
    pub lines: Vec<(Line, u64)>,
    begin_bytes: u64,
}

impl Found {
    /// What the first `count` lines add up to.
    pub fn progress(&self, count: usize) -> Progress {
        let mut progress = Progress::default();
        for (line, _) in self.lines.iter().take(count) {
            progress.add(line);
        }
        progress
    }

    fn bytes(&self, count: usize) -> u64 {
        count
            .checked_sub(1)
            .and_then(|last| self.lines.get(last))
            .map_or(self.begin_bytes, |line| line.1)
    }
}

impl Journal {
    /// Opens the journal of `out`, made if it is not there, and reads what it holds: `None` if
    /// nothing was begun.
    pub fn open(out: &Path) -> Result<(Self, Option<Found>), RunError> {
        let folder = out.join(JOURNAL_FOLDER);
        let path = folder.join(FILE);
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| RunError::File {
                action,
                path,
                source,
            }
        };
        let lock = lock(out)?;
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed("read", &path))?;
        let found = parse(&text);
        let bytes = found
            .as_ref()
            .map_or(0, |found| found.bytes(found.lines.len()));
        let mut journal = Self {
            folder,
            path,
            file,
            bytes,
            _lock: lock,
        };
        journal.cut_to(bytes)?; // what follows a torn line
        Ok((journal, found))
    }

    /// The folder for unfinished shards.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Forgets all but the first `count` lines of `found`.
    pub fn keep(&mut self, found: &Found, count: usize) -> Result<(), RunError> {
        self.cut_to(found.bytes(count))
    }

    fn cut_to(&mut self, bytes: u64) -> Result<(), RunError> {
        self.bytes = bytes;
        self.file
            .set_len(bytes)
            .map_err(|source| self.failed("shorten", source))
    }

    /// Adds a line; it is whole or not there at all once this returns.
    pub fn add(&mut self, line: &Line) -> Result<(), RunError> {
        let mut text = serde_json::to_vec(line)
            .map_err(|err| self.failed("write", std::io::Error::other(err)))?;
        text.push(b'\n');
        if let Err(err) = self.file.write_all(&text) {
            let _ = self.file.set_len(self.bytes); // half a line; reading would drop it too
            return Err(self.failed("write", err));
        }
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Brings the journal to the disk.
    pub fn sync(&self) -> Result<(), RunError> {
        self.file
            .sync_data()
            .map_err(|source| self.failed("write", source))
    }

    /// The run is complete: the folder goes. The lines go first, so that what a kill leaves of the
    /// folder is the journal of no run.
    pub fn remove(self) -> Result<(), RunError> {
        fs::remove_file(&self.path).map_err(|source| self.failed("remove", source))?;
        fs::remove_dir_all(&self.folder).map_err(|source| RunError::File {
            action: "remove",
            path: self.folder.clone(),
            source,
        })
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> RunError {
        RunError::File {
            action,
            path: self.path.clone(),
            source,
        }
    }
}

/// Reads the lines up to the first that is torn or damaged: what came after it is done again.
fn parse(text: &[u8]) -> Option<Found> {
    let mut at = 0;
    let mut found: Option<Found> = None;
    for raw in text.split_inclusive(|&byte| byte == b'\n') {
        let line = serde_json::from_slice(raw)
            .ok()
            .filter(|_| raw.ends_with(b"\n"));
        at += raw.len() as u64;
        match (line, &mut found) {
            (Some(Line::Begin(begin)), None) => {
                found = Some(Found {
                    begin,
                    lines: Vec::new(),
                    begin_bytes: at,
                });
            }
            (Some(line @ (Line::Piece(_) | Line::Shard(_))), Some(found)) => {
                found.lines.push((line, at));
            }
            _ => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> Line {
        Line::Begin(Begin {
            program_version: "0".to_owned(),
            pipeline: Value::Null,
            entries: 3,
            entries_xxh64: u64::MAX,
            retry: None,
            first_shard: 0,
            tracks: None,
        })
    }

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
        }
    }

    #[test]
    fn a_journal_cut_anywhere_gives_the_lines_before_the_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, found) = Journal::open(dir.path()).unwrap();
        assert!(found.is_none());
        let lines = [
            Line::Piece(piece(0, 0, 1)),
            Line::Piece(piece(1, 0, 2)),
            Line::Piece(piece(1, 1, 2)),
        ];
        journal.add(&begin()).unwrap();
        for line in &lines {
            journal.add(line).unwrap();
        }
        drop(journal);
        let path = dir.path().join(JOURNAL_FOLDER).join(FILE);
        let text = fs::read(&path).unwrap();
        for end in (0..=text.len()).rev() {
            fs::write(&path, &text[..end]).unwrap();
            let whole_lines = text[..end].iter().filter(|&&byte| byte == b'\n').count();
            let (_, found) = Journal::open(dir.path()).unwrap();
            let kept = found.map_or(0, |found| 1 + found.lines.len());
            assert_eq!(kept, whole_lines, "cut at {end}");
        }
    }

    #[test]
    fn progress_knows_where_an_entry_in_pieces_was_left() {
        let mut progress = Progress::default();
        progress.add_piece(&piece(0, 0, 1));
        assert_eq!(
            progress.position,
            Position {
                entry: 1,
                piece: 0,
                records: 0,
                pair: 0,
            }
        );
        progress.add_piece(&piece(1, 0, 3));
        progress.add_piece(&piece(1, 1, 3));
        assert_eq!(
            progress.position,
            Position {
                entry: 1,
                piece: 2,
                records: 0,
                pair: 0,
            }
        );
        let loss = Some((Stage::Decode, "frame 7".to_owned()));
        assert_eq!(
            progress.entry,
            EntryTally {
                records: 4,
                lost: 1,
                loss,
                tracks: None,
            }
        );
        progress.add_piece(&piece(1, 2, 3));
        assert_eq!((progress.entries_done, progress.pairs), (2, 8));
    }

    #[test]
    fn two_runs_never_write_to_one_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (_journal, _) = Journal::open(dir.path()).unwrap();
        assert!(matches!(
            Journal::open(dir.path()),
            Err(RunError::InUse { .. })
        ));
    }

    #[test]
    fn what_follows_a_damaged_line_is_done_again() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(JOURNAL_FOLDER)).unwrap();
        let line = |line: &Line| serde_json::to_string(line).unwrap();
        let first = line(&Line::Piece(piece(0, 0, 1)));
        let later = line(&Line::Piece(piece(2, 0, 1)));
        let text = format!("{}\n{first}\nnonsense\n{later}\n", line(&begin()));
        let path = dir.path().join(JOURNAL_FOLDER).join(FILE);
        fs::write(&path, text).unwrap();
        let (journal, found) = Journal::open(dir.path()).unwrap();
        assert_eq!(found.unwrap().lines.len(), 1);
        drop(journal);
        let kept = fs::read_to_string(&path).unwrap();
        assert_eq!(kept, format!("{}\n{first}\n", line(&begin())));
    }
}
