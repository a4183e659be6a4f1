//! Order of the records of a data set that was made in parts: that of their keys, as if one process had made it.
//!
//! The shards of a part hold the clips of the part alone. `order.txt.zst` tells how the parts interleave: each line is a run of records that
//! follow each other in the order and in a part, as `<part> <first> <number>`: index of the part, number of the first record within the
//! part, number of records.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use vidpairs_types::{read_regular, write_whole};
use xxhash_rust::xxh64::xxh64;

use crate::checksum;
use crate::damage::{Damage, Fault};
use crate::error::ShardError;
use crate::manifest::{Manifest, ShardEntry};
use crate::merged::PartsEntry;
use crate::reader::read_index;
use crate::ustar::IndexedMember;

/// File name of the order.
pub const ORDER_FILE: &str = "order.txt.zst";

/// Largest file of an order that is read, bytes.
const MAX_BYTES: u64 = 16 << 30;

/// Longest line: three numbers of twenty digits.
const MAX_LINE_BYTES: u64 = 64;

/// Level of compression: the file is small.
const LEVEL: i32 = 3;

/// Description of [`ORDER_FILE`] in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEntry {
    /// File name: [`ORDER_FILE`].
    pub file: String,
    /// Length of the file, bytes.
    pub bytes: u64,
    /// xxh64 of the file; in JSON 16 hexadecimal digits.
    #[serde(with = "checksum::hex")]
    pub xxh64: u64,
}

/// Records that follow each other both in the order and in their part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    part: u32,
    /// Number of the first record within the part.
    first: u64,
    records: u64,
}

/// Order of the records of a data set with parts. It takes 24 bytes of memory for each run: at most one for each clip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordOrder {
    runs: Vec<Run>,
}

/// Pairs of one clip in one part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ClipRecords {
    clip: u64,
    part: u32,
    first: u64,
    records: u64,
}

