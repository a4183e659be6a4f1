//! Reads records of a whole data set by number.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, getrlimit};

use crate::damage::{Damage, Fault};
use crate::error::ShardError;
use crate::manifest::Manifest;
use crate::reader::ShardReader;
use crate::record::Record;
use crate::record_order::RecordOrder;

/// Reader of a whole data set. Threads can share it.
///
/// The index of a shard is read with its first record, and takes 16 bytes of memory per record. The order of a data set that was made in
/// parts takes up to 16 bytes per clip, and about 50 while it is read. Tars stay open, but never more than half
/// of the files that the process may open.
#[derive(Debug)]
pub struct DatasetReader {
    dir: PathBuf,
    manifest: Manifest,
    /// Number of the first record of each shard; at the end, the number of records.
    starts: Vec<u64>,
    /// Runs of a data set with parts: see [`RecordOrder::places`]; empty without parts.
    run_starts: Vec<u64>,
    run_places: Vec<u64>,
    /// Shards that were opened, or the damage that a shard has as a whole.
    shards: Vec<OnceLock<Result<ShardReader, Box<Damage>>>>,
    /// Number of open tars, and most of them.
    num_open: AtomicUsize,
    max_open: usize,
}

impl DatasetReader {
    /// Reads the manifest of the data set in `dir`.
    ///
    /// # Errors
    /// Those of [`Manifest::read`] and [`RecordOrder::read`]; [`ShardError::Damaged`] if a shard is listed twice, since its records would
    /// count twice.
    ///
    /// # Examples
    /// ```no_run
    /// use std::path::Path;
    /// use vidpairs_shard::{DatasetReader, Role, ShardError};
    ///
    /// let dataset = DatasetReader::open(Path::new("out"))?;
    /// for number in 0..dataset.num_records() {
    ///     let record = dataset.record(number)?;
    ///     record.check()?;
    ///     let jpeg: Option<&[u8]> = record.image(Role::Anchor).map(|member| member.bytes);
    /// }
    /// # Ok::<(), ShardError>(())
    /// ```
    pub fn open(dir: &Path) -> Result<Self, ShardError> {
        let manifest = Manifest::read(dir)?;
        let mut files = HashSet::new();
        let mut shards = manifest.shards.iter();
        if let Some(twice) = shards.find(|shard| !files.insert(shard.file.as_str())) {
            return Err(Damage::of_file(&twice.file, Fault::ListedTwice).into());
        }
        let mut starts = vec![0u64];
        for shard in &manifest.shards {
            starts.push(starts[starts.len() - 1].saturating_add(shard.records));
        }
        let order = RecordOrder::read(dir, &manifest)?;
        let places = manifest.parts.as_ref().zip(order);
        let places = places.map(|(parts, order)| order.places(parts));
        let (run_starts, run_places) = places.unwrap_or_default();
        Ok(Self {
            dir: dir.to_path_buf(),
            starts,
            run_starts,
            run_places,
            shards: manifest.shards.iter().map(|_| OnceLock::new()).collect(),
            manifest,
            num_open: AtomicUsize::new(0),
            max_open: max_open_tars(),
        })
    }

    /// Manifest of the data set.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Number of records in all shards.
    pub fn num_records(&self) -> u64 {
        self.starts[self.shards.len()]
    }

