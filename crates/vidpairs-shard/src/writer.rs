//! Writes one shard, record by record, and resumes it after a kill.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vidpairs_types::{EncodedRecord, sync_folder, write_whole};

use crate::checksum;
use crate::error::{ShardError, Unfit};
use crate::index::IndexLines;
use crate::manifest::ShardEntry;
use crate::members::{TarMember, json_of, tar_members};
use crate::part::PartFile;
use crate::parts::Part;
use crate::record::Record;
use crate::ustar::{BLOCK_BYTES, END_BYTES, IndexedMember};
use crate::walk::rebuild_index;

/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Names of the files of one shard.
///
/// # Examples
/// ```
/// use vidpairs_shard::{Part, ShardName};
///
/// assert_eq!(ShardName::from(3).tar(), "pairs-000003.tar");
/// let part = Part::new(12, 40);
/// assert_eq!(ShardName { part, ordinal: 3 }.index(), "pairs-00012-000003.idx");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardName {
    /// Part of the data set that the shard belongs to; `None` for a data set that one process writes.
    pub part: Option<Part>,
    /// Ordinal of the shard, from 0.
    pub ordinal: u64,
}

impl From<u64> for ShardName {
    fn from(ordinal: u64) -> Self {
        Self {
            part: None,
            ordinal,
        }
    }
}

impl ShardName {
    /// Name of the tar.
    pub fn tar(self) -> String {
        self.with_extension("tar")
    }

    /// Name of the index.
    pub fn index(self) -> String {
        self.with_extension("idx")
    }

    /// Ordinal of the shard of the same part whose tar or index is called `name`; `None` for any other name.
    pub fn part_ordinal_of(self, name: &str) -> Option<u64> {
        let (stem, extension) = name.rsplit_once('.')?;
        let ordinal = stem.rsplit_once('-')?.1.parse().ok()?;
        let other = Self { ordinal, ..self };
        (other.with_extension(extension) == name && matches!(extension, "tar" | "idx"))
            .then_some(ordinal)
    }

    /// Name of the tar while it is written.
    pub fn unfinished(self) -> String {
        self.with_extension("tar.part")
    }

    fn with_extension(self, extension: &str) -> String {
        let ordinal = self.ordinal;
        match self.part {
            None => format!("pairs-{ordinal:06}.{extension}"),
            Some(part) => format!("pairs-{:05}-{ordinal:06}.{extension}", part.index()),
        }
    }
}

/// State of an unfinished shard from which it can be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardMark {
    /// Length of the tar, without the blocks that end it.
    pub bytes: u64,
    /// xxh64 of these bytes; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
    /// Number of records in these bytes.
    pub records: u64,
}

/// Writes one shard. Its name is `pairs-NNNNNN.tar.part` until [`finish`](Self::finish).
///
/// The bytes depend on the records only. Memory: a buffer of 1 MiB, the record being appended, and about 60 bytes of
/// index per member.
///
/// # Examples
/// ```no_run
/// # fn records() -> Vec<vidpairs_shard::EncodedRecord> { Vec::new() }
/// # fn main() -> Result<(), vidpairs_shard::ShardError> {
/// use std::path::Path;
/// use vidpairs_shard::ShardWriter;
///
/// let (journal, out) = (Path::new("out/.journal"), Path::new("out"));
/// let mut writer = ShardWriter::create(journal, 0)?;
/// for record in records() {
///     writer.append(&record)?;
/// }
/// let mark = writer.mark()?; // if stored, `ShardWriter::resume` continues from it after a kill
/// let entry = writer.finish(out)?; // out/pairs-000000.tar and .idx
/// # Ok(()) }
/// ```
pub struct ShardWriter {
    folder: PathBuf,
    name: ShardName,
    part: PartFile,
    /// Bytes that follow those of `part`.
    pending: Vec<u8>,
    index: IndexLines,
}

