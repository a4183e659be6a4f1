//! Writes `tracks.jsonl.zst`: every tracklet of a data set, trusted or rejected, with one line of JSON each.
//!
//! The file consists of zstd frames, one for each piece of video with a tracklet. It can therefore be extended, and cut
//! at the end of a frame, without decompressing it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vidpairs_types::{NextLine, TrackletLine, next_line, open_regular, sync_folder, write_whole};

use crate::checksum;
use crate::error::ShardError;
use crate::part::{PartFile, hash_up_to_mark};

/// File name of the tracklets.
pub const TRACKS_FILE: &str = "tracks.jsonl.zst";

/// Longest line that is read, bytes: ten times that of a tracklet with the largest k.
pub(crate) const MAX_LINE_BYTES: usize = 64 << 20;

/// Description of `tracks.jsonl.zst` in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracksEntry {
    /// File name: [`TRACKS_FILE`]; in a merged data set after the folder of its part.
    pub file: String,
    /// Length of the file, bytes.
    pub bytes: u64,
    /// xxh64 of the file; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
    /// Numbers of tracklets.
    #[serde(flatten)]
    pub counts: TrackletCounts,
}

/// Numbers of tracklets by outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrackletCounts {
    /// Number of all tracklets.
    pub tracklets: u64,
    /// Number of rejected tracklets by reason.
    pub rejected: BTreeMap<String, u64>,
}

impl TrackletCounts {
    /// Number of trusted tracklets.
    pub fn num_trusted(&self) -> u64 {
        self.tracklets.saturating_sub(self.num_rejected())
    }

    /// Number of rejected tracklets.
    pub fn num_rejected(&self) -> u64 {
        self.rejected
            .values()
            .fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Counts a tracklet.
    ///
    /// - `reason`: the reason for the rejection; `None` if the tracklet is trusted.
    pub fn count(&mut self, reason: Option<&str>) {
        self.tracklets += 1;
        if let Some(reason) = reason {
            *self.rejected.entry(reason.to_owned()).or_default() += 1;
        }
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.tracklets += other.tracklets;
        for (reason, count) in &other.rejected {
            *self.rejected.entry(reason.clone()).or_default() += count;
        }
    }
}

/// State of an unfinished file from which it can be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracksMark {
    /// Length of the file, bytes.
    pub bytes: u64,
    /// xxh64 of these bytes; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
}

/// Reads the tracklets of one file of the data set in `dir`, in the order of the file. The iterator ends with the first error.
///
/// - `entry`: one of [`Manifest::tracks_files`](crate::Manifest::tracks_files).
/// - `max_bytes`: so much is read, bytes after decompression; the tracklets beyond are left out.
///
/// # Errors
/// [`ShardError::Read`] if the file cannot be opened; as an item, if a line cannot be read.
pub fn read_tracklets(
    dir: &Path,
    entry: &TracksEntry,
    max_bytes: u64,
) -> Result<impl Iterator<Item = Result<TrackletLine, ShardError>> + use<>, ShardError> {
    let path = dir.join(&entry.file);
    let file = open_regular(&path).and_then(zstd::Decoder::new);
    let decoder = file.map_err(ShardError::read(&path))?;
    let mut lines = BufReader::new(decoder.take(max_bytes));
    let (mut text, mut has_failed) = (Vec::new(), false);
    Ok(std::iter::from_fn(move || {
        let line = match next_line(&mut lines, &mut text, MAX_LINE_BYTES) {
            _ if has_failed => return None,
            Ok(NextLine::End) => return None,
            // The limit cuts the last line.
            Ok(_) if lines.get_ref().limit() == 0 && lines.buffer().is_empty() => return None,
            Ok(NextLine::Line) => serde_json::from_slice(&text).map_err(io::Error::from),
            Ok(NextLine::TooLong) => Err(io::ErrorKind::FileTooLarge.into()),
            Err(error) => Err(error),
        };
        has_failed = line.is_err();
        Some(line.map_err(ShardError::read(&path)))
    }))
}

/// Writes the tracklets of a data set. The name of the file is `tracks.jsonl.zst.part` until [`finish`](Self::finish).
pub struct TracksWriter {
    folder: PathBuf,
    part: PartFile,
}

impl TracksWriter {
    /// Name of the file while it is written.
    pub const UNFINISHED: &str = "tracks.jsonl.zst.part";

