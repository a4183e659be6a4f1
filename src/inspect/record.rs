//! One record, looked at closely.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use vidpairs_run::RunError;
use vidpairs_shard::{Damage, DatasetReader, Record, ShardError};

use super::InspectError;

/// One record of a data set. Its `Display` is the text that people read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordInspection {
    /// Its number over all shards, from 0.
    pub record: u64,
    /// File name of its shard.
    pub shard: String,
    /// Its number in the shard, from 0.
    pub number_in_shard: u64,
    /// Its key.
    pub key: String,
    /// Its members in the order of the tar.
    pub members: Vec<MemberInspection>,
    /// All that is wrong with it; empty for a sound record.
    pub damage: Vec<Damage>,
    /// What `KEY.json` says, also where this program does not understand it.
    pub json: Option<Value>,
}

/// One member of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberInspection {
    /// `anchor.jpg`, `json`: the name after the key and its dot.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Whether its crc32 is that of the json; `null` where none is stated.
    pub crc32_ok: Option<bool>,
}

/// Record `number` over all shards of the data set in `dir`, checked.
///
/// # Errors
/// [`RunError::NoRecord`]; [`RunError::Shard`] if the manifest, the shard or the record's headers
/// cannot be read. Damage to its members is in the result.
pub fn inspect_record(dir: &Path, number: u64) -> Result<RecordInspection, RunError> {
    let dataset = DatasetReader::open(dir)?;
    let record = match dataset.record(number) {
        Err(ShardError::NoSuchRecord {
            record,
            num_records,
        }) if record == number && num_records == dataset.num_records() => {
            return Err(InspectError::NoRecord {
                number,
                num_records,
            }
            .into());
        }
        read => read?,
    };
    Ok(RecordInspection::new(number, &record))
}

impl RecordInspection {
    fn new(number: u64, record: &Record<'_>) -> Self {
        let meta = record.meta().ok();
        let crc32_ok = |name: &str, bytes: &[u8]| {
            let role_name = name.split('.').next();
            let mut views = meta.iter().flat_map(|meta| meta.views());
            let (_, view) = views.find(|(role, _)| Some(role.name()) == role_name)?;
            Some(crc32fast::hash(bytes) == view.crc32)
        };
        let members = record.members().iter().map(|member| MemberInspection {
            name: member.extension.to_owned(),
            bytes: member.bytes.len() as u64,
            crc32_ok: crc32_ok(member.extension, member.bytes),
        });
        let json = record.members().iter();
        let json = json.filter(|member| member.extension == "json");
        Self {
            record: number,
            shard: record.shard().to_owned(),
            number_in_shard: record.number(),
            key: record.key().to_owned(),
            members: members.collect(),
            damage: record.damages(),
            json: json
                .filter_map(|member| serde_json::from_slice(member.bytes).ok())
                .next(),
        }
    }
}