impl ShardWriter {
    /// Creates `folder/pairs-NNNNNN.tar.part` for shard `name`, replacing an existing file.
    ///
    /// - `name`: its ordinal, if the data set has no parts.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn create(folder: &Path, name: impl Into<ShardName>) -> Result<Self, ShardError> {
        let name = name.into();
        Ok(Self {
            folder: folder.to_path_buf(),
            name,
            part: PartFile::create(part_path(folder, name))?,
            pending: Vec::new(),
            index: IndexLines::default(),
        })
    }

    /// Resumes shard `name` in `folder` from `mark`. Bytes written after the mark are removed.
    ///
    /// # Errors
    /// [`ShardError::CutBelowMark`], [`ShardError::DiffersFromMark`] or [`ShardError::RecordsDifferFromMark`] if the file
    /// does not match the mark; it is then left unchanged. [`ShardError::Read`], also if there is no file.
    /// [`ShardError::Write`].
    pub fn resume(
        folder: &Path,
        name: impl Into<ShardName>,
        mark: &ShardMark,
    ) -> Result<Self, ShardError> {
        let name = name.into();
        let part = PartFile::resume(part_path(folder, name), mark.bytes, mark.xxh64)?;
        let index = index_up_to_mark(&part, mark)?;
        part.truncate()?;
        Ok(Self {
            folder: folder.to_path_buf(),
            name,
            part,
            pending: Vec::new(),
            index,
        })
    }

    /// Moves the finished tar of shard `name` from `final_folder` back to its unfinished name in `folder` and removes
    /// its index, so that [`resume`](Self::resume) works after a kill between [`finish`](Self::finish) and the moment
    /// when the caller recorded it. Returns whether there was a finished tar.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn reopen_finished(
        final_folder: &Path,
        folder: &Path,
        name: impl Into<ShardName>,
    ) -> Result<bool, ShardError> {
        let name = name.into();
        let tar = final_folder.join(name.tar());
        let is_finished = tar.exists();
        if is_finished {
            let part = part_path(folder, name);
            fs::rename(&tar, &part).map_err(ShardError::write(&part))?;
        }
        // The index may be there without a tar: `finish` moves it first.
        let index = final_folder.join(name.index());
        match fs::remove_file(&index) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ShardError::write(&index)(error));
            }
            _ => {}
        }
        if is_finished {
            sync_folder(folder).map_err(ShardError::write(folder))?;
            sync_folder(final_folder).map_err(ShardError::write(final_folder))?;
        }
        Ok(is_finished)
    }

    /// Appends `record`. After an error the shard is unchanged, and the call can be repeated.
    ///
    /// # Errors
    /// [`ShardError::UnfitRecord`]; [`ShardError::Write`].
    pub fn append(&mut self, record: &EncodedRecord) -> Result<(), ShardError> {
        let unfit = |unfit| ShardError::UnfitRecord {
            key: record.meta.key.clone(),
            unfit,
        };
        if self.index.last_key() == Some(record.meta.key.as_str()) {
            return Err(unfit(Unfit::RepeatedKey));
        }
        let members = tar_members(record).map_err(unfit)?;
        self.append_members(&members)
    }

    /// Appends the members of a stored record as they are. After an error the shard is unchanged, and the call can be repeated.
    ///
    /// # Errors
    /// [`ShardError::UnfitRecord`]; [`ShardError::Write`].
    pub fn copy(&mut self, record: &Record<'_>) -> Result<(), ShardError> {
        let unfit = |unfit| ShardError::UnfitRecord {
            key: record.key().to_owned(),
            unfit,
        };
        if self.index.last_key() == Some(record.key()) {
            return Err(unfit(Unfit::RepeatedKey));
        }
        let members = record.members().map(|member| {
            let name = format!("{}.{}", record.key(), member.extension);
            TarMember::new(name, member.bytes.into())
        });
        let members = members.collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        self.append_members(&members)
    }

    fn append_members(&mut self, members: &[TarMember<'_>]) -> Result<(), ShardError> {
        if self.pending.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        let mut indexed = Vec::with_capacity(members.len());
        for member in members {
            self.pending.extend_from_slice(&member.header);
            indexed.push(IndexedMember {
                name: &member.name,
                offset: self.bytes(),
                size: member.bytes.len() as u64,
            });
            self.pending.extend_from_slice(&member.bytes);
            let padding = self.bytes().next_multiple_of(BLOCK_BYTES as u64) - self.bytes();
            self.pending
                .resize(self.pending.len() + padding as usize, 0);
        }
        self.index.push(&indexed);
        Ok(())
    }

    /// Length of the finished tar if `record` were the last one, bytes.
    ///
    /// # Errors
    /// [`ShardError::UnfitRecord`] if the JSON of the record cannot be written.
    pub fn size_with(&self, record: &EncodedRecord) -> Result<u64, ShardError> {
        let json = json_of(record).map_err(|unfit| ShardError::UnfitRecord {
            key: record.meta.key.clone(),
            unfit,
        })?;
        let images = record.members.iter().map(|member| member.bytes.len());
        let blocks = images
            .chain([json.len()])
            .map(|size| BLOCK_BYTES + size.next_multiple_of(BLOCK_BYTES));
        Ok(self.bytes() + (blocks.sum::<usize>() + END_BYTES) as u64)
    }

    /// Number of records so far.
    pub fn num_records(&self) -> u64 {
        self.index.num_records()
    }

    /// Hands all bytes to the operating system and returns the state of the shard. A kill of the process loses nothing
    /// of it; a power cut may, which [`resume`](Self::resume) reports.
    ///
    /// # Errors
    /// [`ShardError::Write`]; the call can be repeated.
    pub fn mark(&mut self) -> Result<ShardMark, ShardError> {
        self.flush()?;
        Ok(ShardMark {
            bytes: self.part.bytes(),
            xxh64: self.part.xxh64(),
            records: self.num_records(),
        })
    }

    /// Ends the tar and moves first the index, then the tar to their final names in `final_folder`, which is on the same
    /// file system.
    ///
    /// # Errors
    /// [`ShardError::Write`]; the unfinished file can still be resumed from its last mark.
    pub fn finish(mut self, final_folder: &Path) -> Result<ShardEntry, ShardError> {
        self.pending.extend_from_slice(&[0; END_BYTES]);
        self.flush()?;
        let index_name = self.name.index();
        let index_path = final_folder.join(&index_name);
        let index_part = self.folder.join(format!("{index_name}.part"));
        write_whole(&index_part, &index_path, |mut file| {
            file.write_all(self.index.file_text().as_bytes())?;
            Ok(file)
        })
        .map_err(ShardError::write(&index_path))?;
        let file = self.name.tar();
        self.part.publish(&final_folder.join(&file))?;
        sync_folder(final_folder).map_err(ShardError::write(final_folder))?;
        Ok(ShardEntry {
            file,
            bytes: self.part.bytes(),
            records: self.num_records(),
            xxh64: self.part.xxh64(),
        })
    }

    fn bytes(&self) -> u64 {
        self.part.bytes() + self.pending.len() as u64
    }

    fn flush(&mut self) -> Result<(), ShardError> {
        self.part.append(&self.pending)?;
        self.pending.clear();
        Ok(())
    }
}

