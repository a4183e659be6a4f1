//! Every byte of a data set against what its manifest, headers and json say.

use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Seek};
use std::path::Path;

use serde::Serialize;
use xxhash_rust::xxh64::Xxh64;

use super::reader::{Member, Record, map_file, open_regular, read_index, rebuilt};
use super::ustar::{BLOCK_BYTES, END_BYTES, bytes_at, check_form, read_member};
use super::walk::is_zero;
use super::{
    Damage, Fault, IndexedMember, Manifest, ShardEntry, ShardError, ShardIndex, TRACKS_FILE,
    checksum,
};

/// What [`verify_shard`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardVerdict {
    /// File name of the tar.
    pub file: String,
    /// Records found, damaged ones included.
    pub records: u64,
    /// All that is wrong, in the order of the checks: the file, its index, its records.
    pub damage: Vec<Damage>,
    /// The clips whose pairs it holds, in order: no pair may lie in two shards.
    #[serde(skip)]
    pub clips: Vec<ClipSpan>,
}

/// The pairs of one clip that a shard holds, by their ordinals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipSpan {
    /// Ordinal of the clip.
    pub clip: u64,
    /// Of its first pair here.
    pub first: u64,
    /// Of its last pair here.
    pub last: u64,
}

/// Checks every byte of one shard: length and xxh64 of the tar, its index, the header, padding and
/// crc32 of every member, every json. Goes on after what is damaged.
///
/// `keep_going` hears how many bytes were looked at since it was last asked, at least once a MiB
/// and once a record; every byte is looked at twice, so that they add up to about twice the size
/// of the tar. `None` once it says no.
pub fn verify_shard(
    dir: &Path,
    entry: &ShardEntry,
    keep_going: &dyn Fn(u64) -> bool,
) -> Option<ShardVerdict> {
    let mut examination = Examination {
        dir,
        entry,
        keep_going,
        damage: Vec::new(),
        clips: Vec::new(),
    };
    let records = examination.run()?;
    Some(ShardVerdict {
        file: entry.file.clone(),
        records,
        damage: examination.damage,
        clips: examination.clips,
    })
}

/// Checks what concerns no single shard: `pairs-*` files that the manifest does not list, shards
/// listed twice, totals that are not the sums over the shards.
///
/// # Errors
/// [`ShardError::Read`] if the folder cannot be listed.
pub fn verify_manifest(dir: &Path, manifest: &Manifest) -> Result<Vec<Damage>, ShardError> {
    let mut damage = Vec::new();
    let mut listed = HashSet::new();
    for shard in &manifest.shards {
        if !listed.insert(shard.file.as_str()) {
            damage.push(Damage::of_file(&shard.file, Fault::ListedTwice));
        }
    }
    let mut strangers = Vec::new();
    for entry in fs::read_dir(dir).map_err(ShardError::read(dir))? {
        let name = entry.map_err(ShardError::read(dir))?.file_name();
        let name = name.to_string_lossy();
        let stem = name.strip_suffix(".tar").or(name.strip_suffix(".idx"));
        let is_listed = |stem: &str| listed.contains(format!("{stem}.tar").as_str());
        if stem.is_some_and(|stem| stem.starts_with("pairs-") && !is_listed(stem)) {
            strangers.push(name.into_owned());
        }
    }
    if manifest.tracks.is_none() && dir.join(TRACKS_FILE).exists() {
        strangers.push(TRACKS_FILE.to_owned());
    }
    strangers.sort(); // a folder is listed in no order
    let strangers = strangers.iter();
    damage.extend(strangers.map(|name| Damage::of_file(name, Fault::NotInManifest)));

    let sum =
        |of: fn(&ShardEntry) -> u64| manifest.shards.iter().map(of).fold(0, u64::saturating_add);
    let stated = &manifest.totals;
    let num_shards = manifest.shards.len() as u64;
    let totals = [
        ("records", stated.records, sum(|shard| shard.records)),
        ("bytes", stated.bytes, sum(|shard| shard.bytes)),
        ("shards", stated.shards, num_shards),
    ];
    let wrong = totals.into_iter().filter(|(_, stated, sum)| stated != sum);
    damage.extend(wrong.map(|(total, stated, sum)| {
        Damage::of_file(super::MANIFEST_FILE, Fault::Total { total, stated, sum })
    }));
    Ok(damage)
}

