//! Reads single records: one to print with its checks, or some spread over the data set to show on a page.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use vidpairs_run::{RunError, middles};
use vidpairs_shard::{ClipCuts, Damage, DatasetReader, Record, ShardError, read_cuts};
use vidpairs_types::{EncodedMember, EncodedRecord, with_causes};

/// One record of a data set. `Display` gives its text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordInspection {
    /// Number of the record over all shards, from 0.
    pub record: u64,
    /// File name of the shard.
    pub shard: String,
    /// Number of the record in the shard, from 0.
    pub number_in_shard: u64,
    /// Key.
    pub key: String,
    /// Members in the order of the tar.
    pub members: Vec<MemberInspection>,
    /// All damage; empty for a sound record.
    pub damage: Vec<Damage>,
    /// Cuts of its clip; `null` if it has none, or they were not looked for.
    pub cuts: Option<ClipCuts>,
    /// Contents of `KEY.json`, even if its schema is not that of a record.
    pub json: Option<Value>,
}

/// One member of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberInspection {
    /// Name after the key and its dot: `anchor.jpg`, `json`.
    pub name: String,
    /// Size, bytes.
    pub bytes: u64,
    /// Whether its crc32 is that of the json; `null` if the json states none.
    pub crc32_ok: Option<bool>,
}

/// Reads record `number`, counted over all shards of the data set in `dir`, and checks it.
///
/// # Errors
/// [`RunError::Shard`] if there is no such record, or the manifest, the shard or the record's headers
/// cannot be read. Damage to its members is part of the result.
pub fn inspect_record(dir: &Path, number: u64) -> Result<RecordInspection, RunError> {
    let dataset = DatasetReader::open(dir)?;
    let record = dataset.record(number)?;
    let meta = record.meta().ok();
    let cuts = match (&dataset.manifest().cuts, &meta) {
        (Some(_), Some(meta)) => {
            let clips = read_cuts(dir)?;
            clips.into_iter().find(|clip| clip.id == meta.clip)
        }
        _ => None,
    };
    let crc32_ok = |name: &str, bytes: &[u8]| {
        let role_name = name.split('.').next();
        let mut views = meta.iter().flat_map(|meta| meta.views());
        let (_, view) = views.find(|(role, _)| Some(role.name()) == role_name)?;
        Some(crc32fast::hash(bytes) == view.crc32)
    };
    let members = record.members().map(|member| MemberInspection {
        name: member.extension.to_owned(),
        bytes: member.bytes.len() as u64,
        crc32_ok: crc32_ok(member.extension, member.bytes),
    });
    let mut jsons = record
        .members()
        .filter(|member| member.extension == "json")
        .filter_map(|member| serde_json::from_slice(member.bytes).ok());
    Ok(RecordInspection {
        record: number,
        shard: record.shard().to_owned(),
        number_in_shard: record.number(),
        key: record.key().to_owned(),
        members: members.collect(),
        damage: record.damages(),
        cuts,
        json: jsons.next(),
    })
}

/// A record to be shown on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledRecord {
    /// Number of the record over all shards, from 0.
    pub number: u64,
    /// The record, checked; or the reason why it cannot be shown.
    pub record: Result<EncodedRecord, String>,
}

/// Reads records from the middles of equally long stretches of the data set in `dir`: the same ones each
/// time, at most `max_records` and at least one.
///
/// Fewer are read if that many records of mean size would exceed `max_bytes`; reading ends with the record that exceeds it.
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

/// The record with its images, checked.
///
/// # Errors
/// [`ShardError::Damaged`].
pub(crate) fn encoded(record: &Record<'_>) -> Result<EncodedRecord, ShardError> {
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
