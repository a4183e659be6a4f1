//! One shard, written record by record, and taken up again after a kill.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use vidpairs_types::{EncodedRecord, Role};
use xxhash_rust::xxh64::Xxh64;

use super::index::IndexLines;
use super::ustar::{self, END_BYTES};
use super::walk::rebuild_index;
use super::{
    IndexedMember, ShardEntry, ShardError, Unfit, checksum, durable, index_file_name, seal,
    tar_file_name,
};

/// Bytes held back before they go to the operating system.
const BUFFER_BYTES: usize = 1 << 20;

/// What an unfinished shard held when it was last sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardMark {
    /// Bytes of the tar, without the blocks that will end it.
    pub bytes: u64,
    /// xxh64 of so many bytes; 16 hexadecimal digits in json.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
    /// Records in them.
    pub records: u64,
}

/// Writes one shard: `pairs-NNNNNN.tar.part` in a folder of its own until [`finish`](Self::finish).
///
/// The bytes depend on the records alone. In memory: one buffer of 1 MiB, the record being
/// appended, and about 60 bytes of index per member.
///
/// # Examples
/// ```no_run
/// # fn records() -> Vec<vidpairs_types::EncodedRecord> { Vec::new() }
/// # fn main() -> Result<(), vidpairs_shard::ShardError> {
/// use std::path::Path;
/// use vidpairs_shard::ShardWriter;
///
/// let (journal, out) = (Path::new("out/.journal"), Path::new("out"));
/// let mut writer = ShardWriter::create(journal, 0)?;
/// for record in records() {
///     writer.append(&record)?;
/// }
/// let mark = writer.mark()?; // to be noted: after a kill, `ShardWriter::resume` goes on from it
/// let entry = writer.finish(out)?; // out/pairs-000000.tar and .idx
/// # Ok(()) }
/// ```
pub struct ShardWriter {
    folder: PathBuf,
    part: PathBuf,
    ordinal: u64,
    file: File,
    /// Bytes that `file` holds.
    flushed_bytes: u64,
    /// Bytes after them. Written at their own offset and dropped only when written, so that a
    /// flush that failed half-way can be tried again.
    pending: Vec<u8>,
    checksum: Xxh64,
    index: IndexLines,
}

