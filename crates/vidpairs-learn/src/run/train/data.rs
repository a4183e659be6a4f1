//! The shards that a run trains on: what kind they are, what labels they have.

use std::collections::BTreeMap;
use std::path::Path;

use vidpairs_pipeline::{Pipeline, TrainMethod};
use vidpairs_run::RunError;
use vidpairs_shard::{DatasetReader, MANIFEST_FILE};
use vidpairs_types::PairKind;
use vidpairs_types::parallel::Cancel;
use xxhash_rust::xxh64::xxh64;

use super::error::TrainError;

/// The shards, opened.
#[derive(Debug)]
pub(super) struct Data {
    /// Their records.
    pub reader: DatasetReader,
    /// What a record holds.
    pub kind: PairKind,
    /// Whether it holds the whole frames too.
    pub has_frames: bool,
    /// Which data set it is: xxh64 of its manifest, which has the checksums of all shards.
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
            return Err(TrainError::FewRecords {
                dir: dir.to_owned(),
                num_records,
                batch,
            }
            .into());
        }
        let has_boxes = matches!(wanted, PairKind::Tracks | PairKind::Regions);
        let has_frames = has_boxes && pairs["with_frames"].as_bool().unwrap_or(false);
        let manifest = dir.join(MANIFEST_FILE);
        let bytes = std::fs::read(&manifest).map_err(vidpairs_run::failed("read", &manifest))?;
        Ok(Self {
            kind: wanted,
            has_frames,
            fingerprint: format!("{:016x}", xxh64(&bytes, 0)),
            reader,
        })
    }
}

/// The labels of records, by number.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// In order of name.
    pub names: Vec<String>,
    /// Of each record; `None` where it has none or cannot be read.
    of_record: Vec<Option<u32>>,
}

impl Labels {
    /// Those of the shards in `dir` where the method learns from labels; else none.
    ///
    /// # Errors
    /// [`TrainError::NoLabels`] if there is nothing to tell apart; [`RunError::Stopped`] if `cancel` is set meanwhile.
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
    /// [`RunError::Stopped`] if `cancel` is set meanwhile.
    fn read(reader: &DatasetReader, cancel: &Cancel) -> Result<Self, RunError> {
        let mut numbers = BTreeMap::new();
        let mut names_of_record = Vec::new();
        for number in 0..reader.num_records() {
            if cancel.is_set() {
                return Err(RunError::Stopped);
            }
            // What cannot be read is told of when its batch comes.
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

    /// The label of record `number`; -1 where there is none.
    pub fn of(&self, number: u64) -> i64 {
        let place = usize::try_from(number).ok();
        let label = place.and_then(|place| self.of_record.get(place).copied().flatten());
        label.map_or(-1, i64::from)
    }
}
