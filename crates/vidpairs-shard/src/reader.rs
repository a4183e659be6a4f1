//! Reads records of one shard by number, over a memory map.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use vidpairs_types::{RecordMeta, Role, SCHEMA};

use crate::checksum::json_crc32;
use crate::damage::{Damage, Fault};
use crate::error::ShardError;
use crate::index::ShardIndex;
use crate::ustar::{IndexedMember, read_member};
use crate::walk::rebuild_index;

/// Reader of one shard: a memory-mapped tar with its index.
#[derive(Debug)]
pub struct ShardReader {
    path: PathBuf,
    file_name: String,
    tar: Mmap,
    index: ShardIndex,
    notes: Vec<Damage>,
}

impl ShardReader {
    /// Opens a tar and the `.idx` beside it. If the index is missing or damaged, it is rebuilt from the headers of the
    /// tar, and [`notes`](Self::notes) reports it.
    ///
    /// # Errors
    /// [`ShardError::Read`].
    pub fn open(tar: &Path) -> Result<Self, ShardError> {
        let map = map_file(tar).map_err(ShardError::read(tar))?;
        let name = tar.file_name().expect("a regular file has a name");
        let file_name = name.to_string_lossy().into_owned();
        let index_path = tar.with_extension("idx");
        let (index, notes) = match read_index(&index_path).map_err(ShardError::read(&index_path))? {
            Ok(index) => (index, Vec::new()),
            Err(fault) => rebuilt_index(&file_name, &map, fault),
        };
        Ok(Self {
            path: tar.to_path_buf(),
            file_name,
            tar: map,
            index,
            notes,
        })
    }

    /// Path of the tar.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reason why the index was rebuilt, and the bytes that could not be read then; empty if the `.idx` is sound.
    /// Records after a [gap](Fault::Gap) have lower numbers than in the sound shard.
    pub fn notes(&self) -> &[Damage] {
        &self.notes
    }

    /// Number of records in the shard.
    pub fn num_records(&self) -> u64 {
        self.index.num_records()
    }

    /// Returns record `number`, from 0. Its bytes are borrowed from the map, without a copy; [`Record::check`] compares
    /// them with their checksums.
    ///
    /// # Errors
    /// [`ShardError::NoSuchRecord`]; [`ShardError::Damaged`] if the tar ends before the record does or has another
    /// member in its place.
    pub fn record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        let indexed = self
            .index
            .record(number)
            .ok_or(ShardError::NoSuchRecord {
                record: number,
                num_records: self.num_records(),
            })?
            .map_err(|fault| Damage::of_file(&self.file_name, Fault::IndexUnreadable(fault)))?;
        let mut record = Record::without_members(&self.file_name, number, &indexed);
        for member in &indexed {
            let extension = member.extension();
            let bytes = read_member(&self.tar, member)
                .map_err(|fault| record.damage(Some(extension), fault))?;
            record.members.push(Member { extension, bytes });
        }
        Ok(record)
    }
}

/// Maps a regular file read-only.
pub(crate) fn map_file(path: &Path) -> io::Result<Mmap> {
    let file = open_regular(path)?;
    // SAFETY: a file under its final name is never written again, only removed, and a removed file stays while it is
    // mapped. A program that shortens a shard in use causes SIGBUS, as with any memory map.
    unsafe { Mmap::map(&file) }
}

/// Opens a regular file read-only. Opening a FIFO would block.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    File::open(path)
}

/// Reads the `.idx` file `path`. The inner error is the reason why it cannot be used.
pub(crate) fn read_index(path: &Path) -> io::Result<Result<ShardIndex, Fault>> {
    match map_file(path) {
        Ok(text) => Ok(ShardIndex::parse(text).map_err(Fault::IndexUnreadable)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Err(Fault::IndexMissing)),
        Err(error) => Err(error),
    }
}

/// Rebuilds the index from `tar`; also returns `reason` and the gaps, as damage of the file.
pub(crate) fn rebuilt_index(
    file_name: &str,
    tar: &[u8],
    reason: Fault,
) -> (ShardIndex, Vec<Damage>) {
    let (lines, gaps) = rebuild_index(tar);
    let notes = std::iter::once(reason)
        .chain(gaps)
        .map(|fault| Damage::of_file(file_name, fault));
    (lines.into_index(), notes.collect())
}

/// Member of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Part of the name after the key and its dot, such as `anchor.jpg` or `json`.
    pub extension: &'a str,
    /// Bytes of the member, in the map.
    pub bytes: &'a [u8],
}

/// Record of a shard, borrowed from its map.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    shard: &'a str,
    number: u64,
    key: &'a str,
    pub(crate) members: Vec<Member<'a>>,
}

impl<'a> Record<'a> {
    /// Record with the key of the `indexed` members, to be filled with their bytes.
    pub(crate) fn without_members(
        shard: &'a str,
        number: u64,
        indexed: &[IndexedMember<'a>],
    ) -> Self {
        let first = indexed.first().expect("every record has a member");
        Self {
            shard,
            number,
            key: first.key(),
            members: Vec::with_capacity(indexed.len()),
        }
    }

    /// File name of the shard.
    pub fn shard(&self) -> &'a str {
        self.shard
    }

