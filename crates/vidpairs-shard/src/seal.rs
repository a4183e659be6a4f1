//! The checksum that `KEY.json` carries of itself.
//!
//! A digit that flips in a number still reads as a number. So the last field of the json is
//! `json_crc32`: CRC-32 (IEEE) of all bytes before the comma in front of it. In Python:
//! `head, crc = json_bytes.rsplit(b',"json_crc32":', 1); zlib.crc32(head) == int(crc[:-1])`.

const FIELD: &[u8] = b",\"json_crc32\":";

/// `json`, an object with at least one field, with the checksum as its last.
pub(super) fn sealed(mut json: Vec<u8>) -> Vec<u8> {
    json.pop(); // the closing brace
    let crc = crc32fast::hash(&json);
    json.extend_from_slice(FIELD);
    json.extend_from_slice(crc.to_string().as_bytes());
    json.push(b'}');
    json
}

/// The checksum of the bytes, and the one that they state; `None` if they state none.
pub(super) fn checksums(json: &[u8]) -> Option<(u32, u32)> {
    let at = json
        .windows(FIELD.len())
        .rposition(|window| window == FIELD)?;
    let (head, tail) = json.split_at_checked(at)?;
    let digits = tail.get(FIELD.len()..)?.strip_suffix(b"}")?;
    let stated = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((crc32fast::hash(head), stated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_all_that_stands_before_it_and_any_change_breaks_it() {
        let json = sealed(br#"{"key":"a","k":60}"#.to_vec());
        // zlib.crc32(b'{"key":"a","k":60') in Python 3.11
        assert_eq!(json, br#"{"key":"a","k":60,"json_crc32":2217632642}"#);
        for at in 0..json.len() {
            let mut changed = json.clone();
            changed[at] ^= 1;
            assert!(
                checksums(&changed).is_none_or(|(found, stated)| found != stated),
                "byte {at}"
            );
        }
    }
}
