//! Reads records of one shard by number.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use vidpairs_types::{RecordMeta, Role, SCHEMA, open_regular, read_regular};

use crate::checksum::json_crc32;
use crate::damage::{Damage, DamageList, Fault, IndexFault};
use crate::error::ShardError;
use crate::index::{RecordSpan, ShardIndex};
use crate::span::{Span, SpanBytes};
use crate::ustar::{BLOCK_BYTES, padded_end, parse};
use crate::walk::rebuild_index;

/// Largest record, with headers and padding, bytes: two views and their whole frames in 8K, raw. A larger one cannot be written, so that
/// the numbers of a damaged or sparse file never take the memory.
pub(crate) const MAX_RECORD_BYTES: u64 = 512 << 20;

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

/// Member of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Part of the name after the key and its dot, such as `anchor.jpg` or `json`.
    pub extension: &'a str,
    /// Bytes of the member.
    pub bytes: &'a [u8],
}

/// Record of a shard.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    shard: &'a str,
    number: u64,
    /// Empty until a member is known.
    key: String,
    members: Vec<MemberPlace>,
    /// Place of `bytes` in the tar.
    start: u64,
    bytes: SpanBytes,
    tar_bytes: u64,
}

/// Extension of a member, and its place in the bytes of the record.
#[derive(Debug, Clone)]
struct MemberPlace {
    extension: String,
    place: Range<usize>,
}

impl<'a> Record<'a> {
    /// Reads the bytes of a record, fewer if the tar ends before. Its members are still to be found.
    ///
    /// # Errors
    /// Errors of the operating system.
    pub(crate) fn read(
        shard: &'a str,
        number: u64,
        tar: &File,
        span: RecordSpan,
        tar_bytes: u64,
    ) -> io::Result<Self> {
        let len = span.end.min(tar_bytes).saturating_sub(span.start);
        let len = usize::try_from(len.min(MAX_RECORD_BYTES)).unwrap_or(usize::MAX);
        let bytes = SpanBytes::read(tar, span.start, len)?;
        // Shorter only if something has cut the tar since it was opened.
        let tar_bytes = match bytes.len() < len {
            true => span.start + bytes.len() as u64,
            false => tar_bytes,
        };
        Ok(Self {
            shard,
            number,
            key: String::new(),
            members: Vec::new(),
            start: span.start,
            bytes,
            tar_bytes,
        })
    }

    /// Finds the members in their headers, which must end where the index states.
    fn find_members(&mut self, span: RecordSpan) -> Result<(), ShardError> {
        let bytes = span.end.saturating_sub(span.start);
        if bytes > MAX_RECORD_BYTES {
            let limit = MAX_RECORD_BYTES;
            return Err(self
                .damage(None, Fault::RecordTooLarge { bytes, limit })
                .into());
        }
        let mut at = span.start;
        while at < span.end {
            let cut_short = Fault::CutShort {
                needed: span.end,
                file: self.tar_bytes,
            };
            let Some(header) = self.span().at(at, BLOCK_BYTES as u64) else {
                return Err(self.damage(None, cut_short).into());
            };
            let (name, size) = parse(header).map_err(|reason| {
                let offset = at;
                ShardError::from(self.damage(None, Fault::Header { offset, reason }))
            })?;
            let (key, extension) = name.split_once('.').unwrap_or((name, ""));
            let offset = at + BLOCK_BYTES as u64;
            let end = padded_end(offset, size).unwrap_or(u64::MAX);
            let is_other = !self.members.is_empty() && key != self.key;
            if is_other || end > span.end {
                let (tar, index) = (if is_other { at } else { end }, span.end);
                return Err(self.damage(None, Fault::RecordEnd { tar, index }).into());
            }
            let (key, extension) = (key.to_owned(), extension.to_owned());
            self.key = key;
            if self.span().at(offset, size).is_none() {
                return Err(self.damage(Some(&extension), cut_short).into());
            }
            self.add_member(extension, offset, size);
            at = end;
        }
        Ok(())
    }

    /// Adds a member whose bytes are in those of the record.
    ///
    /// - `offset`: place of its bytes in the tar.
    pub(crate) fn add_member(&mut self, extension: String, offset: u64, size: u64) {
        let start = offset.saturating_sub(self.start) as usize;
        let place = start..start.saturating_add(size as usize);
        self.members.push(MemberPlace { extension, place });
    }

    pub(crate) fn set_key(&mut self, key: &str) {
        key.clone_into(&mut self.key);
    }

    /// The bytes with their place in the tar.
    pub(crate) fn span(&self) -> Span<'_> {
        Span {
            start: self.start,
            bytes: &self.bytes,
            tar_bytes: self.tar_bytes,
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
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Members, in the order of the tar.
    pub fn members(&self) -> impl ExactSizeIterator<Item = Member<'_>> {
        self.members.iter().map(|member| Member {
            extension: &member.extension,
            bytes: self.bytes.get(member.place.clone()).unwrap_or_default(),
        })
    }

    /// Image of the view `role`: a JPEG, or zstd-compressed RGB if its extension ends in `.rgb.zst`. `None` if the
    /// record has no such view.
    pub fn image(&self, role: Role) -> Option<Member<'_>> {
        let is_of_role = |member: &Member| {
            let rest = member.extension.strip_prefix(role.name());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.members().find(is_of_role)
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
        for member in self.members().filter(|member| !is_described(member)) {
            damages.push(self.damage(Some(member.extension), Fault::MemberUnknown));
        }
        damages
    }

    fn read_meta(&self) -> Result<RecordMeta, Box<Damage>> {
        let damage = |fault| Box::new(self.damage(Some("json"), fault));
        let mut members = self.members();
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
            key: (!self.key.is_empty()).then(|| self.key.clone()),
            member: member.map(str::to_owned),
            fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
