//! Writing `tracks.jsonl.zst`, frame by frame, and taking it up again after a kill.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::Xxh64;

use super::super::{ShardError, checksum, durable};
use super::{TRACKS_FILE, TrackletCounts, TracksEntry};

/// What an unfinished file held when it was last sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracksMark {
    /// Its bytes.
    pub bytes: u64,
    /// xxh64 of so many bytes; 16 hexadecimal digits in json.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
}

/// Writes `tracks.jsonl.zst.part` in a folder of its own until [`finish`](Self::finish).
pub struct TracksWriter {
    folder: PathBuf,
    part: PathBuf,
    file: File,
    bytes: u64,
    checksum: Xxh64,
}

impl TracksWriter {
    /// Starts the file in `folder`; one that lies there is lost.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn create(folder: &Path) -> Result<Self, ShardError> {
        let part = part_path(folder);
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(true);
        let file = opened.open(&part).map_err(ShardError::write(&part))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            part,
            file,
            bytes: 0,
            checksum: Xxh64::new(0),
        })
    }

    /// Takes up the file in `folder` where `mark` was taken; what was written after is cut.
    ///
    /// # Errors
    /// [`ShardError::CutBelowMark`] or [`ShardError::DiffersFromMark`] if the file is not the one that was
    /// marked; [`ShardError::Read`] (also if there is none); [`ShardError::Write`].
    pub fn resume(folder: &Path, mark: &TracksMark) -> Result<Self, ShardError> {
        let part = part_path(folder);
        let opened = OpenOptions::new().read(true).write(true).open(&part);
        let mut file = opened.map_err(ShardError::read(&part))?;
        let checksum = checksum::up_to(&mut file, (mark.bytes, mark.xxh64), &part)?;
        file.set_len(mark.bytes).map_err(ShardError::write(&part))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            part,
            file,
            bytes: mark.bytes,
            checksum,
        })
    }

    /// Moves the finished file, if there is one, from `final_folder` back to its unfinished name in `folder`:
    /// for a kill between [`finish`](Self::finish) and the end of the run.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn reopen_finished(final_folder: &Path, folder: &Path) -> Result<(), ShardError> {
        let path = final_folder.join(TRACKS_FILE);
        if path.exists() {
            durable::rename(&path, &part_path(folder))?;
        }
        Ok(())
    }

    /// Appends `frames`, whole zstd frames, and says what the file holds then. A kill loses nothing of it.
    ///
    /// # Errors
    /// [`ShardError::Write`]; may be tried again.
    pub fn append(&mut self, frames: &[u8]) -> Result<TracksMark, ShardError> {
        self.file
            .seek(SeekFrom::Start(self.bytes))
            .and_then(|_| self.file.write_all(frames))
            .map_err(ShardError::write(&self.part))?;
        self.bytes += frames.len() as u64;
        self.checksum.update(frames);
        Ok(TracksMark {
            bytes: self.bytes,
            xxh64: self.checksum.digest(),
        })
    }

    /// Brings the file to the disk.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn sync(&self) -> Result<(), ShardError> {
        self.file.sync_data().map_err(ShardError::write(&self.part))
    }

    /// Puts the file under its final name in `final_folder`, which is on the same file system.
    ///
    /// - `counts`: what was appended.
    /// - `before`: the finished file to whose end it belongs, where a data set is added to. Then the unfinished
    ///   one stays, so that this can be done again.
    ///
    /// # Errors
    /// [`ShardError::Write`]; [`ShardError::Read`], [`ShardError::CutBelowMark`] or
    /// [`ShardError::DiffersFromMark`] if the file before it is not what its entry says.
    pub fn finish(
        mut self,
        final_folder: &Path,
        counts: &TrackletCounts,
        before: Option<&TracksEntry>,
    ) -> Result<TracksEntry, ShardError> {
        let path = final_folder.join(TRACKS_FILE);
        if before.is_none() && self.bytes == 0 {
            // No byte at all would be no file of zstd.
            let empty = zstd::bulk::compress(&[], 0).map_err(ShardError::write(&self.part))?;
            self.append(&empty)?;
        }
        let mut entry = TracksEntry {
            file: TRACKS_FILE.to_owned(),
            bytes: self.bytes,
            xxh64: self.checksum.digest(),
            counts: counts.clone(),
        };
        match before {
            None => {
                self.sync()?;
                durable::rename(&self.part, &path)?;
            }
            Some(before) => {
                entry.xxh64 = self.append_to(before, &path)?;
                entry.bytes += before.bytes;
                entry.counts.add(&before.counts);
            }
        }
        durable::sync_folder(final_folder)?;
        Ok(entry)
    }

    /// Makes `path` the file of `before` with this one behind it; gives the checksum of the whole.
    fn append_to(&mut self, before: &TracksEntry, path: &Path) -> Result<u64, ShardError> {
        let mut old = File::open(path).map_err(ShardError::read(path))?;
        let mut checksum = checksum::up_to(&mut old, (before.bytes, before.xxh64), path)?;
        let whole = self.folder.join(format!("{TRACKS_FILE}.whole"));
        let written = File::create(&whole).and_then(|mut file| {
            old.rewind()?;
            io::copy(&mut old.take(before.bytes), &mut file)?;
            self.file.rewind()?;
            io::copy(&mut (&self.file).take(self.bytes), &mut file)?;
            file.sync_all()
        });
        written.map_err(ShardError::write(&whole))?;
        self.file.rewind().map_err(ShardError::read(&self.part))?;
        checksum::update_from(&mut self.file, self.bytes, &mut checksum, &|_| true)
            .map_err(ShardError::read(&self.part))?;
        durable::rename(&whole, path)?;
        Ok(checksum.digest())
    }
}

fn part_path(folder: &Path) -> PathBuf {
    folder.join(format!("{TRACKS_FILE}.part"))
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
    fn what_was_written_after_the_mark_is_cut_and_the_rest_goes_on() {
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
    fn a_file_that_is_not_the_marked_one_is_refused() {
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
    fn a_file_without_a_tracklet_is_a_file_of_zstd_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let writer = TracksWriter::create(dir.path()).unwrap();
        let entry = writer.finish(dir.path(), &counts(0), None).unwrap();
        assert!(entry.bytes > 0);
        assert_eq!(text_in(dir.path()), "");
    }

    #[test]
    fn adding_to_a_finished_file_can_be_done_twice() {
        let (dir, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut writer = TracksWriter::create(dir.path()).unwrap();
        writer.append(&frame("one\n")).unwrap();
        let before = writer.finish(dir.path(), &counts(1), None).unwrap();
        let mut writer = TracksWriter::create(journal.path()).unwrap();
        let mark = writer.append(&frame("two\n")).unwrap();
        let first = writer
            .finish(dir.path(), &counts(1), Some(&before))
            .unwrap();
        let again = TracksWriter::resume(journal.path(), &mark).unwrap();
        let again = again.finish(dir.path(), &counts(1), Some(&before)).unwrap();
        assert_eq!(first, again);
        assert_eq!(first.counts.tracklets, 2);
        assert_eq!(text_in(dir.path()), "one\ntwo\n");
        let bytes = fs::read(dir.path().join(TRACKS_FILE)).unwrap();
        assert_eq!(first.xxh64, xxhash_rust::xxh64::xxh64(&bytes, 0));
    }
}
