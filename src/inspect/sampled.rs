//! Records spread evenly over a data set, images and all.

use std::path::Path;

use vidpairs_run::{RunError, middles};
use vidpairs_shard::{DatasetReader, Record, ShardError};
use vidpairs_types::{EncodedMember, EncodedRecord, with_causes};

/// A record that was chosen to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledRecord {
    /// Its number over all shards, from 0.
    pub number: u64,
    /// The record, checked; or why it cannot be shown.
    pub record: Result<EncodedRecord, String>,
}

/// Records from the middles of equally long stretches of the data set in `dir`: the same ones each
/// time, `max_records` at most and at least one.
///
/// They are fewer where records of mean size would come to more than `max_bytes`, and the last ones
/// are left out once those before them have.
///
/// # Errors
/// [`RunError::Shard`] if there is no readable manifest. A damaged record is part of the result.
pub fn sample_records(
    dir: &Path,
    max_records: u64,
    max_bytes: u64,
) -> Result<Vec<SampledRecord>, RunError> {
    let dataset = DatasetReader::open(dir)?;
    let num_records = dataset.num_records();
    let mean_bytes = dataset.manifest().totals.bytes / num_records.max(1);
    let affordable = max_bytes / mean_bytes.max(1);
    let num_sampled = num_records.min(max_records).min(affordable.max(1));
    let (mut sampled, mut bytes) = (Vec::new(), 0);
    for number in middles(num_records, num_sampled) {
        if bytes >= max_bytes {
            break;
        }
        let record = dataset
            .record(number)
            .and_then(|record| encoded(&record))
            .map_err(|err| with_causes(&err));
        let members = record.iter().flat_map(|record| &record.members);
        bytes += members.map(|member| member.bytes.len() as u64).sum::<u64>();
        sampled.push(SampledRecord { number, record });
    }
    Ok(sampled)
}

fn encoded(record: &Record<'_>) -> Result<EncodedRecord, ShardError> {
    record.check()?;
    let meta = record.meta()?;
    let members = meta.views().filter_map(|(role, _)| {
        let image = record.image(role)?;
        let extension = match image.extension.strip_prefix(role.name())? {
            ".rgb.zst" => "rgb.zst",
            _ => "jpg",
        };
        Some(EncodedMember {
            role,
            extension,
            bytes: image.bytes.into(),
        })
    });
    let members = members.collect();
    Ok(EncodedRecord { meta, members })
}
