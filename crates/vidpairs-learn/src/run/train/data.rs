//! Opens the shards of a run and reads their labels.

use std::collections::BTreeMap;
use std::path::Path;

use vidpairs_pipeline::{Pipeline, TrainMethod};
use vidpairs_run::RunError;
use vidpairs_shard::{DatasetReader, EpochOrder, MANIFEST_FILE, Record, ShardError};
use vidpairs_types::parallel::Cancel;
use vidpairs_types::{PairKind, Seed, with_causes};
use xxhash_rust::xxh64::xxh64;

use super::error::TrainError;

/// The records to train on, numbered from 0.
#[derive(Debug)]
pub(super) struct Data {
    /// Reader of the shards.
    pub reader: DatasetReader,
    /// Number of records.
    pub num_records: u64,
    /// Order of all records in the shards, whose first are trained on; `None` if all are.
    chosen: Option<EpochOrder>,
    /// Kind of the pairs.
    pub kind: PairKind,
    /// Whether records hold the whole frames too.
    pub has_frames: bool,
    /// xxh64 of the manifest, which holds the checksums of all shards.
    pub fingerprint: String,
}

impl Data {
    /// Opens the data set in `dir`.
    ///
    /// # Errors
    /// [`RunError::Shard`]; [`TrainError::Kind`] if it is not of the pipeline's kind; [`TrainError::FewerRecords`] if it holds fewer than
    /// `train.records`; [`TrainError::FewRecords`] if it does not fill a batch.
    pub fn open(dir: &Path, pipeline: &Pipeline) -> Result<Self, RunError> {
        let reader = DatasetReader::open(dir)?;
        let pairs = &reader.manifest().pipeline["pairs"];
        let wanted = pipeline.pairs.kind();
        let found = pairs["kind"].as_str().unwrap_or("unknown");
        if found != wanted.name() {
            return Err(TrainError::Kind {
                dir: dir.to_owned(),
                found: found.to_owned(),
                wanted: wanted.name(),
            }
            .into());
        }
        let (num_stored, batch) = (reader.num_records(), pipeline.train.batch);
        let num_records = pipeline.train.records.map_or(num_stored, u64::from);
        if num_records > num_stored {
            return Err(TrainError::FewerRecords {
                dir: dir.to_owned(),
                num_stored,
                num_records,
            }
            .into());
        }
        if num_records < u64::from(batch) {
            let advice = match pipeline.train.largest_batch(num_records) {
                Some(largest) => format!("extract more, or set train.batch to {largest}"),
                None => "extract more".to_owned(),
            };
            return Err(TrainError::FewRecords {
                dir: dir.to_owned(),
                num_records,
                batch,
                advice,
            }
            .into());
        }
        let has_boxes = matches!(wanted, PairKind::Tracks | PairKind::Regions);
        let has_frames = has_boxes && pairs["with_frames"].as_bool().unwrap_or(false);
        let manifest = dir.join(MANIFEST_FILE);
        let bytes = vidpairs_types::read_regular(&manifest, u64::MAX)
            .map_err(vidpairs_run::failed("read", &manifest))?;
        Ok(Self {
            kind: wanted,
            has_frames,
            fingerprint: format!("{:016x}", xxh64(&bytes, 0)),
            chosen: (num_records < num_stored).then(|| {
                let seed = Seed::of_run(pipeline.seed).for_step("train", "");
                EpochOrder::new(num_stored, seed.for_step("records", ""), 0)
            }),
            num_records,
            reader,
        })
    }
}

impl Data {
    /// Number of record `number` in the shards.
    fn stored_number(&self, number: u64) -> u64 {
        let chosen = self.chosen.map(|order| order.record_at(number));
        chosen.unwrap_or(number)
    }

    /// What gives more records to train on, as advice.
    pub fn more_records(&self) -> &'static str {
        match self.chosen {
            Some(_) => "set train.records to more",
            None => "extract more",
        }
    }

    /// Numbers of the records that have the numbers `stored` (ascending) in the shards; without those that are not trained on.
    fn numbers_of(&self, stored: Vec<u64>) -> Vec<u64> {
        if self.chosen.is_none() || stored.is_empty() {
            return stored;
        }
        let is_one = |number: &u64| stored.binary_search(&self.stored_number(*number)).is_ok();
        (0..self.num_records).filter(is_one).collect()
    }

    /// Record `number`, below [`num_records`](Self::num_records).
    ///
    /// # Errors
    /// As [`DatasetReader::record`].
    pub fn record(&self, number: u64) -> Result<Record<'_>, ShardError> {
        self.reader.record(self.stored_number(number))
    }
}

