//! Reads records of one shard by number.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use vidpairs_types::{open_regular, read_regular};

use crate::damage::{Damage, DamageList, Fault, IndexFault};
use crate::error::ShardError;
use crate::index::{RecordSpan, ShardIndex};
use crate::record::Record;
use crate::walk::rebuild_index;

/// So much larger than its tar may an index be.
const MAX_SPARE_INDEX_BYTES: u64 = 64 << 20;

/// Reader of one shard: an open tar, and the places of its records.
#[derive(Debug)]
pub struct ShardReader {
    path: PathBuf,
    file_name: String,
    /// The tar, unless it was closed to stay below the limit of open files; it is opened again by the next read.
    tar: RwLock<Option<Arc<File>>>,
    tar_bytes: u64,
    spans: Vec<RecordSpan>,
    notes: DamageList,
}

impl ShardReader {
    /// Opens a tar and the `.idx` beside it. If the index is missing or damaged, it is rebuilt from the headers of the
    /// tar, and [`notes`](Self::notes) reports it.
    ///
    /// # Errors
    /// [`ShardError::Read`].
    pub fn open(tar: &Path) -> Result<Self, ShardError> {
        let file = open_regular(tar).map_err(ShardError::read(tar))?;
        let tar_bytes = file.metadata().map_err(ShardError::read(tar))?.len();
        let name = tar.file_name().expect("a regular file has a name");
        let file_name = name.to_string_lossy().into_owned();
        let index_path = tar.with_extension("idx");
        let read = read_index(&index_path, tar_bytes);
        let (index, notes) = match read.map_err(ShardError::read(&index_path))? {
            Ok(index) => (index, DamageList::default()),
            Err(fault) => {
                rebuilt_index(&file_name, &file, tar_bytes, fault).map_err(ShardError::read(tar))?
            }
        };
        Ok(Self {
            path: tar.to_path_buf(),
            file_name,
            tar: RwLock::new(Some(Arc::new(file))),
            tar_bytes,
            spans: index.into_spans(),
            notes,
        })
    }

    /// Offset of the header of the first member of each record, and the end of the last member with its padding, bytes.
    pub fn record_offsets(&self) -> impl Iterator<Item = u64> {
        let end = self.spans.last().map_or(0, |span| span.end);
        self.spans.iter().map(|span| span.start).chain([end])
    }

    /// Path of the tar.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reason why the index was rebuilt, and the bytes that could not be read then; empty if the `.idx` is sound.
    /// Records after a [gap](Fault::Gap) have lower numbers than in the sound shard.
    pub fn notes(&self) -> &DamageList {
        &self.notes
    }

    /// Number of records in the shard.
    pub fn num_records(&self) -> u64 {
        self.spans.len() as u64
    }

    /// Reads record `number`, from 0. [`Record::check`] compares its bytes with their checksums.
    ///
    /// # Errors
    /// [`ShardError::NoSuchRecord`]; [`ShardError::Damaged`] if the tar ends before the record does or has another
    /// member in its place; [`ShardError::Read`].
    pub fn record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        let span = usize::try_from(number).ok();
        let span = span.and_then(|number| self.spans.get(number).copied());
        let span = span.ok_or(ShardError::NoSuchRecord {
            record: number,
            num_records: self.num_records(),
        })?;
        let file = self.file().map_err(ShardError::read(&self.path))?;
        let record = Record::read(&self.file_name, number, &file, span, self.tar_bytes);
        let mut record = record.map_err(ShardError::read(&self.path))?;
        record.find_members(span)?;
        Ok(record)
    }

    /// Whether a read needs no further open file.
    pub(crate) fn is_open(&self) -> bool {
        let tar = self.tar.read().unwrap_or_else(PoisonError::into_inner);
        tar.is_some()
    }

    /// Closes the tar until the next read.
    pub(crate) fn close(&self) {
        let mut tar = self.tar.write().unwrap_or_else(PoisonError::into_inner);
        *tar = None;
    }

    fn file(&self) -> io::Result<Arc<File>> {
        {
            let tar = self.tar.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(file) = &*tar {
                return Ok(Arc::clone(file));
            }
        }
        let file = Arc::new(open_regular(&self.path)?);
        let mut tar = self.tar.write().unwrap_or_else(PoisonError::into_inner);
        *tar = Some(Arc::clone(&file));
        Ok(file)
    }
}