    /// Number of the record in the shard, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Key of the record.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Members, in the order of the tar.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Image of the view `role`: a JPEG, or zstd-compressed RGB if its extension ends in `.rgb.zst`. `None` if the
    /// record has no such view.
    pub fn image(&self, role: Role) -> Option<Member<'a>> {
        let is_of_role = |member: &&Member| {
            let rest = member.extension.strip_prefix(role.name());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.members.iter().find(is_of_role).copied()
    }

    /// Parses `KEY.json`, after checking its CRC-32.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] if it is missing, damaged, of another record or of a newer schema.
    pub fn meta(&self) -> Result<RecordMeta, ShardError> {
        self.read_meta().map_err(ShardError::Damaged)
    }

    /// Compares every image with its CRC-32 in the JSON.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] with shard, number, key and member of the first that is missing or differs; the errors
    /// of [`meta`](Self::meta).
    pub fn check(&self) -> Result<(), ShardError> {
        match self.damages().into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }

    /// All damage that [`check`](Self::check) can find.
    pub fn damages(&self) -> Vec<Damage> {
        let meta = match self.read_meta() {
            Ok(meta) => meta,
            Err(damage) => return vec![*damage],
        };
        let mut damages = Vec::new();
        for (role, view) in meta.views() {
            let Some(image) = self.image(role) else {
                damages.push(self.damage(Some(role.name()), Fault::MemberMissing));
                continue;
            };
            let (found, json) = (crc32fast::hash(image.bytes), view.crc32);
            if found != json {
                let fault = Fault::Crc32 { found, json };
                damages.push(self.damage(Some(image.extension), fault));
            }
        }
        let is_described = |member: &Member| {
            let is_image_of_view = |(role, _)| self.image(role) == Some(*member);
            member.extension == "json" || meta.views().any(is_image_of_view)
        };
        for member in self.members.iter().filter(|member| !is_described(member)) {
            damages.push(self.damage(Some(member.extension), Fault::MemberUnknown));
        }
        damages
    }

    fn read_meta(&self) -> Result<RecordMeta, Box<Damage>> {
        let damage = |fault| Box::new(self.damage(Some("json"), fault));
        let mut members = self.members.iter();
        let json = members
            .find(|member| member.extension == "json")
            .ok_or_else(|| damage(Fault::MemberMissing))?;
        match json_crc32(json.bytes) {
            Some((found, stated)) if found == stated => {}
            Some((found, stated)) => return Err(damage(Fault::JsonCrc32 { found, stated })),
            None => return Err(damage(Fault::JsonUnsealed)),
        }
        let meta: RecordMeta = serde_json::from_slice(json.bytes).map_err(|error| {
            damage(Fault::JsonUnreadable {
                reason: error.to_string(),
            })
        })?;
        if meta.schema > SCHEMA {
            return Err(damage(Fault::SchemaNewer {
                found: meta.schema,
                supported: SCHEMA,
            }));
        }
        if meta.key != self.key {
            return Err(damage(Fault::KeyDiffers { json: meta.key }));
        }
        Ok(meta)
    }

    /// Damage of this record, or of its member with the extension `member`.
    pub(crate) fn damage(&self, member: Option<&str>, fault: Fault) -> Damage {
        Damage {
            shard: self.shard.to_owned(),
            record: Some(self.number),
            key: Some(self.key.to_owned()),
            member: member.map(str::to_owned),
            fault,
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!((shard.num_records(), shard.notes()), (5, &[][..]));
        for number in [3, 0, 4, 1, 2] {
            let (written, read) = (record(number), shard.record(number.into()).unwrap());
            assert_eq!(read.key(), written.meta.key);
            assert_eq!(read.meta().unwrap(), written.meta);
            for member in &written.members {
                assert_eq!(read.image(member.role).unwrap().bytes, &*member.bytes);
            }
            assert_eq!(read.members()[2].extension, "json");
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
        let positive = shard.record(1).unwrap().image(Role::Positive).unwrap();
        let at = positive.bytes.as_ptr() as usize - shard.tar.as_ptr() as usize;
        bytes[at + 40] ^= 0x10;
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
            assert!(is_expected(&shard.notes()[0].fault), "{:?}", shard.notes());
            assert_eq!((shard.num_records(), shard.notes().len()), (3, 1));
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
    fn an_index_of_another_tar_gives_errors_and_never_wrong_images() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..3).file);
        let other = dir.path().join(write_shard(dir.path(), 1, 1..4).file);
        fs::copy(other.with_extension("idx"), tar.with_extension("idx")).unwrap();
        let shard = ShardReader::open(&tar).unwrap();
        for number in 0..3 {
            assert!(shard.record(number).is_err());
        }
    }
}
