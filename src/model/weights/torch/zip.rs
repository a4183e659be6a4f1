//! The zip that `torch.save` writes since PyTorch 1.6: `NAME/data.pkl`, `NAME/data/KEY` for each storage, and
//! `NAME/byteorder` since 2.0.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;

use ::zip::{CompressionMethod, ZipArchive};

use super::super::error::{RecordFault, WeightsError};
use super::super::kept::Weights;
use super::super::pickle;
use super::gather::Storages;
use super::state;

const PICKLE: &str = "data.pkl";

/// Reads a whole file.
pub fn parse(bytes: &[u8]) -> Result<Weights, WeightsError> {
    let records = records(bytes)?;
    let pickle_name = records
        .keys()
        .find(|name| name.split_once('/').is_some_and(|(_, rest)| rest == PICKLE));
    let Some(pickle_name) = pickle_name else {
        return Err(WeightsError::record(PICKLE, RecordFault::Missing));
    };
    let folder = pickle_name.strip_suffix(PICKLE).unwrap_or_default();
    let record = |name: &str| records.get(&format!("{folder}{name}")).copied();
    if record("constants.pkl").is_some() {
        return Err(WeightsError::TorchScript);
    }
    if record("byteorder").is_some_and(|order| order != b"little") {
        return Err(WeightsError::BigEndian);
    }
    let program = record(PICKLE).unwrap_or_default();
    let tree = pickle::parse(program).map_err(|source| WeightsError::Pickle {
        stream: pickle_name.clone(),
        source,
    })?;
    let data = format!("{folder}data/");
    let storages = records
        .iter()
        .filter_map(|(name, &bytes)| Some((name.strip_prefix(&data)?, bytes)));
    let storages = Storages {
        by_key: storages.collect(),
        file_bytes: bytes.len(),
    };
    state::read(&tree, &storages)
}

/// All records by name, checked: none is compressed, none lies over another, checksums are right.
fn records(bytes: &[u8]) -> Result<BTreeMap<String, &[u8]>, WeightsError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(WeightsError::Zip)?;
    let mut found: Vec<(String, Range<usize>, u32)> = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(WeightsError::Zip)?;
        let name = file.name().map_err(WeightsError::Zip)?.into_owned();
        if file.compression() != CompressionMethod::Stored {
            return Err(WeightsError::record(&name, RecordFault::Compressed));
        }
        let place = file.data_start().and_then(|start| {
            let end = start.checked_add(file.compressed_size())?;
            Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
        });
        let checksum = file.crc32();
        let Some(place) = place else {
            return Err(WeightsError::record(&name, RecordFault::Place));
        };
        found.push((name, place, checksum));
    }
    found.sort_by_key(|(_, place, _)| place.start);
    let mut records = BTreeMap::new();
    let mut end = 0;
    for (name, place, checksum) in found {
        // Records that share bytes could have us check one gigabyte a million times.
        let record = bytes.get(place.clone()).filter(|_| place.start >= end);
        let record = record.ok_or_else(|| WeightsError::record(&name, RecordFault::Place))?;
        end = place.end;
        if crc32fast::hash(record) != checksum {
            return Err(WeightsError::record(&name, RecordFault::Checksum));
        }
        records.insert(name, record);
    }
    Ok(records)
}
