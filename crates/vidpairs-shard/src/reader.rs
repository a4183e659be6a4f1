//! One shard over a memory map: any record by its number.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use vidpairs_types::{RecordMeta, Role, SCHEMA};

use super::ustar::read_member;
use super::walk::rebuild_index;
use super::{Damage, Fault, ShardError, ShardIndex, seal};

/// One shard: its tar mapped, its index at hand.
#[derive(Debug)]
pub struct ShardReader {
    path: PathBuf,
    file_name: String,
    tar: Mmap,
    index: ShardIndex,
    notes: Vec<Damage>,
}

impl ShardReader {
    /// Opens a tar and the `.idx` beside it. Where that is missing or damaged, the index is built
    /// anew from the headers of the tar, and [`notes`](Self::notes) says so.
    ///
    /// # Errors
    /// [`ShardError::Read`].
    pub fn open(tar: &Path) -> Result<Self, ShardError> {
        let file_name = tar.file_name().unwrap_or(tar.as_os_str());
        let file_name = file_name.to_string_lossy().into_owned();
        let map = map_file(tar).map_err(ShardError::read(tar))?;
        let index_path = tar.with_extension("idx");
        let (index, notes) = match read_index(&index_path).map_err(ShardError::read(&index_path))? {
            Ok(index) => (index, Vec::new()),
            Err(fault) => rebuilt(&file_name, &map, fault),
        };
        Ok(Self {
            path: tar.to_path_buf(),
            file_name,
            tar: map,
            index,
            notes,
        })
    }

    /// The tar.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the index had to be built anew, and what could not be read then; empty for a shard with
    /// a sound `.idx`. Where a gap is among them, the records after it count from lower numbers.
    pub fn notes(&self) -> &[Damage] {
        &self.notes
    }

    /// Records in the shard.
    pub fn num_records(&self) -> u64 {
        self.index.num_records()
    }

    /// Record `number`, from 0. Its bytes are those of the map: nothing is copied, and they are
    /// not checked before [`Record::check`].
    ///
    /// # Errors
    /// [`ShardError::NoSuchRecord`]; [`ShardError::Damaged`] if the tar ends before the record does or holds
    /// another member in its place.
    pub fn record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        let indexed = self.index.record(number).ok_or(ShardError::NoSuchRecord {
            record: number,
            num_records: self.num_records(),
        })?;
        let indexed = indexed
            .map_err(|fault| Damage::of_file(&self.file_name, Fault::IndexUnreadable(fault)))?;
        let mut record = Record {
            shard: &self.file_name,
            number,
            key: indexed.first().map_or("", |member| member.key()),
            members: Vec::with_capacity(indexed.len()),
        };
        for member in &indexed {
            let extension = member.extension;
            let bytes = read_member(&self.tar, member)
                .map_err(|fault| record.damage(Some(extension), fault))?;
            record.members.push(Member { extension, bytes });
        }
        Ok(record)
    }
}

/// Opens a file read-only and maps it.
pub(super) fn map_file(path: &Path) -> io::Result<Mmap> {
    let file = open_regular(path)?;
    // SAFETY: a file under its final name is never written again, only removed, and a removed
    // file stays while it is mapped. Whoever cuts a shard in use gets SIGBUS, as with any map.
    unsafe { Mmap::map(&file) }
}

/// Opens a file read-only; a fifo of that name would block for ever.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    File::open(path)
}

/// The `.idx` at `path`, or why it cannot be used.
pub(super) fn read_index(path: &Path) -> io::Result<Result<ShardIndex, Fault>> {
    match map_file(path) {
        Ok(text) => Ok(ShardIndex::parse_mapped(text).map_err(Fault::IndexUnreadable)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Err(Fault::IndexMissing)),
        Err(error) => Err(error),
    }
}

/// The index built anew from `tar`, with `why` and the gaps met on the way.
pub(super) fn rebuilt(file_name: &str, tar: &[u8], why: Fault) -> (ShardIndex, Vec<Damage>) {
    let (lines, gaps) = rebuild_index(tar);
    let gaps = gaps.into_iter().map(|gap| Fault::Gap {
        offset: gap.offset,
        bytes: gap.bytes,
        reason: gap.reason,
    });
    let faults = std::iter::once(why).chain(gaps);
    let notes = faults.map(|fault| Damage::of_file(file_name, fault));
    (lines.into(), notes.collect())
}