impl ShardWriter {
    /// Starts shard `ordinal` as `folder/pairs-NNNNNN.tar.part`; one that lies there is lost.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn create(folder: &Path, ordinal: u64) -> Result<Self, ShardError> {
        let part = part_path(folder, ordinal);
        let file = File::create(&part).map_err(ShardError::write(&part))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            part,
            ordinal,
            file,
            flushed_bytes: 0,
            pending: Vec::new(),
            checksum: Xxh64::new(0),
            index: IndexLines::default(),
        })
    }

    /// Takes up shard `ordinal` in `folder` where `mark` was taken; what was written after is cut.
    ///
    /// # Errors
    /// [`ShardError::CutBelowMark`], [`ShardError::DiffersFromMark`] or
    /// [`ShardError::RecordsDifferFromMark`] if the file is not the one that was marked, and then
    /// it is left as it is; [`ShardError::Read`] (also if there is none); [`ShardError::Write`].
    pub fn resume(folder: &Path, ordinal: u64, mark: &ShardMark) -> Result<Self, ShardError> {
        let part = part_path(folder, ordinal);
        let opened = OpenOptions::new().read(true).write(true).open(&part);
        let mut file = opened.map_err(ShardError::read(&part))?;
        let checksum = checksum::up_to(&mut file, (mark.bytes, mark.xxh64), &part)?;
        let index = index_up_to(&file, mark, &part)?;
        file.set_len(mark.bytes).map_err(ShardError::write(&part))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            part,
            ordinal,
            file,
            flushed_bytes: mark.bytes,
            pending: Vec::new(),
            checksum,
            index,
        })
    }

    /// Moves the finished tar of shard `ordinal`, if there is one, from `final_folder` back to its
    /// unfinished name in `folder` and removes its index, so that [`resume`](Self::resume) works:
    /// for a kill between [`finish`](Self::finish) and the note that it was done. Says whether
    /// there was one.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn reopen_finished(
        final_folder: &Path,
        folder: &Path,
        ordinal: u64,
    ) -> Result<bool, ShardError> {
        let tar = final_folder.join(tar_file_name(ordinal));
        let found = tar.exists();
        if found {
            durable::rename(&tar, &part_path(folder, ordinal))?;
        }
        // Also without a tar: `finish` puts the index in place first.
        durable::remove_if_present(&final_folder.join(index_file_name(ordinal)))?;
        if found {
            durable::sync_folder(folder)?;
            durable::sync_folder(final_folder)?;
        }
        Ok(found)
    }

    /// Appends `record`. After an error nothing of it is in the shard, and it may be tried again.
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
        let members = members_of(record).map_err(unfit)?;
        if self.pending.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        let mut indexed = Vec::with_capacity(members.len());
        for member in &members {
            self.push(&member.header);
            indexed.push(IndexedMember {
                extension: ustar::split_name(&member.name).map_or("", |(_, extension)| extension),
                offset: self.bytes(),
                size: member.bytes.len() as u64,
                name: &member.name,
            });
            self.push(&member.bytes);
            let padding = self.bytes().next_multiple_of(ustar::BLOCK_BYTES as u64) - self.bytes();
            self.push(&[0; ustar::BLOCK_BYTES][..padding as usize]);
        }
        self.index.push(&indexed);
        Ok(())
    }

    /// Bytes of the tar if `record` were appended and the shard then finished.
    ///
    /// # Errors
    /// [`ShardError::UnfitRecord`] if its json cannot be written.
    pub fn size_with(&self, record: &EncodedRecord) -> Result<u64, ShardError> {
        let json = json_of(record).map_err(|unfit| ShardError::UnfitRecord {
            key: record.meta.key.clone(),
            unfit,
        })?;
        let images = record.members.iter().map(|member| member.bytes.len());
        let blocks = images
            .chain([json.len()])
            .map(|size| ustar::BLOCK_BYTES + size.next_multiple_of(ustar::BLOCK_BYTES));
        Ok(self.bytes() + (blocks.sum::<usize>() + END_BYTES) as u64)
    }

    /// Records so far.
    pub fn num_records(&self) -> u64 {
        self.index.num_records()
    }

    /// Hands everything to the operating system, so that a kill loses nothing of it, and says what
    /// the shard holds. A power cut may lose it: [`resume`](Self::resume) then says so.
    ///
    /// # Errors
    /// [`ShardError::Write`]; may be tried again.
    pub fn mark(&mut self) -> Result<ShardMark, ShardError> {
        self.flush()?;
        Ok(ShardMark {
            bytes: self.bytes(),
            xxh64: self.checksum.digest(),
            records: self.num_records(),
        })
    }

    /// Ends the tar and puts index and tar, in that order, under their final names in
    /// `final_folder`, which is on the same file system.
    ///
    /// # Errors
    /// [`ShardError::Write`]; the unfinished file is still there then, good for its last mark.
    pub fn finish(mut self, final_folder: &Path) -> Result<ShardEntry, ShardError> {
        self.push(&[0; END_BYTES]);
        self.flush()?;
        self.file
            .sync_all()
            .map_err(ShardError::write(&self.part))?;

        let index_name = index_file_name(self.ordinal);
        let index_part = self.folder.join(format!("{index_name}.part"));
        let index_path = final_folder.join(index_name);
        durable::write_whole(&index_part, &index_path, self.index.file_text().as_bytes())?;
        let file = tar_file_name(self.ordinal);
        durable::rename(&self.part, &final_folder.join(&file))?;
        durable::sync_folder(final_folder)?;
        Ok(ShardEntry {
            file,
            bytes: self.bytes(),
            records: self.num_records(),
            xxh64: self.checksum.digest(),
        })
    }

    fn bytes(&self) -> u64 {
        self.flushed_bytes + self.pending.len() as u64
    }

    fn push(&mut self, bytes: &[u8]) {
        self.checksum.update(bytes);
        self.pending.extend_from_slice(bytes);
    }

    fn flush(&mut self) -> Result<(), ShardError> {
        self.file
            .seek(SeekFrom::Start(self.flushed_bytes))
            .and_then(|_| self.file.write_all(&self.pending))
            .map_err(ShardError::write(&self.part))?;
        self.flushed_bytes = self.bytes();
        self.pending.clear();
        Ok(())
    }
}

fn part_path(folder: &Path, ordinal: u64) -> PathBuf {
    folder.join(format!("{}.part", tar_file_name(ordinal)))
}

fn index_up_to(file: &File, mark: &ShardMark, part: &Path) -> Result<IndexLines, ShardError> {
    // SAFETY: the unfinished shard belongs to this run alone; nothing cuts it while it is mapped.
    let map = unsafe { Mmap::map(file) }.map_err(ShardError::read(part))?;
    let tar = ustar::bytes_at(&map, 0, mark.bytes).unwrap_or_default();
    let (index, gaps) = rebuild_index(tar);
    if !gaps.is_empty() || index.end != mark.bytes || index.num_records() != mark.records {
        return Err(ShardError::RecordsDifferFromMark {
            path: part.to_path_buf(),
            found_records: index.num_records(),
            mark_records: mark.records,
        });
    }
    Ok(index)
}