/// Records of a shard that is missing or cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LostRecords {
    /// Their numbers in the data set.
    pub numbers: Vec<u64>,
    /// Number of records of the shard that are trained on.
    pub of_records: u64,
    /// Name of the shard.
    pub shard: String,
    /// Reason of the first.
    pub reason: String,
}

impl Data {
    /// Finds the records that cannot be read since their shard is missing or cut, without reading the others.
    pub fn lost(&self) -> Vec<LostRecords> {
        let mut lost = Vec::new();
        let mut start = 0;
        for (index, entry) in self.reader.manifest().shards.iter().enumerate() {
            let end = start + entry.records;
            let failed: Vec<(u64, String)> = match self.reader.shard(index) {
                Err(err) => (start..end)
                    .map(|number| (number, with_causes(&err)))
                    .collect(),
                Ok(shard) if is_cut(shard.path(), entry.bytes) => (start..end)
                    .filter_map(|number| {
                        let err = self.reader.record(number).err()?;
                        Some((number, with_causes(&err)))
                    })
                    .collect(),
                Ok(_) => Vec::new(),
            };
            let (stored, reasons): (Vec<u64>, Vec<String>) = failed.into_iter().unzip();
            let numbers = self.numbers_of(stored);
            let reason = reasons.into_iter().next();
            lost.extend(
                reason
                    .filter(|_| !numbers.is_empty())
                    .map(|reason| LostRecords {
                        numbers,
                        of_records: self.numbers_of((start..end).collect()).len() as u64,
                        shard: entry.file.clone(),
                        reason,
                    }),
            );
            start = end;
        }
        lost
    }
}

fn is_cut(tar: &Path, num_bytes: u64) -> bool {
    std::fs::metadata(tar).map_or(true, |found| found.len() < num_bytes)
}

/// Labels of the records.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Names, sorted.
    pub names: Vec<String>,
    /// Index of the label of each record; `None` without a label, or if the record cannot be read.
    of_record: Vec<Option<u32>>,
}

impl Labels {
    /// Labels of the shards in `dir` if the method learns from labels; else none.
    ///
    /// # Errors
    /// [`TrainError::NoLabels`] with fewer than two labels; [`RunError::Stopped`] if `cancel` is set.
    pub fn wanted(
        method: TrainMethod,
        data: &Data,
        dir: &Path,
        cancel: &Cancel,
    ) -> Result<Self, RunError> {
        if method != TrainMethod::Supervised {
            return Ok(Self::default());
        }
        let labels = Self::read(data, cancel)?;
        if labels.names.len() < 2 {
            return Err(TrainError::NoLabels {
                dir: dir.to_owned(),
                num_labels: labels.names.len(),
            }
            .into());
        }
        Ok(labels)
    }

    /// Reads the json of every record.
    ///
    /// # Errors
    /// [`RunError::Stopped`] if `cancel` is set.
    fn read(data: &Data, cancel: &Cancel) -> Result<Self, RunError> {
        let mut numbers = BTreeMap::new();
        let mut names_of_record = Vec::new();
        for number in 0..data.num_records {
            if cancel.is_set() {
                return Err(RunError::Stopped);
            }
            // An unreadable record is reported with its batch.
            let meta = data.record(number).and_then(|record| record.meta());
            let label = meta.ok().and_then(|meta| meta.label);
            if let Some(label) = &label {
                numbers.entry(label.clone()).or_insert(0u32);
            }
            names_of_record.push(label);
        }
        for (number, place) in (0u32..).zip(numbers.values_mut()) {
            *place = number;
        }
        let of_record = names_of_record.iter();
        let of_record = of_record.map(|label| label.as_ref().and_then(|label| numbers.get(label)));
        Ok(Self {
            of_record: of_record.map(|number| number.copied()).collect(),
            names: numbers.into_keys().collect(),
        })
    }

    /// Index of the label of record `number`; -1 without a label.
    pub fn of(&self, number: u64) -> i64 {
        let place = usize::try_from(number).ok();
        let label = place.and_then(|place| self.of_record.get(place).copied().flatten());
        label.map_or(-1, i64::from)
    }
}
