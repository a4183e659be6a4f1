//! Verifies one shard.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{ClipSpan, FileVerifier, ShardVerdict, unreadable};
use vidpairs_types::open_regular;

use crate::damage::{Damage, Fault};
use crate::index::{RecordSpan, ShardIndex};
use crate::manifest::ShardEntry;
use crate::reader::{read_index, rebuilt_index};
use crate::record::{MAX_RECORD_BYTES, Record};
use crate::record_order::ordinals;
use crate::span::{ReadAt, Span};
use crate::ustar::{BLOCK_BYTES, END_BYTES, IndexedMember, check_form, read_member};
use crate::walk::is_zero;

/// Checks every byte of one shard: length and xxh64 of the tar, its index, header, padding and CRC-32 of every member,
/// and every JSON. Continues after damage.
///
/// - `is_shuffled`: whether the records of the data set are in a random order ([`Manifest::is_shuffled`](crate::Manifest::is_shuffled)).
///
/// `keep_going` is called with the number of bytes checked since the last call, at least once per MiB and record. Every
/// byte is checked twice, so the sum is about twice the size of the tar. Returns `None` as soon as it returns `false`.
pub fn verify_shard(
    dir: &Path,
    entry: &ShardEntry,
    is_shuffled: bool,
    keep_going: &dyn Fn(u64) -> bool,
) -> Option<ShardVerdict> {
    let mut verifier = Verifier {
        entry,
        is_shuffled,
        file: FileVerifier::new(dir, &entry.file, keep_going),
        clips: Vec::new(),
    };
    let records = verifier.run()?;
    Some(ShardVerdict {
        file: entry.file.clone(),
        records,
        damage: verifier.file.damage,
        clips: verifier.clips,
    })
}

struct Verifier<'a> {
    entry: &'a ShardEntry,
    is_shuffled: bool,
    file: FileVerifier<'a>,
    clips: Vec<ClipSpan>,
}