/// A member as it goes into the tar.
struct MemberToWrite<'a> {
    name: String,
    header: [u8; ustar::BLOCK_BYTES],
    bytes: std::borrow::Cow<'a, [u8]>,
}

/// The members of a record, images first, after a look at every rule.
fn members_of(record: &EncodedRecord) -> Result<Vec<MemberToWrite<'_>>, Unfit> {
    check_record(record)?;
    let key = &record.meta.key;
    let images = record.members.iter().map(|member| {
        let name = format!("{key}.{}.{}", member.role.name(), member.extension);
        (name, std::borrow::Cow::from(&*member.bytes))
    });
    let json = (format!("{key}.json"), json_of(record)?.into());
    images
        .chain([json])
        .map(|(name, bytes)| {
            let size = bytes.len() as u64;
            match ustar::header(&name, size) {
                Some(header) => Ok(MemberToWrite {
                    name,
                    header,
                    bytes,
                }),
                None => Err(Unfit::Header {
                    member: name,
                    bytes: size,
                }),
            }
        })
        .collect()
}

fn check_record(record: &EncodedRecord) -> Result<(), Unfit> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let key = record.meta.key.as_bytes();
    if !(1..=64).contains(&key.len()) || !key.iter().all(|&byte| is_plain(byte)) {
        return Err(Unfit::Key);
    }
    let members: Vec<Role> = record.members.iter().map(|member| member.role).collect();
    let views: Vec<Role> = record.meta.views().map(|(role, _)| role).collect();
    if members != views {
        let names = |roles: &[Role]| roles.iter().map(|role| role.name()).collect::<Vec<_>>();
        return Err(Unfit::Members {
            members: names(&members).join(", "),
            views: names(&views).join(", "),
        });
    }
    for (member, (role, view)) in record.members.iter().zip(record.meta.views()) {
        let role = role.name();
        let found = crc32fast::hash(&member.bytes);
        if found != view.crc32 {
            let stated = view.crc32;
            return Err(Unfit::Crc32 {
                role,
                found,
                stated,
            });
        }
        let is_finite = |side: f64| side.is_finite();
        if view
            .box_xywh
            .is_some_and(|b| !<[f64; 4]>::from(b).into_iter().all(is_finite))
        {
            return Err(Unfit::Box { role });
        }
    }
    Ok(())
}

fn json_of(record: &EncodedRecord) -> Result<Vec<u8>, Unfit> {
    serde_json::to_vec(&record.meta)
        .map(seal::sealed)
        .map_err(Unfit::Json)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::super::fixtures::{overwrite, record};
    use super::*;

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_resumed_writer_gives_the_same_bytes_for_a_cut_anywhere_after_the_mark() {
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
    fn a_finished_shard_can_be_taken_back_and_gone_on_with() {
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
    fn an_index_left_by_a_kill_inside_finish_is_removed() {
        let (folder, out) = (temporary(), temporary());
        fs::write(out.path().join("pairs-000007.idx"), "v1.2 0\n").unwrap();
        assert!(!ShardWriter::reopen_finished(out.path(), folder.path(), 7).unwrap());
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_part_that_is_not_the_marked_one_is_refused_and_left_alone() {
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
    fn the_size_with_a_record_is_the_size_of_the_finished_tar() {
        let folder = temporary();
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
        for number in 0..4 {
            let foretold = writer.size_with(&record(number)).unwrap();
            writer.append(&record(number)).unwrap();
            let mark = writer.mark().unwrap();
            assert_eq!(foretold, mark.bytes + END_BYTES as u64);
        }
        let foretold = writer.size_with(&record(4)).unwrap();
        writer.append(&record(4)).unwrap();
        let entry = writer.finish(folder.path()).unwrap();
        assert_eq!((entry.bytes, entry.records), (foretold, 5));
        let tar = fs::metadata(folder.path().join(entry.file)).unwrap();
        assert_eq!(tar.len(), foretold);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_with_the_path_and_the_append_can_be_tried_again() {
        let folder = temporary();
        let part = folder.path().join("pairs-000000.tar.part");
        std::os::unix::fs::symlink("/dev/full", &part).unwrap();
        let mut writer = ShardWriter::create(folder.path(), 0).unwrap();
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

        // Space is found again: nothing was lost.
        writer.file = File::create(folder.path().join("elsewhere")).unwrap();
        writer.append(&record(number)).unwrap();
        let mark = writer.mark().unwrap();
        let written = fs::read(folder.path().join("elsewhere")).unwrap();
        assert_eq!(xxhash_rust::xxh64::xxh64(&written, 0), mark.xxh64);
        assert_eq!(mark.records, u64::from(number) + 1);
    }

    #[test]
    fn a_record_that_breaks_a_rule_is_refused_and_leaves_no_byte() {
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
    fn a_mark_keeps_all_its_bits_in_json() {
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