/// One shard on the table. The steps return `None` when told to stop.
struct Examination<'a> {
    dir: &'a Path,
    entry: &'a ShardEntry,
    keep_going: &'a dyn Fn(u64) -> bool,
    damage: Vec<Damage>,
    clips: Vec<ClipSpan>,
}

impl Examination<'_> {
    fn run(&mut self) -> Option<u64> {
        let path = self.dir.join(&self.entry.file);
        // Read first, then map: a sector that the disk cannot read is an error here, a SIGBUS there.
        if !self.check_whole_file(&path)? {
            return Some(0);
        }
        let tar = match map_file(&path) {
            Ok(tar) => tar,
            Err(error) => {
                self.unreadable(0, &error);
                return Some(0);
            }
        };
        let index = self.index(&tar);
        for number in 0..index.num_records() {
            let bytes = self.check_record(&tar, &index, number);
            if !(self.keep_going)(bytes) {
                return None;
            }
        }
        self.check_end(&tar, index.end());
        let (found, manifest) = (index.num_records(), self.entry.records);
        if found != manifest {
            self.report(Fault::Records { found, manifest });
        }
        Some(found)
    }

    /// Length and checksum; whether all of it could be read.
    fn check_whole_file(&mut self, path: &Path) -> Option<bool> {
        let mut file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.report(Fault::TarMissing);
                return Some(false);
            }
            Err(error) => {
                self.unreadable(0, &error);
                return Some(false);
            }
        };
        let mut checksum = Xxh64::new(0);
        let taken = checksum::update_from(&mut file, u64::MAX, &mut checksum, self.keep_going);
        let taken = match taken {
            Ok(taken) if taken.stopped => return None,
            Ok(taken) => taken,
            Err(error) => {
                self.unreadable(file.stream_position().unwrap_or(0), &error);
                return Some(false);
            }
        };
        let (found, manifest) = (taken.bytes, self.entry.bytes);
        if found != manifest {
            self.report(Fault::Bytes { found, manifest });
        }
        let (found, manifest) = (checksum.digest(), self.entry.xxh64);
        if found != manifest {
            self.report(Fault::Xxh64 { found, manifest });
        }
        Some(true)
    }

    /// The index from the `.idx`, which names damaged records best, since it does not depend on
    /// the tar; from the headers of the tar if it cannot be used.
    fn index(&mut self, tar: &[u8]) -> ShardIndex {
        let path = self.dir.join(&self.entry.file).with_extension("idx");
        let read = read_index(&path).unwrap_or_else(|error| {
            Err(Fault::Unreadable {
                offset: 0,
                reason: format!("its .idx: {error}"),
            })
        });
        let (found, manifest) = (tar.len() as u64, self.entry.bytes);
        let fault = match read {
            Ok(index) => {
                let described = index.end().saturating_add(END_BYTES as u64);
                if described == manifest || described == found {
                    return index;
                }
                Fault::IndexOfAnotherTar {
                    index: described,
                    tar: found,
                }
            }
            Err(fault) => fault,
        };
        let (index, notes) = rebuilt(&self.entry.file, tar, fault);
        self.damage.extend(notes);
        index
    }

    /// Checks one record and says how many bytes its headers and members have.
    fn check_record(&mut self, tar: &[u8], index: &ShardIndex, number: u64) -> u64 {
        let indexed = match index.record(number) {
            Some(Ok(indexed)) => indexed,
            Some(Err(fault)) => {
                self.report(Fault::IndexUnreadable(fault));
                return 0;
            }
            None => return 0,
        };
        let mut record = Record {
            shard: &self.entry.file,
            number,
            key: indexed.first().map_or("", |member| member.key()),
            members: Vec::with_capacity(indexed.len()),
        };
        let mut damages = Vec::new();
        if !self.takes_its_place(record.key) {
            damages.push(record.damage(None, Fault::KeyOutOfOrder));
        }
        for member in &indexed {
            let extension = member.extension;
            let (bytes, fault) = check_member(tar, member);
            record
                .members
                .extend(bytes.map(|bytes| Member { extension, bytes }));
            damages.extend(fault.map(|fault| record.damage(Some(extension), fault)));
        }
        let cut_away = |damage: &Damage| {
            let of_member = |member: &&IndexedMember| {
                let missed = damage.member.as_deref().unwrap_or_default();
                member.extension == missed || member.extension.starts_with(&format!("{missed}."))
            };
            damage.fault == Fault::MemberMissing && indexed.iter().any(|m| of_member(&m))
        };
        // A member beyond the end of the file was named above: it is not missing as well.
        let together = record.damages().into_iter();
        damages.extend(together.filter(|damage| !cut_away(damage)));
        self.damage.extend(damages);
        let sizes = indexed.iter().map(|member| member.size);
        sizes.fold(0, |sum: u64, size| {
            sum.saturating_add(size).saturating_add(BLOCK_BYTES as u64)
        })
    }

    /// Notes the place of a record; `false` if it is not after that of the record before. A key of
    /// another form has none.
    fn takes_its_place(&mut self, key: &str) -> bool {
        let ordinal = |text: &str| text.parse::<u64>().ok();
        let place = key.split_once('-');
        let Some((clip, pair)) = place.and_then(|(c, p)| Some((ordinal(c)?, ordinal(p)?))) else {
            return true;
        };
        match self.clips.last_mut() {
            Some(span) if (clip, pair) <= (span.clip, span.last) => return false,
            Some(span) if span.clip == clip => span.last = pair,
            _ => self.clips.push(ClipSpan {
                clip,
                first: pair,
                last: pair,
            }),
        }
        true
    }

    fn check_end(&mut self, tar: &[u8], end: u64) {
        let tail = bytes_at(tar, end, (tar.len() as u64).saturating_sub(end));
        let is_end = |tail: &[u8]| tail.len() == END_BYTES && is_zero(tail);
        if !tail.is_some_and(is_end) {
            self.report(Fault::EndBlocks { offset: end });
        }
    }

    fn report(&mut self, fault: Fault) {
        self.damage.push(Damage::of_file(&self.entry.file, fault));
    }

    fn unreadable(&mut self, offset: u64, error: &std::io::Error) {
        let reason = error.to_string();
        self.report(Fault::Unreadable { offset, reason });
    }
}