impl Verifier<'_> {
    /// Checks the shard and returns its number of records; `None` if `keep_going` returns `false`.
    fn run(&mut self) -> Option<u64> {
        if !self.file.check_bytes(self.entry.bytes, self.entry.xxh64)? {
            return Some(0);
        }
        let opened = open_regular(&self.file.path).and_then(|tar| {
            let tar_bytes = tar.metadata()?.len();
            Ok(Tar { tar, tar_bytes })
        });
        let checked = opened
            .and_then(|tar| Ok((self.index(&tar)?, tar)))
            .and_then(|(index, tar)| self.check_records(&tar, &index));
        match checked {
            Ok(num_records) => num_records,
            Err(error) => {
                self.file.report(unreadable(0, &error));
                Some(0)
            }
        }
    }

    fn check_records(&mut self, tar: &Tar, index: &ShardIndex) -> io::Result<Option<u64>> {
        for number in 0..index.num_records() {
            let bytes = self.check_record(tar, index, number)?;
            if !(self.file.keep_going)(bytes) {
                return Ok(None);
            }
        }
        self.check_end(tar, index.end())?;
        let (found, manifest) = (index.num_records(), self.entry.records);
        if found != manifest {
            self.file.report(Fault::Records { found, manifest });
        }
        Ok(Some(found))
    }

    /// Reads the `.idx`. It places damage best, since it does not depend on the tar. If it cannot be used, it is rebuilt
    /// from the headers of the tar.
    fn index(&mut self, tar: &Tar) -> io::Result<ShardIndex> {
        let path = self.file.path.with_extension("idx");
        let fault = match read_index(&path, tar.tar_bytes) {
            Ok(Ok(index)) => {
                let described = index.end().saturating_add(END_BYTES as u64);
                let found = tar.tar_bytes;
                if described == self.entry.bytes || described == found {
                    return Ok(index);
                }
                Fault::IndexOfAnotherTar {
                    index: described,
                    tar: found,
                }
            }
            Ok(Err(fault)) => fault,
            Err(error) => Fault::Unreadable {
                offset: 0,
                reason: format!("its .idx: {error}"),
            },
        };
        let Tar { tar, tar_bytes } = tar;
        let (index, notes) = rebuilt_index(&self.entry.file, tar, *tar_bytes, fault)?;
        self.file.damage.append(notes);
        Ok(index)
    }

    /// Checks one record and returns the size of its headers and members, bytes.
    fn check_record(&mut self, tar: &Tar, index: &ShardIndex, number: u64) -> io::Result<u64> {
        let indexed = match index
            .record(number)
            .expect("the number is below that of records")
        {
            Ok(indexed) => indexed,
            Err(fault) => {
                self.file.report(Fault::IndexUnreadable(fault));
                return Ok(0);
            }
        };
        let Tar { tar, tar_bytes } = tar;
        let span = RecordSpan::of(&indexed);
        let mut record = Record::read(&self.entry.file, number, tar, span, *tar_bytes)?;
        record.set_key(indexed.first().map_or("", IndexedMember::key));
        let bytes = span.end - span.start;
        if bytes > MAX_RECORD_BYTES {
            let limit = MAX_RECORD_BYTES;
            let fault = Fault::RecordTooLarge { bytes, limit };
            self.file.damage.push(record.damage(None, fault));
            return Ok(0);
        }
        if !self.note_place(record.key()) {
            self.file
                .damage
                .push(record.damage(None, Fault::KeyOutOfOrder));
        }
        for member in &indexed {
            let extension = member.extension();
            let (bytes, fault) = check_member(record.span(), member);
            if bytes.is_some() {
                record.add_member(extension.to_owned(), member.offset, member.size);
            }
            self.file
                .damage
                .extend(fault.map(|fault| record.damage(Some(extension), fault)));
        }
        // A member that is in the index and cannot be read was reported above and is not missing as well.
        let is_indexed = |name: &str| {
            let is_same = |extension: &str| {
                let rest = extension.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            indexed.iter().any(|member| is_same(member.extension()))
        };
        let is_reported = |damage: &Damage| {
            damage.fault == Fault::MemberMissing && damage.member.as_deref().is_some_and(is_indexed)
        };
        self.file.damage.extend(
            record
                .damages()
                .into_iter()
                .filter(|damage| !is_reported(damage)),
        );
        Ok(indexed.iter().fold(0, |sum: u64, member| {
            sum.saturating_add(member.size)
                .saturating_add(BLOCK_BYTES as u64)
        }))
    }

    /// Notes clip and pair of a key; returns `false` if they do not follow those of the previous record, unless records are shuffled. Keys
    /// of another form have no place.
    fn note_place(&mut self, key: &str) -> bool {
        let Some((clip, pair)) = ordinals(key) else {
            return true;
        };
        match self.clips.last_mut() {
            Some(span) if !self.is_shuffled && (clip, pair) <= (span.clip, span.last) => {
                return false;
            }
            Some(span) if !self.is_shuffled && span.clip == clip => span.last = pair,
            _ => self.clips.push(ClipSpan {
                clip,
                first: pair,
                last: pair,
            }),
        }
        true
    }

    fn check_end(&mut self, Tar { tar, tar_bytes }: &Tar, end: u64) -> io::Result<()> {
        let mut tail = [0; END_BYTES];
        let is_whole = tar_bytes.checked_sub(end) == Some(END_BYTES as u64)
            && tar.read_up_to(&mut tail, end)? == END_BYTES;
        if !is_whole || !is_zero(&tail) {
            self.file.report(Fault::EndBlocks { offset: end });
        }
        Ok(())
    }
}

/// An open tar and its length, bytes.
struct Tar {
    tar: File,
    tar_bytes: u64,
}