    /// Returns record `number` of the data set, from 0: in the order of the shards, or of the keys if it was made in parts. After an error
    /// other records can still be read.
    ///
    /// # Errors
    /// [`ShardError::NoSuchRecord`]; those of [`shard`](Self::shard) and [`ShardReader::record`].
    pub fn record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        match number < self.num_records() {
            true => self.stored_record(self.place(number)),
            // Under its own number, not that of a place.
            false => self.stored_record(number),
        }
    }

    /// Returns record `number` in the order of the shards, which is that of the tracklets, from 0.
    ///
    /// # Errors
    /// Those of [`record`](Self::record).
    pub fn stored_record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        if number >= self.num_records() {
            return Err(ShardError::NoSuchRecord {
                record: number,
                num_records: self.num_records(),
            });
        }
        let shard_index = self.starts.partition_point(|&start| start <= number) - 1;
        let shard = self.shard(shard_index)?;
        if !shard.is_open() {
            self.make_room();
        }
        shard.record(number - self.starts[shard_index])
    }

    /// Number of a record in the order of the shards.
    fn place(&self, number: u64) -> u64 {
        match self.run_starts.partition_point(|&start| start <= number) {
            0 => number,
            after => self.run_places[after - 1] + (number - self.run_starts[after - 1]),
        }
    }

    /// Returns shard `shard_index` of the manifest, from 0.
    ///
    /// # Errors
    /// [`ShardError::NoSuchShard`]; [`ShardError::Read`]; [`ShardError::Damaged`] if the number of its records is not
    /// that of the manifest.
    pub fn shard(&self, shard_index: usize) -> Result<&ShardReader, ShardError> {
        let Some(slot) = self.shards.get(shard_index) else {
            return Err(ShardError::NoSuchShard {
                shard_index,
                num_shards: self.shards.len(),
            });
        };
        let opened = match slot.get() {
            Some(opened) => opened,
            None => {
                let entry = &self.manifest.shards[shard_index];
                self.make_room();
                let shard = ShardReader::open(&self.dir.join(&entry.file))?;
                let found = shard.num_records();
                let checked = match found == entry.records {
                    true => Ok(shard),
                    false => {
                        let manifest = entry.records;
                        let fault = Fault::Records { found, manifest };
                        Err(Box::new(Damage::of_file(&entry.file, fault)))
                    }
                };
                // If another thread was faster, its equal reader is kept.
                slot.get_or_init(|| checked)
            }
        };
        opened
            .as_ref()
            .map_err(|damage| ShardError::Damaged(damage.clone()))
    }

    /// Counts a tar that is about to be opened. If there are too many, all others are closed; those in use are opened again.
    fn make_room(&self) {
        if self.num_open.fetch_add(1, Ordering::Relaxed) < self.max_open {
            return;
        }
        self.num_open.store(1, Ordering::Relaxed);
        self.shards
            .iter()
            .filter_map(|slot| slot.get()?.as_ref().ok())
            .for_each(ShardReader::close);
    }
}

/// Half of the files that this process may open: the others are for everything else.
fn max_open_tars() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    (limit / 2).max(4)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fixtures::{manifest, record, write_shard};

    fn dataset(dir: &Path) -> DatasetReader {
        let ranges = [0..3, 3..3, 3..4, 4..9];
        let shards = (0..)
            .zip(ranges)
            .map(|(ordinal, numbers)| write_shard(dir, ordinal, numbers));
        manifest(shards.collect()).write_atomically(dir).unwrap();
        DatasetReader::open(dir).unwrap()
    }

    #[test]
    fn records_are_numbered_over_all_shards_including_empty_ones() {
        let dir = tempfile::tempdir().unwrap();
        let dataset = dataset(dir.path());
        assert_eq!(dataset.num_records(), 9);
        for number in (0..9).rev() {
            let read = dataset.record(number).unwrap();
            assert_eq!(read.meta().unwrap(), record(number as u32).meta);
        }
        let err = dataset.record(9).unwrap_err();
        assert!(matches!(err, ShardError::NoSuchRecord { .. }));
    }

    #[test]
    fn a_shard_that_is_listed_twice_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let entry = write_shard(dir.path(), 0, 0..3);
        let twice = manifest(vec![entry.clone(), entry]);
        twice.write_atomically(dir.path()).unwrap();
        let err = DatasetReader::open(dir.path()).unwrap_err();
        assert!(err.to_string().contains("more than once"), "{err}");
    }

    #[test]
    fn no_more_tars_are_open_than_allowed_and_all_records_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut dataset = dataset(dir.path());
        dataset.max_open = 2;
        for number in [0, 3, 4, 0, 8, 3, 1] {
            dataset.record(number).unwrap().check().unwrap();
            let slots = dataset.shards.iter();
            let open = slots.filter_map(|slot| slot.get()?.as_ref().ok());
            assert!(open.filter(|shard| shard.is_open()).count() <= 2);
        }
    }

    #[test]
    fn threads_can_share_a_dataset() {
        let dir = tempfile::tempdir().unwrap();
        let mut dataset = dataset(dir.path());
        dataset.max_open = 2;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..9).for_each(|i| dataset.record(i).unwrap().check().unwrap()));
            }
        });
    }

    #[test]
    fn a_lost_shard_leaves_the_others_readable() {
        let dir = tempfile::tempdir().unwrap();
        let dataset = dataset(dir.path());
        fs::remove_file(dir.path().join("pairs-000000.tar")).unwrap();
        fs::copy(
            dir.path().join("pairs-000001.idx"),
            dir.path().join("pairs-000002.idx"),
        )
        .unwrap();
        assert!(matches!(dataset.record(0), Err(ShardError::Read { .. })));
        assert!(matches!(dataset.record(3), Err(ShardError::Damaged(_))));
        dataset.record(4).unwrap().check().unwrap();
    }
}
