//! The checksum of a safetensors file, in the metadata of the file.
//!
//! It is the xxh3-128 of all bytes of the file, where its own 32 hexadecimal digits count as the digit `0`. A reader that does not know it
//! sees one more value of the metadata. docs/WEIGHTS.md shows how to compute it in Python.

use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use crate::error::WeightsError;
use crate::weights::Weights;

/// Key of the checksum in the metadata of a safetensors file.
pub const KEY: &str = "xxh3_128";
/// The digits that stand in for the checksum while it is computed.
pub(crate) const ZEROS: &str = "00000000000000000000000000000000";

impl Weights {
    /// Asks for a checksum of the safetensors file in its metadata, under `xxh3_128`. It is computed when the file is written, and
    /// compared when it is read.
    pub fn seal(&mut self) {
        self.set_metadata(KEY, ZEROS);
    }

    /// Whether the safetensors file has a checksum. If it was read, it matched.
    pub fn is_sealed(&self) -> bool {
        self.metadata().contains_key(KEY)
    }
}

/// Writes the checksum into `bytes`, a file whose metadata hold [`ZEROS`].
pub(crate) fn stamp(bytes: &mut [u8]) {
    if let Some(digits) = digits(bytes) {
        let sum = checksum(bytes, digits.clone());
        bytes[digits].copy_from_slice(sum.as_bytes());
    }
}

/// Compares the bytes of a file with the checksum that its metadata state.
pub(crate) fn check(bytes: &[u8], stated: &str) -> Result<(), WeightsError> {
    let found = digits(bytes).map(|digits| checksum(bytes, digits));
    match found {
        Some(found) if found == stated => Ok(()),
        found => Err(WeightsError::Checksum {
            found: found.unwrap_or_else(|| "no digits in the usual place".to_owned()),
            stated: stated.to_owned(),
        }),
    }
}

/// Place of the checksum in the header. Inside a string of JSON the quotes would be escaped, so the pattern is the key.
fn digits(bytes: &[u8]) -> Option<Range<usize>> {
    let (len, _) = bytes.split_first_chunk::<8>()?;
    let end = usize::try_from(u64::from_le_bytes(*len))
        .ok()?
        .checked_add(len.len())?;
    let key = format!("\"{KEY}\":\"");
    let mut places = bytes.get(..end)?.windows(key.len());
    let start = places.position(|place| place == key.as_bytes())? + key.len();
    let end = start + ZEROS.len();
    (bytes.get(end) == Some(&b'"')).then_some(start..end)
}

fn checksum(bytes: &[u8], digits: Range<usize>) -> String {
    let mut hash = Xxh3::new();
    hash.update(&bytes[..digits.start]);
    hash.update(ZEROS.as_bytes());
    hash.update(&bytes[digits.end..]);
    format!("{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use crate::{HostTensor, Weights, WeightsError, parse_weights, safetensors_bytes};

    /// `values` under a name with the text of the checksum's key.
    fn sealed(values: &[f32]) -> Weights {
        let tensor = HostTensor::from_f32(vec![values.len()], values).unwrap();
        let mut weights: Weights = [("\"xxh3_128\":\"".to_owned(), tensor)]
            .into_iter()
            .collect();
        weights.set_metadata("aa", "\"xxh3_128\":\"00");
        weights.seal();
        weights
    }

    #[test]
    fn every_flipped_bit_of_a_sealed_file_is_found() {
        let sound = safetensors_bytes(&sealed(&[1.0, -2.0])).unwrap();
        assert!(parse_weights(&sound).unwrap().is_sealed());
        for bit in 0..8 * sound.len() {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Without the key of the checksum, the file is one without a checksum.
            let is_taken = parse_weights(&bytes).is_ok_and(|weights| weights.is_sealed());
            assert!(!is_taken, "bit {bit}");
        }
    }

    #[test]
    fn a_sealed_file_cut_at_any_byte_or_made_longer_is_refused() {
        let mut bytes = safetensors_bytes(&sealed(&[1.0])).unwrap();
        for len in 0..bytes.len() {
            assert!(parse_weights(&bytes[..len]).is_err(), "{len} bytes");
        }
        bytes.push(0);
        assert!(parse_weights(&bytes).is_err());
    }

    #[test]
    fn sealed_weights_that_were_changed_are_written_with_their_own_checksum() {
        let bytes = safetensors_bytes(&sealed(&[1.0])).unwrap();
        let mut weights = parse_weights(&bytes).unwrap();
        weights.insert("b", HostTensor::from_f32(vec![1], &[3.0]).unwrap());
        let again = parse_weights(&safetensors_bytes(&weights).unwrap()).unwrap();
        assert_ne!(again.metadata()["xxh3_128"], weights.metadata()["xxh3_128"]);
    }

    #[test]
    fn the_checksum_is_the_one_that_python_computes() {
        let path = "/../../tests/golden/weights/sealed.safetensors";
        let path = format!("{}{path}", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = std::fs::read(path).unwrap();
        let weights = parse_weights(&bytes).unwrap();
        assert!(weights.is_sealed());
        // This program writes the tensors of the file in another order, and so another checksum.
        assert!(safetensors_bytes(&weights).is_ok());
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let err = parse_weights(&bytes).unwrap_err();
        assert!(matches!(err, WeightsError::Checksum { .. }), "{err}");
    }
}