    /// Creates `folder/tracks.jsonl.zst.part`, replacing an existing file.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn create(folder: &Path) -> Result<Self, ShardError> {
        Ok(Self {
            folder: folder.to_path_buf(),
            part: PartFile::create(part_path(folder))?,
        })
    }

    /// Resumes the file in `folder` from `mark`. Bytes written after the mark are removed.
    ///
    /// # Errors
    /// [`ShardError::CutBelowMark`] or [`ShardError::DiffersFromMark`] if the file does not match the mark;
    /// [`ShardError::Read`], also if there is no file; [`ShardError::Write`].
    pub fn resume(folder: &Path, mark: &TracksMark) -> Result<Self, ShardError> {
        let part = PartFile::resume(part_path(folder), mark.bytes, mark.xxh64)?;
        part.truncate()?;
        Ok(Self {
            folder: folder.to_path_buf(),
            part,
        })
    }

    /// Moves the finished file, if there is one, from `final_folder` back to its unfinished name in `folder`, for a kill
    /// between [`finish`](Self::finish) and the end of the run.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn reopen_finished(final_folder: &Path, folder: &Path) -> Result<(), ShardError> {
        let path = final_folder.join(TRACKS_FILE);
        if path.exists() {
            let part = part_path(folder);
            fs::rename(&path, &part).map_err(ShardError::write(&part))?;
        }
        Ok(())
    }

    /// Appends `frames`, complete zstd frames, and returns the new state of the file. A kill of the process loses
    /// nothing of it.
    ///
    /// # Errors
    /// [`ShardError::Write`]; the call can be repeated.
    pub fn append(&mut self, frames: &[u8]) -> Result<TracksMark, ShardError> {
        self.part.append(frames)?;
        Ok(TracksMark {
            bytes: self.part.bytes(),
            xxh64: self.part.xxh64(),
        })
    }

    /// Waits until the file is on the disk.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn sync(&self) -> Result<(), ShardError> {
        self.part.sync()
    }

    /// Moves the file to its final name in `final_folder`, which is on the same file system.
    ///
    /// - `counts`: numbers of the appended tracklets.
    /// - `before`: description of a finished file to be extended. The unfinished file then stays, so that the call can be
    ///   repeated.
    ///
    /// # Errors
    /// [`ShardError::Write`]; [`ShardError::Read`], [`ShardError::CutBelowMark`] or [`ShardError::DiffersFromMark`] if
    /// the file to be extended does not match `before`.
    pub fn finish(
        mut self,
        final_folder: &Path,
        counts: &TrackletCounts,
        before: Option<&TracksEntry>,
    ) -> Result<TracksEntry, ShardError> {
        let path = final_folder.join(TRACKS_FILE);
        if before.is_none() && self.part.bytes() == 0 {
            // An empty file would not be a zstd file.
            let empty = zstd::bulk::compress(&[], 0).map_err(ShardError::write(&path))?;
            self.part.append(&empty)?;
        }
        let mut entry = TracksEntry {
            file: TRACKS_FILE.to_owned(),
            bytes: self.part.bytes(),
            xxh64: self.part.xxh64(),
            counts: counts.clone(),
        };
        match before {
            None => self.part.publish(&path)?,
            Some(before) => {
                entry.xxh64 = self.append_to(before, &path)?;
                entry.bytes += before.bytes;
                entry.counts.add(&before.counts);
            }
        }
        sync_folder(final_folder).map_err(ShardError::write(final_folder))?;
        Ok(entry)
    }

    /// Replaces `path` by the file `before`, which it holds, and the appended bytes; returns the checksum of the result.
    fn append_to(&mut self, before: &TracksEntry, path: &Path) -> Result<u64, ShardError> {
        let bytes = self.part.bytes();
        let PartFile {
            path: part, file, ..
        } = &mut self.part;
        let mut old = open_regular(path).map_err(ShardError::read(path))?;
        let mut hash = hash_up_to_mark(&mut old, before.bytes, before.xxh64, path)?;
        file.rewind()
            .and_then(|()| hash.update_from(file, bytes, &|_| true))
            .map_err(ShardError::read(part))?;
        let whole = self.folder.join(format!("{TRACKS_FILE}.whole"));
        write_whole(&whole, path, |mut output| {
            old.rewind()?;
            io::copy(&mut old.take(before.bytes), &mut output)?;
            file.rewind()?;
            io::copy(&mut file.take(bytes), &mut output)?;
            Ok(output)
        })
        .map_err(ShardError::write(path))?;
        Ok(hash.xxh64())
    }
}

