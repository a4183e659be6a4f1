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
    let mut compressed = None;
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(WeightsError::Zip)?;
        let name = file.name().map_err(WeightsError::Zip)?.into_owned();
        if name.ends_with("/constants.pkl") {
            return Err(WeightsError::TorchScript);
        }
        if file.compression() != CompressionMethod::Stored {
            compressed = compressed.or(Some(name));
            continue;
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
    // Said last: a program's sources are compressed, and that it is one says more.
    if let Some(name) = compressed {
        return Err(WeightsError::record(&name, RecordFault::Compressed));
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ::zip::ZipWriter;
    use ::zip::write::SimpleFileOptions;

    use super::*;

    /// An empty dict.
    const NOTHING: &[u8] = b"\x80\x02}.";

    fn zip(records: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, bytes) in records {
            archive.start_file(*name, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_zip_of_something_else_is_refused() {
        let err = parse(&zip(&[("word/document.xml", b"<w/>")])).unwrap_err();
        assert_eq!(err.to_string(), "record data.pkl: missing");
        let err = parse(&zip(&[("a/data.pkl", NOTHING)])).unwrap_err();
        assert!(matches!(err, WeightsError::NoStateDict { .. }), "{err}");
    }

    #[test]
    fn big_endian_numbers_and_programs_are_refused_with_what_to_do() {
        let err = parse(&zip(&[("a/data.pkl", NOTHING), ("a/byteorder", b"big")])).unwrap_err();
        assert!(matches!(err, WeightsError::BigEndian), "{err}");
        let err = parse(&zip(&[
            ("a/data.pkl", NOTHING),
            ("a/constants.pkl", NOTHING),
        ]))
        .unwrap_err();
        assert!(matches!(err, WeightsError::TorchScript), "{err}");
    }

    #[test]
    fn records_that_share_bytes_are_refused() {
        // The second entry of the table is made to point at the first record.
        let mut bytes = zip(&[("a/data.pkl", NOTHING), ("b/data.pkl", NOTHING)]);
        let entries: Vec<usize> = (0..bytes.len() - 4)
            .filter(|&at| bytes[at..].starts_with(b"PK\x01\x02"))
            .collect();
        let offset_at = entries[1] + 42;
        bytes[offset_at..offset_at + 4].fill(0);
        assert!(parse(&bytes).is_err());
    }
}
