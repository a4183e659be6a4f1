//! Opens the shards of a run and reads their labels.

use std::collections::BTreeMap;
use std::path::Path;

use vidpairs_pipeline::{Pipeline, TrainMethod};
use vidpairs_run::RunError;
use vidpairs_shard::{DatasetReader, MANIFEST_FILE};
use vidpairs_types::parallel::Cancel;
use vidpairs_types::{PairKind, with_causes};
use xxhash_rust::xxh64::xxh64;

use super::error::TrainError;

/// The data set.
#[derive(Debug)]
pub(super) struct Data {
    /// Reader of the records.
    pub reader: DatasetReader,
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
    /// [`RunError::Shard`]; [`TrainError::Kind`] if it is not of the pipeline's kind; [`TrainError::FewRecords`] if it does not
    /// fill a batch.
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
        let (num_records, batch) = (reader.num_records(), pipeline.train.batch);
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
            reader,
        })
    }
}

/// Records of a shard that is missing or cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LostRecords {
    /// Their numbers in the data set.
    pub numbers: Vec<u64>,
    /// Number of records of the shard.
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
            let (numbers, reasons): (Vec<u64>, Vec<String>) = failed.into_iter().unzip();
            lost.extend(reasons.into_iter().next().map(|reason| LostRecords {
                numbers,
                of_records: entry.records,
                shard: entry.file.clone(),
                reason,
            }));
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
        let labels = Self::read(&data.reader, cancel)?;
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
    fn read(reader: &DatasetReader, cancel: &Cancel) -> Result<Self, RunError> {
        let mut numbers = BTreeMap::new();
        let mut names_of_record = Vec::new();
        for number in 0..reader.num_records() {
            if cancel.is_set() {
                return Err(RunError::Stopped);
            }
            // An unreadable record is reported with its batch.
            let meta = reader.record(number).and_then(|record| record.meta());
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