/// The bytes of a member, where they can be trusted to be its own, and what is wrong around them.
///
/// With a damaged header the index still says where the bytes are, so that their crc32 is checked
/// all the same; with a sound header that names another member they are that other member's.
fn check_member<'t>(tar: &'t [u8], member: &IndexedMember) -> (Option<&'t [u8]>, Option<Fault>) {
    match read_member(tar, member) {
        Ok(bytes) => (Some(bytes), check_form(tar, member).err()),
        Err(fault @ Fault::Header { .. }) => {
            (bytes_at(tar, member.offset, member.size), Some(fault))
        }
        Err(fault) => (None, Some(fault)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};
    use std::path::PathBuf;

    use super::super::fixtures::{manifest, overwrite, record, write_shard};
    use super::super::{ShardWriter, index_file_name};
    use super::*;

    /// A shard of a folder of its own.
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
            verify_shard(self.dir.path(), &self.entry, &|_| true).unwrap()
        }

        fn faults(&self) -> Vec<Fault> {
            self.verify().damage.into_iter().map(|d| d.fault).collect()
        }

        /// Which record and member the blocks of the tar belong to.
        fn places(&self) -> Vec<Option<(u64, String)>> {
            let index = ShardIndex::parse(fs::read(self.index()).unwrap()).unwrap();
            let mut places = vec![None; self.entry.bytes as usize / BLOCK_BYTES];
            for record in 0..index.num_records() {
                for member in index.record(record).unwrap().unwrap() {
                    let first = member.offset as usize / BLOCK_BYTES - 1;
                    let num_blocks = 1 + (member.size as usize).div_ceil(BLOCK_BYTES);
                    places[first..first + num_blocks]
                        .fill(Some((record, member.extension.to_owned())));
                }
            }
            places
        }

        /// Overwrites one byte.
        fn put(&self, at: usize, byte: u8) {
            let mut file = fs::OpenOptions::new().write(true).open(self.tar()).unwrap();
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
        }
    }

    #[test]
    fn a_sound_shard_has_no_damage_and_every_byte_was_looked_at() {
        let shard = OneShard::new(3);
        let looked_at = std::cell::Cell::new(0);
        let keep_going = |bytes| {
            looked_at.set(looked_at.get() + bytes);
            true
        };
        let verdict = verify_shard(shard.dir.path(), &shard.entry, &keep_going).unwrap();
        assert_eq!((verdict.records, verdict.damage), (3, vec![]));
        assert!(looked_at.get() > shard.entry.bytes * 3 / 2);
    }

    #[test]
    fn any_flipped_byte_of_the_tar_is_found_and_placed_in_its_record() {
        let shard = OneShard::new(2);
        let whole = fs::read(shard.tar()).unwrap();
        let places = shard.places();
        for (at, &byte) in whole.iter().enumerate() {
            shard.put(at, byte ^ (1 << (at % 8)));
            let verdict = shard.verify();
            shard.put(at, byte);
            let (file, placed): (Vec<_>, Vec<_>) = verdict
                .damage
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
    fn a_record_that_belongs_before_the_one_before_it_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ShardWriter::create(dir.path(), 0).unwrap();
        for number in [1, 2, 0, 3] {
            writer.append(&record(number)).unwrap();
        }
        let entry = writer.finish(dir.path()).unwrap();
        let verdict = verify_shard(dir.path(), &entry, &|_| true).unwrap();
        let [damage] = &verdict.damage[..] else {
            panic!("{:?}", verdict.damage)
        };
        assert_eq!(
            (damage.record, &damage.fault),
            (Some(2), &Fault::KeyOutOfOrder)
        );
    }

    #[test]
    fn any_flipped_byte_of_the_index_is_found_and_not_blamed_on_the_tar() {
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
    fn a_tar_cut_at_any_byte_is_damaged_and_the_records_before_the_cut_are_not() {
        let shard = OneShard::new(3);
        let whole = fs::read(shard.tar()).unwrap();
        let places = shard.places();
        for len in 0..whole.len() {
            overwrite(&shard.tar(), &whole[..len]);
            let damage = shard.verify().damage;
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
    fn bytes_after_the_end_are_damage() {
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
    fn records_beside_a_damaged_header_are_read_without_an_index_too() {
        let shard = OneShard::new(3);
        let places = shard.places();
        let is_of_record_1 = |place: &Option<(u64, String)>| matches!(place, Some((1, _)));
        let block = places.iter().position(is_of_record_1).unwrap();
        fs::remove_file(shard.index()).unwrap();
        shard.put(block * BLOCK_BYTES + 3, b'x');
        let verdict = shard.verify();
        let said: Vec<String> = verdict.damage.iter().map(Damage::to_string).collect();
        assert_eq!(verdict.records, 3);
        assert_eq!(said.len(), 4, "{said:#?}");
        assert!(said[1].ends_with("its .idx is missing"), "{said:#?}");
        assert!(
            said[2].contains("are lost: its checksum does not match"),
            "{said:#?}"
        );
        assert!(
            said[3].ends_with("record 1 (00000000-0001): anchor: is missing"),
            "{said:#?}"
        );
    }

    #[test]
    fn a_missing_tar_and_an_index_of_another_tar_are_damage() {
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
    fn a_sound_tar_that_the_manifest_does_not_mean_is_damage() {
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
    fn a_verification_told_to_stop_stops() {
        let shard = OneShard::new(3);
        assert_eq!(
            verify_shard(shard.dir.path(), &shard.entry, &|_| false),
            None
        );
        let questions = std::cell::Cell::new(0);
        let keep_going = |_| {
            questions.set(questions.get() + 1);
            questions.get() < 3
        };
        assert_eq!(
            verify_shard(shard.dir.path(), &shard.entry, &keep_going),
            None
        );
    }

    #[test]
    fn strangers_repeats_and_wrong_totals_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        let entry = write_shard(dir.path(), 0, 0..2);
        let mut manifest = manifest(vec![entry.clone()]);
        assert_eq!(verify_manifest(dir.path(), &manifest).unwrap(), []);
        write_shard(dir.path(), 1, 0..1);
        fs::remove_file(dir.path().join(index_file_name(0))).unwrap();
        manifest.shards.push(entry);
        let damage = verify_manifest(dir.path(), &manifest).unwrap();
        let said: Vec<String> = damage.iter().map(Damage::to_string).collect();
        assert_eq!(
            said[..4],
            [
                "pairs-000000.tar: the manifest lists this file more than once",
                "pairs-000001.idx: the manifest does not list this file",
                "pairs-000001.tar: the manifest does not list this file",
                "dataset.json: the manifest's total of records is 2, its shards add up to 4",
            ]
        );
    }
}