impl RecordOrder {
    /// The order of the records of parts, found by their `.idx` files.
    ///
    /// - `shards`: shards of each part, in order, with their paths below `dir` as file names.
    /// - `keep_going`: called for each shard; `None` is returned as soon as it returns `false`.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] if an `.idx` is missing or damaged, states another number of records or an invalid key, or if two parts
    /// hold the same clip. [`ShardError::Read`].
    pub fn of_parts(
        dir: &Path,
        shards: &[&[ShardEntry]],
        keep_going: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, ShardError> {
        let mut clips = Vec::new();
        for (part, shards) in (0..).zip(shards) {
            let mut first = 0;
            for shard in *shards {
                if !keep_going() {
                    return Ok(None);
                }
                first = add_shard(dir, shard, part, first, &mut clips)?;
            }
        }
        clips.sort_unstable();
        let mut order = Self::default();
        let mut last: Option<ClipRecords> = None;
        for next in clips {
            if let Some(last) = last.filter(|last| last.clip == next.clip) {
                // A clip lies in one stretch of one part. Only the end of a shard cuts it.
                if last.part != next.part || last.first + last.records != next.first {
                    let folder = |part: u32| {
                        let shards = shards.get(part as usize)?;
                        Some(shards.first()?.file.clone())
                    };
                    let file = folder(next.part).unwrap_or_default();
                    let fault = Fault::ClipTwice {
                        clip: next.clip,
                        other: folder(last.part).unwrap_or_default(),
                    };
                    return Err(Damage::of_file(&file, fault).into());
                }
            }
            last = Some(next);
            order.push(next.part, next.first, next.records);
        }
        Ok(Some(order))
    }

    fn push(&mut self, part: u32, first: u64, records: u64) {
        match self.runs.last_mut() {
            Some(run) if run.part == part && run.first + run.records == first => {
                run.records += records;
            }
            _ => self.runs.push(Run {
                part,
                first,
                records,
            }),
        }
    }

    /// Writes `dir/order.txt.zst`, completely or not at all.
    ///
    /// - `unfinished`: name of the file while it is written, on the same file system.
    ///
    /// # Errors
    /// [`ShardError::Write`].
    pub fn write(&self, dir: &Path, unfinished: &Path) -> Result<OrderEntry, ShardError> {
        let mut text = String::new();
        for run in &self.runs {
            let _ = writeln!(text, "{} {} {}", run.part, run.first, run.records);
        }
        let path = dir.join(ORDER_FILE);
        let write = |source: io::Error| ShardError::Write {
            path: path.clone(),
            source,
        };
        let bytes = zstd::bulk::compress(text.as_bytes(), LEVEL).map_err(write)?;
        write_whole(unfinished, &path, |mut file| {
            file.write_all(&bytes)?;
            Ok(file)
        })
        .map_err(write)?;
        Ok(OrderEntry {
            file: ORDER_FILE.to_owned(),
            bytes: bytes.len() as u64,
            xxh64: xxh64(&bytes, 0),
        })
    }

    /// Reads the order of the data set in `dir`; `None` if it was not made in parts.
    ///
    /// # Errors
    /// [`ShardError::Damaged`] if the file is not the one that the manifest states, or does not name each record of the parts once;
    /// [`ShardError::Read`].
    pub fn read(dir: &Path, manifest: &Manifest) -> Result<Option<Self>, ShardError> {
        let Some(parts) = &manifest.parts else {
            return Ok(None);
        };
        let entry = &parts.order;
        let damaged = |fault| ShardError::from(Damage::of_file(&entry.file, fault));
        let path = dir.join(&entry.file);
        let bytes = match read_regular(&path, entry.bytes.min(MAX_BYTES)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(Fault::TarMissing));
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let found = fs::metadata(&path).map_or(u64::MAX, |file| file.len());
                let manifest = entry.bytes;
                return Err(damaged(Fault::Bytes { found, manifest }));
            }
            read => read.map_err(ShardError::read(&path))?,
        };
        if bytes.len() as u64 != entry.bytes {
            let (found, manifest) = (bytes.len() as u64, entry.bytes);
            return Err(damaged(Fault::Bytes { found, manifest }));
        }
        let (found, manifest) = (xxh64(&bytes, 0), entry.xxh64);
        if found != manifest {
            return Err(damaged(Fault::Xxh64 { found, manifest }));
        }
        let records = parts.list.iter().map(|part| part.records);
        let records = records.fold(0, u64::saturating_add);
        let read = Self::parse(&bytes[..], records).map_err(ShardError::read(&path))?;
        let Some(order) = read.filter(|order| order.names_each_record_once(parts)) else {
            return Err(damaged(Fault::NoOrder));
        };
        Ok(Some(order))
    }

    /// `None` if a line is not as it should be.
    ///
    /// - `records`: number of records, and so the most lines; no more is decompressed.
    fn parse(zstd: impl Read, records: u64) -> io::Result<Option<Self>> {
        let mut order = Self::default();
        let most = records.saturating_mul(MAX_LINE_BYTES);
        let text = zstd::Decoder::new(zstd)?.take(most.saturating_add(1));
        for line in BufReader::new(text).lines() {
            let line = line?;
            let mut numbers = line.split(' ').map(str::parse::<u64>);
            let (Some(Ok(part)), Some(Ok(first)), Some(Ok(records)), None) = (
                numbers.next(),
                numbers.next(),
                numbers.next(),
                numbers.next(),
            ) else {
                return Ok(None);
            };
            let Ok(part) = u32::try_from(part) else {
                return Ok(None);
            };
            order.runs.push(Run {
                part,
                first,
                records,
            });
        }
        Ok(Some(order))
    }

    fn names_each_record_once(&self, parts: &PartsEntry) -> bool {
        let mut runs: Vec<&Run> = self.runs.iter().collect();
        runs.sort_unstable_by_key(|run| (run.part, run.first));
        let mut runs = runs.into_iter().peekable();
        let mut total = 0u64;
        for (part, entry) in (0..).zip(&parts.list) {
            match total.checked_add(entry.records) {
                Some(sum) => total = sum,
                None => return false,
            }
            let mut next = 0u64;
            while let Some(run) = runs.next_if(|run| run.part == part) {
                let end = run.first.checked_add(run.records);
                match end.filter(|_| run.first == next && run.records > 0) {
                    Some(end) => next = end,
                    None => return false,
                }
            }
            if next != entry.records {
                return false;
            }
        }
        runs.next().is_none()
    }

    /// Places of the runs: number of the first record of each in the order, and its number in the order of the shards of the manifest.
    pub(crate) fn places(&self, parts: &PartsEntry) -> (Vec<u64>, Vec<u64>) {
        let mut starts_of_parts = vec![0u64];
        for part in &parts.list {
            let last = starts_of_parts[starts_of_parts.len() - 1];
            starts_of_parts.push(last.saturating_add(part.records));
        }
        let mut start = 0;
        let (mut starts, mut stored) = (Vec::new(), Vec::new());
        for run in &self.runs {
            starts.push(start);
            stored.push(starts_of_parts[run.part as usize] + run.first);
            start += run.records;
        }
        (starts, stored)
    }
}

