//! Reads the zip that `torch.save` writes since PyTorch 1.6.
//!
//! It holds `NAME/data.pkl`, `NAME/data/KEY` for each storage and, since PyTorch 2.0, `NAME/byteorder`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;

use ::zip::{CompressionMethod, ZipArchive};
use vidpairs_types::printable;

use super::gather::Storages;
use super::state;
use crate::error::{RecordFault, WeightsError};
use crate::foreign;
use crate::pickle;
use crate::weights::Weights;

const PICKLE: &str = "data.pkl";
/// Largest number of names in an error.
const MAX_NAMES: usize = 8;

/// Parses the bytes of a file.
pub fn parse(bytes: &[u8]) -> Result<Weights, WeightsError> {
    let records = records(bytes)?;
    let pickle = records.iter().find_map(|(name, &program)| {
        let (folder, rest) = name.split_once('/')?;
        (rest == PICKLE).then_some((folder, name, program))
    });
    let (folder, name, program) = pickle.ok_or_else(|| other_zip(records.keys()))?;
    let byte_order = records.get(&format!("{folder}/byteorder"));
    if byte_order.is_some_and(|order| *order != b"little") {
        return Err(WeightsError::BigEndian);
    }
    let tree = pickle::parse(program).map_err(|source| WeightsError::Pickle {
        stream: name.clone(),
        source,
    })?;
    let data = format!("{folder}/data/");
    let storages = Storages {
        by_key: records
            .iter()
            .filter_map(|(name, &bytes)| Some((name.strip_prefix(&data)?, bytes)))
            .collect(),
        file_bytes: bytes.len(),
    };
    state::read(&tree, &storages)
}

/// Error for a zip that `torch.save` did not write.
fn other_zip<'a>(names: impl Iterator<Item = &'a String> + Clone) -> WeightsError {
    foreign::zip(names.clone().map(String::as_str)).unwrap_or_else(|| {
        let names: Vec<Cow<'_, str>> = names.take(MAX_NAMES).map(|name| printable(name)).collect();
        WeightsError::OtherZip {
            found: match names.is_empty() {
                true => "nothing".to_owned(),
                false => names.join(", "),
            },
        }
    })
}

/// Records by name, after checking that none is compressed, none overlaps another, and checksums match.
fn records(bytes: &[u8]) -> Result<BTreeMap<String, &[u8]>, WeightsError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(WeightsError::Zip)?;
    let mut places: Vec<(String, Range<usize>, u32)> = Vec::new();
    let mut compressed: Vec<String> = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(WeightsError::Zip)?;
        let name = file.name().map_err(WeightsError::Zip)?.into_owned();
        if name.ends_with("/constants.pkl") {
            return Err(WeightsError::TorchScript);
        }
        if file.compression() != CompressionMethod::Stored {
            compressed.push(name);
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
        places.push((name, place, checksum));
    }
    // Reported last: the sources of a TorchScript program are compressed, and its own error is more useful.
    if let Some(name) = compressed.first() {
        let names = places.iter().map(|(name, ..)| name).chain(&compressed);
        let is_pickle = |name: &String| name.ends_with(&format!("/{PICKLE}"));
        return Err(match names.clone().any(is_pickle) {
            true => WeightsError::record(name, RecordFault::Compressed),
            false => other_zip(names),
        });
    }
    places.sort_by_key(|(_, place, _)| place.start);
    let mut records = BTreeMap::new();
    let mut end = 0;
    for (name, place, checksum) in places {
        // Records that share bytes could make the checksums of a gigabyte be computed a million times.
        let record = bytes
            .get(place.clone())
            .filter(|_| place.start >= end)
            .ok_or_else(|| WeightsError::record(&name, RecordFault::Place))?;
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

    /// Pickle of an empty dict.
    const EMPTY_DICT: &[u8] = b"\x80\x02}.";

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
    fn a_zip_without_weights_is_an_error() {
        for (record, what) in [
            ("word/document.xml", "holds word/document.xml"),
            ("resnet.pth", "unpack it"),
            ("feat.npy", "--features"),
            ("m/archive_format", "torch.export.load"),
            ("a\u{1b}[2J", "a\\u{1b}[2J"),
        ] {
            let err = parse(&zip(&[(record, b"x")])).unwrap_err().to_string();
            assert!(err.contains(what), "{err}");
        }
        let err = parse(&zip(&[("a/data.pkl", EMPTY_DICT)])).unwrap_err();
        assert!(matches!(err, WeightsError::NoStateDict { .. }), "{err}");
    }

    #[test]
    fn big_endian_numbers_and_torchscript_programs_are_errors_of_their_own() {
        let err = parse(&zip(&[("a/data.pkl", EMPTY_DICT), ("a/byteorder", b"big")])).unwrap_err();
        assert!(matches!(err, WeightsError::BigEndian), "{err}");
        let err = parse(&zip(&[
            ("a/data.pkl", EMPTY_DICT),
            ("a/constants.pkl", EMPTY_DICT),
        ]))
        .unwrap_err();
        assert!(matches!(err, WeightsError::TorchScript), "{err}");
    }

    #[test]
    fn records_that_share_bytes_are_an_error() {
        // The second entry of the directory is changed to point to the first record.
        let mut bytes = zip(&[("a/data.pkl", EMPTY_DICT), ("b/data.pkl", EMPTY_DICT)]);
        let entries: Vec<usize> = (0..bytes.len() - 4)
            .filter(|&at| bytes[at..].starts_with(b"PK\x01\x02"))
            .collect();
        let offset_at = entries[1] + 42;
        bytes[offset_at..offset_at + 4].fill(0);
        assert!(parse(&bytes).is_err());
    }
}