/// Reads the `.idx` file `path` of a tar of `tar_bytes` bytes. The inner error is the reason why it cannot be used.
pub(crate) fn read_index(path: &Path, tar_bytes: u64) -> io::Result<Result<ShardIndex, Fault>> {
    // A member takes less of the index than its header takes of the tar. The tar may have been cut.
    let max_bytes = tar_bytes.saturating_add(MAX_SPARE_INDEX_BYTES);
    match read_regular(path, max_bytes) {
        Ok(text) => Ok(ShardIndex::parse(text).map_err(Fault::IndexUnreadable)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(Err(Fault::IndexMissing)),
            ErrorKind::FileTooLarge => Ok(Err(Fault::IndexUnreadable(IndexFault {
                line: 1,
                problem: "the file is far larger than its tar",
            }))),
            _ => Err(error),
        },
    }
}

/// Rebuilds the index from a tar; also returns `reason` and the gaps, as damage of the file.
pub(crate) fn rebuilt_index(
    file_name: &str,
    tar: &File,
    tar_bytes: u64,
    reason: Fault,
) -> io::Result<(ShardIndex, DamageList)> {
    let mut notes = DamageList::default();
    notes.push(Damage::of_file(file_name, reason));
    let (lines, gaps) = rebuild_index(file_name, tar, tar_bytes)?;
    notes.append(gaps);
    Ok((lines.into_index(), notes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use vidpairs_types::Role;

    use super::*;
    use crate::fixtures::{overwrite, record, write_shard};

    fn damage_of(result: Result<(), ShardError>) -> Damage {
        match result.unwrap_err() {
            ShardError::Damaged(damage) => *damage,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let entry = write_shard(dir.path(), 0, 0..5);
        let shard = ShardReader::open(&dir.path().join(entry.file)).unwrap();
        assert_eq!((shard.num_records(), shard.notes().num()), (5, 0));
        for number in [3, 0, 4, 1, 2] {
            let (written, read) = (record(number), shard.record(number.into()).unwrap());
            assert_eq!(read.key(), written.meta.key);
            assert_eq!(read.meta().unwrap(), written.meta);
            for member in &written.members {
                assert_eq!(read.image(member.role).unwrap().bytes, &*member.bytes);
            }
            assert_eq!(read.members().nth(2).unwrap().extension, "json");
            read.check().unwrap();
        }
        let err = shard.record(5).unwrap_err();
        assert!(matches!(err, ShardError::NoSuchRecord { .. }));
    }

    #[test]
    fn a_record_cut_at_any_byte_is_an_error_not_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..2).file);
        let without_index = dir.path().join("copy.tar");
        let ends = {
            let index = fs::read(tar.with_extension("idx")).unwrap();
            let index = ShardIndex::parse(index).unwrap();
            [0, 1].map(|number| {
                let members = index.record(number).unwrap().unwrap();
                (members[2].offset + members[2].size) as usize
            })
        };
        let whole = fs::read(&tar).unwrap();
        for len in 0..whole.len() {
            overwrite(&tar, &whole[..len]);
            let shard = ShardReader::open(&tar).unwrap();
            for (number, end) in (0..2).zip(ends) {
                let read = shard.record(number).and_then(|record| record.check());
                assert_eq!(read.is_ok(), len >= end, "record {number} of {len} bytes");
                if len < end {
                    assert_eq!(damage_of(read).record, Some(number));
                }
            }

            overwrite(&without_index, &whole[..len]);
            let shard = ShardReader::open(&without_index).unwrap();
            for number in 0..shard.num_records() {
                let sound = shard.record(number).and_then(|record| record.check());
                assert!(sound.is_ok() || len < ends[number as usize].next_multiple_of(512));
            }
        }
    }

    #[test]
    fn a_changed_member_is_named_by_shard_number_key_and_extension() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 2, 0..3).file);
        let mut bytes = fs::read(&tar).unwrap();
        let shard = ShardReader::open(&tar).unwrap();
        let read = shard.record(1).unwrap();
        let positive = read.image(Role::Positive).unwrap().bytes;
        let mut places = bytes.windows(positive.len());
        let at = places.position(|window| window == positive).unwrap();
        bytes[at + 40] ^= 0x10;
        drop(read);
        drop(shard);
        fs::write(&tar, bytes).unwrap();
        let shard = ShardReader::open(&tar).unwrap();
        shard.record(0).unwrap().check().unwrap();
        shard.record(2).unwrap().check().unwrap();
        let message = damage_of(shard.record(1).unwrap().check()).to_string();
        let place = "pairs-000002.tar: record 1 (00000000-0001): positive.jpg: crc32 is ";
        assert!(message.starts_with(place), "{message}");
    }

    #[test]
    fn a_missing_or_damaged_index_is_rebuilt_and_reported() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..3).file);
        let index = tar.with_extension("idx");
        fs::write(&index, "v1.2 3\nanchor.jpg").unwrap();
        let assert_rebuilt = |is_expected: fn(&Fault) -> bool| {
            let shard = ShardReader::open(&tar).unwrap();
            let notes = shard.notes();
            assert!(is_expected(&notes.listed()[0].fault), "{notes:?}");
            assert_eq!((shard.num_records(), notes.num()), (3, 1));
            for number in 0..3 {
                shard.record(number).unwrap().check().unwrap();
            }
        };
        assert_rebuilt(|fault| matches!(fault, Fault::IndexUnreadable(_)));
        fs::write(&index, "").unwrap();
        assert_rebuilt(|fault| matches!(fault, Fault::IndexUnreadable(_)));
        fs::remove_file(&index).unwrap();
        assert_rebuilt(|fault| matches!(fault, Fault::IndexMissing));
    }

    #[test]
    fn a_tar_that_is_cut_while_it_is_open_is_an_error_and_no_signal() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..3).file);
        let shard = ShardReader::open(&tar).unwrap();
        shard.record(2).unwrap().check().unwrap();
        let file = File::options().write(true).open(&tar).unwrap();
        file.set_len(3000).unwrap();
        let damage = damage_of(shard.record(2).map(drop));
        assert!(matches!(damage.fault, Fault::CutShort { .. }), "{damage}");
        file.set_len(0).unwrap();
        assert!(shard.record(0).is_err());
    }

    #[test]
    fn a_closed_tar_is_opened_again_by_the_next_read() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..2).file);
        let shard = ShardReader::open(&tar).unwrap();
        shard.close();
        assert!(!shard.is_open());
        shard.record(1).unwrap().check().unwrap();
        assert!(shard.is_open());
    }

    #[test]
    fn an_index_that_is_sparse_or_states_a_huge_record_takes_no_memory() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..1).file);
        let index = tar.with_extension("idx");
        let sparse = File::create(&index).unwrap();
        sparse.set_len(1 << 42).unwrap();
        let shard = ShardReader::open(&tar).unwrap();
        let fault = &shard.notes().listed()[0].fault;
        assert!(matches!(fault, Fault::IndexUnreadable(_)), "{fault}");
        let size = 1u64 << 40;
        fs::write(
            &index,
            format!("v1.2 1\njson 512 {size} 00000000-0000.json\n"),
        )
        .unwrap();
        let tar_file = File::options().write(true).open(&tar).unwrap();
        tar_file.set_len(1 << 41).unwrap();
        let shard = ShardReader::open(&tar).unwrap();
        let damage = damage_of(shard.record(0).map(drop));
        assert!(
            matches!(damage.fault, Fault::RecordTooLarge { .. }),
            "{damage}"
        );
    }

    #[test]
    fn an_index_of_another_tar_gives_errors_and_never_wrong_images() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..3).file);
        let other = dir.path().join(write_shard(dir.path(), 1, 1..4).file);
        fs::copy(other.with_extension("idx"), tar.with_extension("idx")).unwrap();
        let shard = ShardReader::open(&tar).unwrap();
        // Where both tars have a record from one place to the other, it is that of this tar.
        let mut num_read = 0;
        for number in 0..3 {
            if let Ok(read) = shard.record(number) {
                read.check().unwrap();
                assert_eq!(read.meta().unwrap(), record(number as u32).meta);
                num_read += 1;
            }
        }
        assert!(num_read < 3);
    }
}