/// Adds the clips of `shard`, whose first record is record `first` of its part. Returns the number of the first record of the next shard.
fn add_shard(
    dir: &Path,
    shard: &ShardEntry,
    part: u32,
    first: u64,
    clips: &mut Vec<ClipRecords>,
) -> Result<u64, ShardError> {
    let path = dir.join(&shard.file).with_extension("idx");
    let damaged = |fault| ShardError::from(Damage::of_file(&shard.file, fault));
    let index = read_index(&path, shard.bytes).map_err(ShardError::read(&path))?;
    let index = index.map_err(damaged)?;
    let (found, manifest) = (index.num_records(), shard.records);
    if found != manifest {
        return Err(damaged(Fault::Records { found, manifest }));
    }
    let first_of_shard = clips.len();
    for record in 0..found {
        let members = index.record(record).expect("it is below the number");
        let members = members.map_err(|fault| damaged(Fault::IndexUnreadable(fault)))?;
        let key = members.first().map_or("", IndexedMember::key);
        let (clip, _) = ordinals(key).ok_or_else(|| damaged(Fault::NoOrder))?;
        match clips[first_of_shard..].last_mut() {
            Some(last) if last.clip == clip => last.records += 1,
            _ => clips.push(ClipRecords {
                clip,
                part,
                first: first + record,
                records: 1,
            }),
        }
    }
    Ok(first + found)
}