fn part_path(folder: &Path, name: ShardName) -> PathBuf {
    folder.join(name.unfinished())
}

fn index_up_to_mark(part: &PartFile, mark: &ShardMark) -> Result<IndexLines, ShardError> {
    let name = part.path.to_string_lossy();
    let (index, gaps) =
        rebuild_index(&name, &part.file, mark.bytes).map_err(ShardError::read(&part.path))?;
    if gaps.num() > 0 || index.end != mark.bytes || index.num_records() != mark.records {
        return Err(ShardError::RecordsDifferFromMark {
            path: part.path.clone(),
            found_records: index.num_records(),
            mark_records: mark.records,
        });
    }
    Ok(index)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::fixtures::{overwrite, record};

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_shard_cut_anywhere_after_its_mark_resumes_to_the_same_bytes() {
        let whole = temporary();
        let mut writer = ShardWriter::create(whole.path(), 3).unwrap();
        for number in 0..2 {
            writer.append(&record(number)).unwrap();
        }
        let mark = writer.mark().unwrap();
        writer.append(&record(2)).unwrap();
        writer.mark().unwrap();
        let unfinished = fs::read(whole.path().join("pairs-000003.tar.part")).unwrap();
        let entry = writer.finish(whole.path()).unwrap();
        let tar = fs::read(whole.path().join("pairs-000003.tar")).unwrap();
        let index = fs::read(whole.path().join("pairs-000003.idx")).unwrap();

        let cut = temporary();
        let part = cut.path().join("pairs-000003.tar.part");
        for len in mark.bytes as usize..=unfinished.len() {
            overwrite(&part, &unfinished[..len]);
            let mut writer = ShardWriter::resume(cut.path(), 3, &mark).unwrap();
            writer.append(&record(2)).unwrap();
            writer.mark().unwrap();
            assert!(fs::read(&part).unwrap() == unfinished, "cut at {len}");
            if len % 512 == 0 {
                assert_eq!(writer.finish(cut.path()).unwrap(), entry);
                assert!(fs::read(cut.path().join("pairs-000003.tar")).unwrap() == tar);
                assert!(fs::read(cut.path().join("pairs-000003.idx")).unwrap() == index);
            }
        }
    }

    #[test]
    fn a_reopened_finished_shard_resumes_to_the_same_bytes() {
        let (folder, out) = (temporary(), temporary());
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
        writer.append(&record(0)).unwrap();
        let mark = writer.mark().unwrap();
        writer.append(&record(1)).unwrap();
        let entry = writer.finish(out.path()).unwrap();
        let tar = fs::read(out.path().join(&entry.file)).unwrap();

        let reopen = || ShardWriter::reopen_finished(out.path(), folder.path(), 0).unwrap();
        assert!(reopen());
        assert!(!reopen());
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
        let mut writer = ShardWriter::resume(folder.path(), 0, &mark).unwrap();
        writer.append(&record(1)).unwrap();
        assert_eq!(writer.finish(out.path()).unwrap(), entry);
        assert!(fs::read(out.path().join(&entry.file)).unwrap() == tar);
    }

    #[test]
    fn reopening_removes_an_index_without_a_tar() {
        let (folder, out) = (temporary(), temporary());
        fs::write(out.path().join("pairs-000007.idx"), "v1.2 0\n").unwrap();
        assert!(!ShardWriter::reopen_finished(out.path(), folder.path(), 7).unwrap());
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_part_file_that_does_not_match_its_mark_is_refused_and_left_unchanged() {
        let folder = temporary();
        let part = folder.path().join("pairs-000000.tar.part");
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
        let empty = writer.mark().unwrap();
        writer.append(&record(0)).unwrap();
        let mark = writer.mark().unwrap();
        drop(writer);
        let bytes = fs::read(&part).unwrap();
        let resume = |mark: &ShardMark| ShardWriter::resume(folder.path(), 0, mark).map(|_| ());

        let too_many = ShardMark { records: 2, ..mark };
        let err = resume(&too_many).unwrap_err();
        assert!(matches!(err, ShardError::RecordsDifferFromMark { .. }));
        let mut flipped = bytes.clone();
        flipped[700] ^= 1;
        fs::write(&part, &flipped).unwrap();
        let err = resume(&mark).unwrap_err();
        assert!(matches!(err, ShardError::DiffersFromMark { .. }));
        fs::write(&part, &bytes[..bytes.len() - 1]).unwrap();
        let err = resume(&mark).unwrap_err();
        assert!(matches!(err, ShardError::CutBelowMark { .. }));
        assert_eq!(fs::metadata(&part).unwrap().len(), mark.bytes - 1);
        resume(&empty).unwrap();
        resume(&empty).unwrap();
    }

    #[test]
    fn size_with_a_record_is_the_size_of_the_finished_tar() {
        let folder = temporary();
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
        for number in 0..4 {
            let predicted = writer.size_with(&record(number)).unwrap();
            writer.append(&record(number)).unwrap();
            let mark = writer.mark().unwrap();
            assert_eq!(predicted, mark.bytes + END_BYTES as u64);
        }
        let predicted = writer.size_with(&record(4)).unwrap();
        writer.append(&record(4)).unwrap();
        let entry = writer.finish(folder.path()).unwrap();
        assert_eq!((entry.bytes, entry.records), (predicted, 5));
        let tar = fs::metadata(folder.path().join(entry.file)).unwrap();
        assert_eq!(tar.len(), predicted);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_with_the_path_and_the_append_can_be_repeated() {
        let folder = temporary();
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
        writer.part.file = File::options().write(true).open("/dev/full").unwrap();
        let mut number = 0;
        let err = loop {
            match writer.append(&record(number)) {
                Ok(()) => number += 1,
                Err(err) => break err,
            }
        };
        assert!(err.to_string().contains("pairs-000000.tar.part"), "{err}");
        let ShardError::Write { source, .. } = err else {
            panic!("{err:?}");
        };
        assert_eq!(source.kind(), ErrorKind::StorageFull);
        assert_eq!(writer.num_records(), u64::from(number));
        assert!(writer.mark().is_err());

        // With space again, nothing is lost.
        writer.part.file = File::create(folder.path().join("elsewhere")).unwrap();
        writer.append(&record(number)).unwrap();
        let mark = writer.mark().unwrap();
        let written = fs::read(folder.path().join("elsewhere")).unwrap();
        assert_eq!(xxhash_rust::xxh64::xxh64(&written, 0), mark.xxh64);
        assert_eq!(mark.records, u64::from(number) + 1);
    }

    #[test]
    fn an_invalid_record_is_refused_and_leaves_the_shard_unchanged() {
        let folder = temporary();
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
        writer.append(&record(0)).unwrap();
        let mark = writer.mark().unwrap();
        let mut refused = |change: &dyn Fn(&mut EncodedRecord)| {
            let mut record = record(1);
            change(&mut record);
            let err = writer.append(&record).unwrap_err();
            assert_eq!(writer.mark().unwrap(), mark);
            match err {
                ShardError::UnfitRecord { unfit, .. } => unfit,
                other => panic!("{other:?}"),
            }
        };
        for key in ["", "a.b", "a b", "a/b", "\u{e4}"] {
            let unfit = refused(&|record| record.meta.key = key.to_owned());
            assert!(matches!(unfit, Unfit::Key), "{key:?}: {unfit:?}");
        }
        let unfit = refused(&|record| record.meta.key = "00000000-0000".to_owned());
        assert!(matches!(unfit, Unfit::RepeatedKey));
        let unfit = refused(&|record| record.members.reverse());
        assert!(matches!(unfit, Unfit::Members { .. }));
        let unfit = refused(&|record| record.meta.anchor.crc32 ^= 1);
        assert!(matches!(unfit, Unfit::Crc32 { .. }));
        let unfit = refused(&|record| record.meta.anchor.box_xywh.as_mut().unwrap().x = f64::NAN);
        assert!(matches!(unfit, Unfit::Box { .. }));
    }

    #[test]
    fn a_mark_round_trips_through_json_with_all_its_bits() {
        let mark = ShardMark {
            bytes: 1 << 40,
            xxh64: u64::MAX - 1,
            records: 7,
        };
        let json = serde_json::to_string(&mark).unwrap();
        assert!(json.contains("\"fffffffffffffffe\""), "{json}");
        assert_eq!(serde_json::from_str::<ShardMark>(&json).unwrap(), mark);
        assert!(serde_json::from_str::<ShardMark>(&json.replace("fffe", "FFFE")).is_err());
    }
}