/// One member of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// `anchor.jpg`, `json`: the name after the key and its dot.
    pub extension: &'a str,
    /// The bytes, in the map.
    pub bytes: &'a [u8],
}

/// One record of a shard, borrowed from its map.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    pub(super) shard: &'a str,
    pub(super) number: u64,
    pub(super) key: &'a str,
    pub(super) members: Vec<Member<'a>>,
}

impl<'a> Record<'a> {
    /// File name of its shard.
    pub fn shard(&self) -> &'a str {
        self.shard
    }

    /// Its number in the shard, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its key.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Its members in the order of the tar.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The image member of a view.
    pub fn image(&self, role: Role) -> Option<Member<'a>> {
        let is_of_role = |member: &&Member| {
            let rest = member.extension.strip_prefix(role.name());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.members.iter().find(is_of_role).copied()
    }

    /// What `KEY.json` says.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] if it is missing, unreadable, of another record or of a newer
    /// schema.
    pub fn meta(&self) -> Result<RecordMeta, ShardError> {
        self.read_meta().map_err(ShardError::Damaged)
    }

    /// Compares every image member with its crc32 in the json.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] with shard, number, key and member of the first that differs or is
    /// missing; the errors of [`meta`](Self::meta).
    pub fn check(&self) -> Result<(), ShardError> {
        match self.damages().into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }

    /// All that is wrong with the members taken together: what [`check`](Self::check) names the
    /// first of.
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
            let image_of_view = |(role, _)| self.image(role) == Some(*member);
            member.extension == "json" || meta.views().any(image_of_view)
        };
        let unknown = self.members.iter().filter(|member| !is_described(member));
        damages.extend(
            unknown.map(|member| self.damage(Some(member.extension), Fault::MemberUnknown)),
        );
        damages
    }

    fn read_meta(&self) -> Result<RecordMeta, Box<Damage>> {
        let is_json = |member: &&Member| member.extension == "json";
        let damage = |fault| Box::new(self.damage(Some("json"), fault));
        let json = self.members.iter().find(is_json);
        let json = json.ok_or_else(|| damage(Fault::MemberMissing))?;
        match seal::checksums(json.bytes) {
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

    pub(super) fn damage(&self, member: Option<&str>, fault: Fault) -> Damage {
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
    use super::super::fixtures::{overwrite, record, write_shard};
    use super::*;

    fn damage_of(result: Result<(), ShardError>) -> Damage {
        match result.unwrap_err() {
            ShardError::Damaged(damage) => *damage,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_read_back_as_they_were_written() {
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
        let said = damage_of(shard.record(1).unwrap().check()).to_string();
        let place = "pairs-000002.tar: record 1 (00000000-0001): positive.jpg: crc32 is ";
        assert!(said.starts_with(place), "{said}");
    }

    #[test]
    fn a_missing_or_damaged_index_is_built_anew_and_noted() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join(write_shard(dir.path(), 0, 0..3).file);
        let index = tar.with_extension("idx");
        fs::write(&index, "v1.2 3\nanchor.jpg").unwrap();
        let opened = |fault: fn(&Fault) -> bool| {
            let shard = ShardReader::open(&tar).unwrap();
            assert!(fault(&shard.notes()[0].fault), "{:?}", shard.notes());
            assert_eq!((shard.num_records(), shard.notes().len()), (3, 1));
            for number in 0..3 {
                shard.record(number).unwrap().check().unwrap();
            }
        };
        opened(|fault| matches!(fault, Fault::IndexUnreadable(_)));
        fs::write(&index, "").unwrap();
        opened(|fault| matches!(fault, Fault::IndexUnreadable(_)));
        fs::remove_file(&index).unwrap();
        opened(|fault| matches!(fault, Fault::IndexMissing));
    }

    #[test]
    fn an_index_of_another_tar_gives_errors_not_other_images() {
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