/// Ordinals of clip and pair in the key of a record; `None` if it has another form.
pub(crate) fn ordinals(key: &str) -> Option<(u64, u64)> {
    let (clip, pair) = key.split_once('-')?;
    Some((clip.parse().ok()?, pair.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::DatasetReader;
    use crate::fixtures::{manifest, record};
    use crate::merged::PartEntry;
    use crate::parts::Part;
    use crate::verify::verify_order;
    use crate::writer::{ShardName, ShardWriter};

    /// Writes a data set whose part `part` holds the clips `clips[part]`, each with as many records as its number modulo 3, in shards of two
    /// records.
    fn merged(dir: &Path, clips: &[&[u32]]) -> Result<DatasetReader, ShardError> {
        let of = clips.len() as u32;
        let (mut shards, mut list) = (Vec::new(), Vec::new());
        for (index, clips) in (0..).zip(clips) {
            let part = Part::new(index, of).unwrap();
            let folder = dir.join(part.folder());
            fs::create_dir_all(&folder).unwrap();
            let mut records = Vec::new();
            for clip in *clips {
                for pair in 0..clip % 3 {
                    let mut record = record(clip * 10 + pair);
                    record.meta.key = format!("{clip:08}-{pair:04}");
                    records.push(record);
                }
            }
            let mut own = Vec::new();
            for (ordinal, records) in (0..).zip(records.chunks(2)) {
                let name = ShardName {
                    part: Some(part),
                    ordinal,
                };
                let mut writer = ShardWriter::create(&folder, name).unwrap();
                records
                    .iter()
                    .for_each(|record| writer.append(record).unwrap());
                let mut entry = writer.finish(&folder).unwrap();
                entry.file = format!("{}/{}", part.folder(), entry.file);
                own.push(entry);
            }
            list.push(PartEntry {
                folder: part.folder(),
                clips: clips.len() as u64,
                shards: own.len() as u64,
                records: records.len() as u64,
                tracks: None,
            });
            shards.push(own);
        }
        let slices: Vec<&[ShardEntry]> = shards.iter().map(Vec::as_slice).collect();
        let order = RecordOrder::of_parts(dir, &slices, &|| true)?.unwrap();
        let order = order.write(dir, &dir.join("unfinished")).unwrap();
        let parts = PartsEntry { order, list };
        let whole = manifest(shards.concat()).with_parts(parts);
        whole.write_atomically(dir).unwrap();
        DatasetReader::open(dir)
    }

    fn keys(dataset: &DatasetReader) -> Vec<String> {
        let keys = (0..dataset.num_records()).map(|number| {
            let record = dataset.record(number).unwrap();
            record.check().unwrap();
            record.key().to_owned()
        });
        keys.collect()
    }

    #[test]
    fn records_of_parts_are_read_in_the_order_of_their_keys_for_any_division() {
        let whole = tempfile::tempdir().unwrap();
        let all: Vec<u32> = (0..40).collect();
        let expected = keys(&merged(whole.path(), &[&all]).unwrap());
        assert!(expected.is_sorted() && expected.len() == 39, "{expected:?}");
        for of in [2, 3, 7, 50] {
            let dir = tempfile::tempdir().unwrap();
            let clips: Vec<Vec<u32>> = (0..of)
                .map(|part| (0..40).filter(|clip| clip * 31 % of == part).collect())
                .collect();
            let clips: Vec<&[u32]> = clips.iter().map(Vec::as_slice).collect();
            let dataset = merged(dir.path(), &clips).unwrap();
            assert_eq!(keys(&dataset), expected, "{of} parts");
            let damage = verify_order(dir.path(), dataset.manifest(), &|| true).unwrap();
            assert_eq!(damage.unwrap().num(), 0);
            let beyond = dataset.record(dataset.num_records()).unwrap_err();
            assert!(matches!(beyond, ShardError::NoSuchRecord { .. }));
        }
    }

    #[test]
    fn a_clip_that_a_retry_added_at_the_end_of_its_part_has_its_place_in_the_order() {
        let dir = tempfile::tempdir().unwrap();
        let dataset = merged(dir.path(), &[&[2, 8, 5], &[4, 7]]).unwrap();
        let keys = keys(&dataset);
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn a_clip_in_two_parts_is_refused_with_both() {
        let dir = tempfile::tempdir().unwrap();
        let err = merged(dir.path(), &[&[1, 2], &[4, 2]]).unwrap_err();
        let text = err.to_string();
        assert!(text.contains("clip 2 has pairs here and in"), "{text}");
        assert!(text.contains("part-00000-of-00002"), "{text}");
        assert!(text.contains("part-00001-of-00002"), "{text}");
    }

    #[test]
    fn an_order_that_is_missing_cut_flipped_or_of_another_data_set_is_an_error_and_never_another_order()
     {
        let dir = tempfile::tempdir().unwrap();
        let dataset = merged(dir.path(), &[&[1, 2, 5], &[4, 7]]).unwrap();
        let sound = keys(&dataset);
        let path = dir.path().join(ORDER_FILE);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x04;
            for damaged in [flipped, bytes[..at].to_vec()] {
                fs::write(&path, damaged).unwrap();
                assert!(DatasetReader::open(dir.path()).is_err(), "byte {at}");
            }
        }
        fs::write(&path, [&bytes[..], b"more"].concat()).unwrap();
        let damage = verify_order(dir.path(), dataset.manifest(), &|| true).unwrap();
        assert_eq!(damage.unwrap().num(), 1, "a longer file");
        fs::remove_file(&path).unwrap();
        assert!(DatasetReader::open(dir.path()).is_err());
        // Lines that belong together by their checksum, but not to the shards.
        let rewritten = |lines: &str| {
            let bytes = zstd::bulk::compress(lines.as_bytes(), LEVEL).unwrap();
            fs::write(&path, &bytes).unwrap();
            let mut manifest = dataset.manifest().clone();
            let order = &mut manifest.parts.as_mut().unwrap().order;
            (order.bytes, order.xxh64) = (bytes.len() as u64, xxh64(&bytes, 0));
            manifest.write_atomically(dir.path()).unwrap();
            let damage = verify_order(dir.path(), &manifest, &|| true).unwrap();
            (DatasetReader::open(dir.path()), damage.unwrap().num())
        };
        for wrong in [
            "0 0 5\n1 0 1\n",
            "0 0 5\n1 0 2\n1 1 1\n",
            "0 0 5\n1 0 2\n2 0 1\n",
            "0 0 6\n1 0 2\n",
            "0 0 5\n1 0 2\n\n",
            "0 0 5 1 0 2\n",
            "0 18446744073709551615 5\n1 0 2\n",
            "0 0 0\n0 0 5\n1 0 2\n",
        ] {
            let (opened, damage) = rewritten(wrong);
            assert!(opened.is_err() && damage == 1, "{wrong:?}");
        }
        let (opened, damage) = rewritten("1 0 2\n0 0 5\n");
        assert_eq!(damage, 1, "another order of the same records");
        assert_ne!(keys(&opened.unwrap()), sound);
    }
}
