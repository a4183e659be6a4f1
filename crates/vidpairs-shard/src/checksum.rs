//! The xxh64 of a file, and its 16 hexadecimal digits in json.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use serde::{Deserialize, Deserializer, Serializer, de};
use xxhash_rust::xxh64::Xxh64;

use super::ShardError;

/// Bytes read at once: far above the cost of a call, far below any memory ceiling.
const CHUNK_BYTES: usize = 1 << 20;

/// What [`update_from`] met.
pub(super) struct Taken {
    /// Bytes that went into the checksum: fewer than asked for where the file ends.
    pub bytes: u64,
    /// Whether `keep_going` said no before the end.
    pub stopped: bool,
}

/// Feeds up to `limit_bytes` of `file`, from where it stands, to `checksum`; `keep_going` hears
/// the number of bytes after each chunk.
pub(super) fn update_from(
    file: &mut File,
    limit_bytes: u64,
    checksum: &mut Xxh64,
    keep_going: &dyn Fn(u64) -> bool,
) -> io::Result<Taken> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut limited = file.take(limit_bytes);
    let mut bytes = 0;
    loop {
        let got = match limited.read(&mut chunk) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        checksum.update(chunk.get(..got).unwrap_or_default());
        bytes += got as u64;
        if !keep_going(got as u64) {
            return Ok(Taken {
                bytes,
                stopped: true,
            });
        }
    }
    Ok(Taken {
        bytes,
        stopped: false,
    })
}

/// The checksum's state after the first `bytes` of `file`, seen to be `xxh64`; `path` is the file's.
///
/// # Errors
/// [`ShardError::CutBelowMark`] or [`ShardError::DiffersFromMark`] if they are not those; [`ShardError::Read`].
pub(super) fn up_to(
    file: &mut File,
    (bytes, xxh64): (u64, u64),
    path: &Path,
) -> Result<Xxh64, ShardError> {
    let mut checksum = Xxh64::new(0);
    let taken =
        update_from(file, bytes, &mut checksum, &|_| true).map_err(ShardError::read(path))?;
    if taken.bytes < bytes {
        return Err(ShardError::CutBelowMark {
            path: path.to_path_buf(),
            found_bytes: taken.bytes,
            mark_bytes: bytes,
        });
    }
    if checksum.digest() != xxh64 {
        return Err(ShardError::DiffersFromMark {
            path: path.to_path_buf(),
            bytes,
            found: checksum.digest(),
            mark: xxh64,
        });
    }
    Ok(checksum)
}

/// `#[serde(with)]` for a u64 as 16 lower-case hexadecimal digits: json numbers end at 2^53.
pub(super) mod hex {
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