fn part_path(folder: &Path) -> PathBuf {
    folder.join(TracksWriter::UNFINISHED)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn frame(text: &str) -> Vec<u8> {
        zstd::bulk::compress(text.as_bytes(), 3).unwrap()
    }

    fn text_in(dir: &Path) -> String {
        let bytes = fs::read(dir.join(TRACKS_FILE)).unwrap();
        String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap()
    }

    fn counts(tracklets: u64) -> TrackletCounts {
        TrackletCounts {
            tracklets,
            ..TrackletCounts::default()
        }
    }

    #[test]
    fn tracklets_are_read_up_to_the_limit_and_up_to_the_first_damaged_line() {
        let dir = tempfile::tempdir().unwrap();
        let line = |anchor: u64| {
            format!(
                r#"{{"clip":"a","key":null,"anchor":{anchor},"k":9,"region":0,"tracker":"dcf","outcome":"lost","forward_backward_iou":null,"boxes":[]}}"#
            ) + "\n"
        };
        let entry = TracksEntry {
            file: TRACKS_FILE.to_owned(),
            bytes: 0,
            xxh64: 0,
            counts: counts(3),
        };
        let text = [line(1), line(2), line(3)].concat();
        let write = |text: &str| fs::write(dir.path().join(TRACKS_FILE), frame(text)).unwrap();
        let read = |max_bytes| -> Vec<Option<u64>> {
            let lines = read_tracklets(dir.path(), &entry, max_bytes).unwrap();
            lines.map(|line| Some(line.ok()?.anchor)).collect()
        };
        write(&text);
        assert_eq!(read(1 << 20), [Some(1), Some(2), Some(3)]);
        assert_eq!(read(text.len() as u64 - 5), [Some(1), Some(2)]);
        write(&[line(1), "nonsense\n".to_owned(), line(2)].concat());
        assert_eq!(read(1 << 20), [Some(1), None]);
        fs::remove_file(dir.path().join(TRACKS_FILE)).unwrap();
        assert!(read_tracklets(dir.path(), &entry, 1).is_err());
    }

    #[test]
    fn resuming_removes_bytes_after_the_mark_and_keeps_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TracksWriter::create(dir.path()).unwrap();
        let mark = writer.append(&frame("one\n")).unwrap();
        writer.append(&frame("torn\n")[..5]).unwrap();
        drop(writer);
        let mut writer = TracksWriter::resume(dir.path(), &mark).unwrap();
        writer.append(&frame("two\n")).unwrap();
        let entry = writer.finish(dir.path(), &counts(2), None).unwrap();
        assert_eq!(text_in(dir.path()), "one\ntwo\n");
        let bytes = fs::read(dir.path().join(TRACKS_FILE)).unwrap();
        assert_eq!(entry.bytes, bytes.len() as u64);
        assert_eq!(entry.xxh64, xxhash_rust::xxh64::xxh64(&bytes, 0));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_does_not_match_its_mark_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TracksWriter::create(dir.path()).unwrap();
        let mark = writer.append(&frame("one\n")).unwrap();
        let part = dir.path().join(format!("{TRACKS_FILE}.part"));
        let mut bytes = fs::read(&part).unwrap();
        bytes[6] ^= 1;
        fs::write(&part, &bytes).unwrap();
        let resumed = TracksWriter::resume(dir.path(), &mark);
        assert!(matches!(resumed, Err(ShardError::DiffersFromMark { .. })));
        fs::write(&part, &bytes[..6]).unwrap();
        let resumed = TracksWriter::resume(dir.path(), &mark);
        assert!(matches!(resumed, Err(ShardError::CutBelowMark { .. })));
    }

    #[test]
    fn a_file_without_tracklets_is_a_valid_zstd_file() {
        let dir = tempfile::tempdir().unwrap();
        let writer = TracksWriter::create(dir.path()).unwrap();
        let entry = writer.finish(dir.path(), &counts(0), None).unwrap();
        assert!(entry.bytes > 0);
        assert_eq!(text_in(dir.path()), "");
    }

    #[test]
    fn extending_a_finished_file_can_be_repeated() {
        let (dir, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut writer = TracksWriter::create(dir.path()).unwrap();
        writer.append(&frame("one\n")).unwrap();
        let before = writer.finish(dir.path(), &counts(1), None).unwrap();
        let mut writer = TracksWriter::create(journal.path()).unwrap();
        let mark = writer.append(&frame("two\n")).unwrap();
        let first = writer
            .finish(dir.path(), &counts(1), Some(&before))
            .unwrap();
        let again = TracksWriter::resume(journal.path(), &mark)
            .and_then(|writer| writer.finish(dir.path(), &counts(1), Some(&before)))
            .unwrap();
        assert_eq!(first, again);
        assert_eq!(first.counts.tracklets, 2);
        assert_eq!(text_in(dir.path()), "one\ntwo\n");
        let bytes = fs::read(dir.path().join(TRACKS_FILE)).unwrap();
        assert_eq!(first.xxh64, xxhash_rust::xxh64::xxh64(&bytes, 0));
    }
}
