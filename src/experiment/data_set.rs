//! Reads a data set: its summary, some of its records, and rejected tracklets.

use std::path::Path;

use vidpairs_run::{Control, ResultsKind, counted};
use vidpairs_shard::MAX_MANIFEST_BYTES;
use vidpairs_types::{read_regular, with_causes};
use xxhash_rust::xxh64::xxh64;

use super::rejected::{self, RejectedTracklet};
use crate::inspect::{Inspection, SampledRecord, inspect, sample_records};

/// Maximum number of sample records of a data set.
const MAX_RECORDS: u64 = 8;
/// Maximum size of all images of a page, bytes as stored; base64 adds a third.
pub const MAX_IMAGE_BYTES: u64 = 7 << 20;

/// A data set.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// Its summary.
    pub inspection: Inspection,
    /// xxh64 of the manifest, 16 hexadecimal digits, by which training runs name their data.
    pub fingerprint: String,
    /// Records spread over the data set.
    pub records: Vec<SampledRecord>,
    /// Rejected tracklets of each reason.
    pub rejected: Vec<RejectedTracklet>,
}

/// Size of the images of one data set, bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImageBudget {
    pairs: u64,
    frames: u64,
}

impl ImageBudget {
    /// Share of each of `num_sets` data sets in the images of a page: two thirds for pairs, a third for rejected tracklets.
    pub fn shared_by(num_sets: u64) -> Self {
        let share = MAX_IMAGE_BYTES / num_sets.max(1);
        Self {
            pairs: share / 3 * 2,
            frames: share / 3,
        }
    }
}

impl DataSet {
    /// Reads the data set in `dir`. What is damaged or missing is added to `notes`.
    pub(super) fn read(
        dir: &Path,
        budget: ImageBudget,
        control: &Control,
        notes: &mut Vec<String>,
    ) -> Result<Self, String> {
        let inspection = inspect(dir, control).map_err(|err| with_causes(&err))?;
        if let Some(damage) = inspection.damage.first() {
            let faults = counted(inspection.num_damage, "fault");
            notes.push(format!("{faults}; the first: {damage}"));
        }
        let manifest = dir.join(ResultsKind::Pairs.file());
        let manifest = read_regular(&manifest, MAX_MANIFEST_BYTES);
        let manifest = manifest.map_err(|err| format!("cannot read dataset.json: {err}"))?;
        let records = sample_records(dir, MAX_RECORDS, budget.pairs).unwrap_or_else(|err| {
            notes.push(format!("no pair can be shown: {}", with_causes(&err)));
            Vec::new()
        });
        let rejected = match inspection.tracklets.is_some() {
            false => Vec::new(),
            true => rejected::read(dir, budget.frames).unwrap_or_else(|err| {
                notes.push(format!(
                    "rejected tracklets cannot be shown: {}",
                    with_causes(&err)
                ));
                Vec::new()
            }),
        };
        Ok(Self {
            inspection,
            fingerprint: format!("{:016x}", xxh64(&manifest, 0)),
            records,
            rejected,
        })
    }
}
