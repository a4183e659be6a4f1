//! Checksums: xxh64 of files, its form in JSON, and the CRC-32 that `KEY.json` holds of itself.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use xxhash_rust::xxh64::Xxh64;

/// Bytes per read: many compared with the cost of a call, few compared with the memory ceiling.
const CHUNK_BYTES: usize = 1 << 20;

/// Running xxh64 of a file.
pub(crate) struct FileHash {
    hasher: Xxh64,
    /// Number of bytes hashed so far.
    pub bytes: u64,
}

impl FileHash {
    pub fn new() -> Self {
        Self {
            hasher: Xxh64::new(0),
            bytes: 0,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Hashes up to `limit_bytes` of `file`, from its current position. Calls `keep_going` with the number of bytes
    /// of each chunk, and returns `false` as soon as it does.
    pub fn update_from(
        &mut self,
        file: &mut File,
        limit_bytes: u64,
        keep_going: &dyn Fn(u64) -> bool,
    ) -> io::Result<bool> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut limited = file.take(limit_bytes);
        loop {
            match limited.read(&mut chunk) {
                Ok(0) => return Ok(true),
                Ok(len) => {
                    self.update(&chunk[..len]);
                    if !keep_going(len as u64) {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn xxh64(&self) -> u64 {
        self.hasher.digest()
    }
}

/// `#[serde(with)]` for a u64 as 16 lower-case hexadecimal digits: JSON numbers are exact only up to 2^53.
pub(crate) mod hex {
    use super::*;

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(is_hex) {
            let unexpected = de::Unexpected::Str(&text);
            let expected = "16 lower-case hexadecimal digits";
            return Err(de::Error::invalid_value(unexpected, &expected));
        }
        u64::from_str_radix(&text, 16).map_err(de::Error::custom)
    }
}

/// Start of the last field of `KEY.json`, the CRC-32 (IEEE) of all bytes before it. A flipped digit in a number still
/// parses as a number, so the parser alone would not notice it.
const JSON_CRC32_FIELD: &[u8] = b",\"json_crc32\":";

/// Adds `json_crc32` as the last field of `json`, an object with at least one field.
pub(crate) fn with_json_crc32(mut json: Vec<u8>) -> Vec<u8> {
    json.pop(); // the closing brace
    let crc32 = crc32fast::hash(&json);
    json.extend_from_slice(JSON_CRC32_FIELD);
    json.extend_from_slice(crc32.to_string().as_bytes());
    json.push(b'}');
    json
}

/// CRC-32 of the bytes of `json`, and the CRC-32 that its last field states; `None` without such a field.
pub(crate) fn json_crc32(json: &[u8]) -> Option<(u32, u32)> {
    let at = json
        .windows(JSON_CRC32_FIELD.len())
        .rposition(|window| window == JSON_CRC32_FIELD)?;
    let (head, field) = json.split_at(at);
    let digits = field.strip_prefix(JSON_CRC32_FIELD)?.strip_suffix(b"}")?;
    let stated = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((crc32fast::hash(head), stated))
}

/// Like [`hex`], for a checksum that may be absent.
pub(crate) mod optional_hex {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Hex(#[serde(with = "hex")] u64);

    pub fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Hex).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Hex>::deserialize(deserializer)?.map(|Hex(value)| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_crc32_matches_zlib_and_detects_any_changed_byte() {
        let json = with_json_crc32(br#"{"key":"a","k":60}"#.to_vec());
        // zlib.crc32(b'{"key":"a","k":60') in Python 3.11
        assert_eq!(json, br#"{"key":"a","k":60,"json_crc32":2217632642}"#);
        for at in 0..json.len() {
            let mut changed = json.clone();
            changed[at] ^= 1;
            assert!(
                json_crc32(&changed).is_none_or(|(found, stated)| found != stated),
                "byte {at}"
            );
        }
    }
}
