//! A whole data set: any record by its number over all shards.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Damage, Fault, Manifest, Record, ShardError, ShardReader};

/// A data set over memory maps. Shards are opened when their first record is asked for and stay
/// open: address space, and 8 bytes of memory a record.
#[derive(Debug)]
pub struct DatasetReader {
    dir: PathBuf,
    manifest: Manifest,
    /// Number of the first record after each shard.
    ends: Vec<u64>,
    shards: Vec<OnceLock<ShardReader>>,
}

impl DatasetReader {
    /// Reads the manifest of the data set in `dir`.
    ///
    /// # Errors
    /// Those of [`Manifest::read`].
    ///
    /// # Examples
    /// ```no_run
    /// use std::path::Path;
    /// use vidpairs_shard::{DatasetReader, ShardError};
    /// use vidpairs_types::Role;
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
        let ends = manifest.shards.iter().scan(0u64, |end, shard| {
            *end = end.saturating_add(shard.records);
            Some(*end)
        });
        Ok(Self {
            dir: dir.to_path_buf(),
            ends: ends.collect(),
            shards: manifest.shards.iter().map(|_| OnceLock::new()).collect(),
            manifest,
        })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Records over all shards.
    pub fn num_records(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Record `number` over all shards in the order of the manifest, from 0. An error is one of
    /// that record or its shard alone: the others can still be asked for.
    ///
    /// # Errors
    /// [`ShardError::NoSuchRecord`]; those of [`shard`](Self::shard) and [`ShardReader::record`].
    pub fn record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        let shard_index = self.ends.partition_point(|&end| end <= number);
        if shard_index == self.ends.len() {
            return Err(ShardError::NoSuchRecord {
                record: number,
                num_records: self.num_records(),
            });
        }
        let shard_before = shard_index.checked_sub(1);
        let first = shard_before.and_then(|before| self.ends.get(before));
        let shard = self.shard(shard_index)?;
        shard.record(number - first.copied().unwrap_or(0))
    }

    /// Shard `shard_index` of the manifest.
    ///
    /// # Errors
    /// [`ShardError::NoSuchShard`]; [`ShardError::Read`];
    /// [`ShardError::Damaged`] if it does not hold as many records as the manifest says.
    pub fn shard(&self, shard_index: usize) -> Result<&ShardReader, ShardError> {
        let (Some(entry), Some(slot)) = (
            self.manifest.shards.get(shard_index),
            self.shards.get(shard_index),
        ) else {
            return Err(ShardError::NoSuchShard {
                shard_index,
                num_shards: self.shards.len(),
            });
        };
        if let Some(shard) = slot.get() {
            return Ok(shard);
        }
        let shard = ShardReader::open(&self.dir.join(&entry.file))?;
        if shard.num_records() != entry.records {
            let fault = Fault::Records {
                found: shard.num_records(),
                manifest: entry.records,
            };
            return Err(Damage::of_file(&entry.file, fault).into());
        }
        // Another thread may have been faster: its reader is as good.
        Ok(slot.get_or_init(|| shard))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fixtures::{manifest, record, write_shard};
    use super::*;

    fn dataset(dir: &Path) -> DatasetReader {
        let ranges = [0..3, 3..3, 3..4, 4..9];
        let shards = ranges.into_iter().zip(0..);
        let shards = shards.map(|(numbers, ordinal)| write_shard(dir, ordinal, numbers));
        manifest(shards.collect()).write_atomically(dir).unwrap();
        DatasetReader::open(dir).unwrap()
    }

    #[test]
    fn records_are_numbered_over_all_shards_empty_ones_included() {
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
    fn threads_can_share_a_dataset() {
        let dir = tempfile::tempdir().unwrap();
        let dataset = dataset(dir.path());
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