/// Checks header and padding of a member; returns its bytes, if they can be identified, and the problem.
///
/// If the header is damaged, the index still states where the bytes are, so their CRC-32 can be checked. If a sound header
/// names another member, the bytes belong to that one.
fn check_member<'t>(tar: Span<'t>, member: &IndexedMember) -> (Option<&'t [u8]>, Option<Fault>) {
    match read_member(tar, member) {
        Ok(bytes) => (Some(bytes), check_form(tar, member).err()),
        Err(fault @ Fault::Header { .. }) => (tar.at(member.offset, member.size), Some(fault)),
        Err(fault) => (None, Some(fault)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, SeekFrom, Write};
    use std::path::PathBuf;

    use super::*;
    use crate::fixtures::{overwrite, record, write_shard};
    use crate::writer::ShardWriter;

    /// Shard in a folder of its own.
    struct OneShard {
        dir: tempfile::TempDir,
        entry: ShardEntry,
    }

    impl OneShard {
        fn new(num_records: u32) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let entry = write_shard(dir.path(), 0, 0..num_records);
            Self { dir, entry }
        }

        fn tar(&self) -> PathBuf {
            self.dir.path().join(&self.entry.file)
        }

        fn index(&self) -> PathBuf {
            self.tar().with_extension("idx")
        }

        fn verify(&self) -> ShardVerdict {
            verify_shard(self.dir.path(), &self.entry, false, &|_| true).unwrap()
        }

        fn faults(&self) -> Vec<Fault> {
            let damage = self.verify().damage;
            damage.listed().iter().map(|d| d.fault.clone()).collect()
        }

        /// Record and member of each block of the tar.
        fn places(&self) -> Vec<Option<(u64, String)>> {
            let index = ShardIndex::parse(fs::read(self.index()).unwrap()).unwrap();
            let mut places = vec![None; self.entry.bytes as usize / BLOCK_BYTES];
            for record in 0..index.num_records() {
                for member in index.record(record).unwrap().unwrap() {
                    let first = member.offset as usize / BLOCK_BYTES - 1;
                    let num_blocks = 1 + (member.size as usize).div_ceil(BLOCK_BYTES);
                    places[first..first + num_blocks]
                        .fill(Some((record, member.extension().to_owned())));
                }
            }
            places
        }

        /// Overwrites the byte at `at`.
        fn put(&self, at: usize, byte: u8) {
            let mut file = fs::OpenOptions::new().write(true).open(self.tar()).unwrap();
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
        }
    }

    #[test]
    fn a_sound_shard_has_no_damage_and_every_byte_is_checked() {
        let shard = OneShard::new(3);
        let checked = std::cell::Cell::new(0);
        let keep_going = |bytes| {
            checked.set(checked.get() + bytes);
            true
        };
        let verdict = verify_shard(shard.dir.path(), &shard.entry, false, &keep_going).unwrap();
        assert_eq!((verdict.records, verdict.damage.num()), (3, 0));
        assert!(checked.get() > shard.entry.bytes * 3 / 2);
    }

    #[test]
    fn any_flipped_bit_of_the_tar_is_found_and_placed_in_its_record() {
        let shard = OneShard::new(2);
        let whole = fs::read(shard.tar()).unwrap();
        let places = shard.places();
        for (at, &byte) in whole.iter().enumerate() {
            shard.put(at, byte ^ (1 << (at % 8)));
            let verdict = shard.verify();
            shard.put(at, byte);
            let (file, placed): (Vec<_>, Vec<_>) = verdict
                .damage
                .listed()
                .iter()
                .partition(|damage| damage.record.is_none());
            assert!(
                file.iter()
                    .any(|damage| matches!(damage.fault, Fault::Xxh64 { .. })),
                "byte {at}"
            );
            let Some((record, member)) = &places[at / BLOCK_BYTES] else {
                assert!(
                    matches!(file[1].fault, Fault::EndBlocks { .. }),
                    "byte {at}"
                );
                continue;
            };
            for damage in &placed {
                assert_eq!(damage.record, Some(*record), "byte {at}: {damage}");
            }
            assert_eq!(placed[0].member.as_ref(), Some(member), "byte {at}");
        }
    }

    #[test]
    fn a_record_out_of_order_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ShardWriter::create(dir.path(), 0).unwrap();
        for number in [1, 2, 0, 3] {
            writer.append(&record(number)).unwrap();
        }
        let entry = writer.finish(dir.path()).unwrap();
        let verdict = verify_shard(dir.path(), &entry, false, &|_| true).unwrap();
        let [damage] = verdict.damage.listed() else {
            panic!("{:?}", verdict.damage)
        };
        assert_eq!(
            (damage.record, &damage.fault),
            (Some(2), &Fault::KeyOutOfOrder)
        );
    }

    #[test]
    fn any_flipped_bit_of_the_index_is_damage_of_the_index_only() {
        let shard = OneShard::new(2);
        let whole = fs::read(shard.index()).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 7);
            overwrite(&shard.index(), &damaged);
            let faults = shard.faults();
            let is_of_index = |fault: &Fault| {
                matches!(
                    fault,
                    Fault::IndexUnreadable(_) | Fault::IndexDiffers { .. }
                )
            };
            assert!(
                faults.len() == 1 && is_of_index(&faults[0]),
                "byte {at}: {faults:?}"
            );
        }
    }

    #[test]
    fn in_a_tar_cut_at_any_byte_only_records_after_the_cut_are_damaged() {
        let shard = OneShard::new(3);
        let whole = fs::read(shard.tar()).unwrap();
        let places = shard.places();
        for len in 0..whole.len() {
            overwrite(&shard.tar(), &whole[..len]);
            let damage = shard.verify().damage;
            let damage = damage.listed();
            assert!(
                matches!(damage[0].fault, Fault::Bytes { .. }),
                "cut at {len}"
            );
            let first_lost = places[len / BLOCK_BYTES]
                .as_ref()
                .map(|(record, _)| *record);
            let first_named = damage.iter().find_map(|damage| damage.record);
            assert_eq!(first_named, first_lost, "cut at {len}: {damage:?}");
        }
    }

    #[test]
    fn bytes_after_the_end_blocks_are_damage() {
        let shard = OneShard::new(1);
        let mut longer = fs::read(shard.tar()).unwrap();
        longer.extend([0; BLOCK_BYTES]);
        fs::write(shard.tar(), longer).unwrap();
        let faults = shard.faults();
        assert!(matches!(
            faults[..],
            [
                Fault::Bytes { .. },
                Fault::Xxh64 { .. },
                Fault::EndBlocks { .. }
            ]
        ));
    }

    #[test]
    fn without_an_index_records_beside_a_damaged_header_are_still_read() {
        let shard = OneShard::new(3);
        let places = shard.places();
        let is_of_record_1 = |place: &Option<(u64, String)>| matches!(place, Some((1, _)));
        let block = places.iter().position(is_of_record_1).unwrap();
        fs::remove_file(shard.index()).unwrap();
        shard.put(block * BLOCK_BYTES + 3, b'x');
        let verdict = shard.verify();
        let messages: Vec<String> = verdict
            .damage
            .listed()
            .iter()
            .map(Damage::to_string)
            .collect();
        assert_eq!(verdict.records, 3);
        assert_eq!(messages.len(), 4, "{messages:#?}");
        assert!(
            messages[1].ends_with("its .idx is missing"),
            "{messages:#?}"
        );
        assert!(
            messages[2].contains("are lost: its checksum does not match"),
            "{messages:#?}"
        );
        assert!(
            messages[3].ends_with("record 1 (00000000-0001): anchor: is missing"),
            "{messages:#?}"
        );
    }

    #[test]
    fn a_missing_tar_and_the_index_of_another_tar_are_damage() {
        let shard = OneShard::new(3);
        let other = write_shard(shard.dir.path(), 1, 0..2);
        let other_index = shard.dir.path().join(&other.file).with_extension("idx");
        fs::copy(other_index, shard.index()).unwrap();
        assert!(matches!(
            shard.faults()[..],
            [Fault::IndexOfAnotherTar { .. }]
        ));
        fs::remove_file(shard.tar()).unwrap();
        assert_eq!(shard.faults(), [Fault::TarMissing]);
        fs::create_dir(shard.tar()).unwrap();
        assert!(matches!(shard.faults()[..], [Fault::Unreadable { .. }]));
    }

    #[test]
    fn a_sound_tar_that_differs_from_the_manifest_is_damage() {
        let mut shard = OneShard::new(3);
        shard.entry.xxh64 ^= 1;
        assert!(matches!(shard.faults()[..], [Fault::Xxh64 { .. }]));
        shard.entry.xxh64 ^= 1;
        shard.entry.records = 4;
        let wrong = Fault::Records {
            found: 3,
            manifest: 4,
        };
        assert_eq!(shard.faults(), [wrong]);
    }

    #[test]
    fn verification_stops_when_keep_going_returns_false() {
        let shard = OneShard::new(3);
        assert_eq!(
            verify_shard(shard.dir.path(), &shard.entry, false, &|_| false),
            None
        );
        let num_calls = std::cell::Cell::new(0);
        let keep_going = |_| {
            num_calls.set(num_calls.get() + 1);
            num_calls.get() < 3
        };
        assert_eq!(
            verify_shard(shard.dir.path(), &shard.entry, false, &keep_going),
            None
        );
    }
}
