//! Reads the stream that `torch.save` wrote before PyTorch 1.6, and still writes on request.
//!
//! It consists of five pickles (a magic number, the protocol version, the byte order of the system, the object, the keys of
//! its storages) and the storages in the order of the keys, each after its number of elements.

use std::collections::HashMap;

use vidpairs_types::printable;

use super::gather::Storages;
use super::state;
use crate::error::WeightsError;
use crate::pickle::{self, MAX_KEY_BYTES, Node, Storage, Tree};
use crate::weights::Weights;

/// 0x1950a86a20f9469cfc6c, little endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Parses the bytes of a file.
pub fn parse(bytes: &[u8]) -> Result<Weights, WeightsError> {
    let mut stream = Stream { bytes, at: 0 };
    let magic = stream.pickle("the magic number")?;
    match magic.node(magic.root) {
        Node::Long(number) if *number == MAGIC => {}
        _ => return Err(WeightsError::OtherPickle),
    }
    stream.pickle("the protocol version")?;
    let system = stream.pickle("the system's properties")?;
    let little_endian = system.entry(system.root, "little_endian");
    if little_endian.is_some_and(|answer| *system.node(answer) == Node::Bool(false)) {
        return Err(WeightsError::BigEndian);
    }
    let object = stream.pickle("the object")?;
    let keys = stream.pickle("the keys of the storages")?;
    let storages = Storages {
        by_key: stream.storages(&object, &keys)?,
        file_bytes: bytes.len(),
    };
    state::read(&object, &storages)
}

struct Stream<'a> {
    bytes: &'a [u8],
    /// Position of the next part, at most the length.
    at: usize,
}

impl<'a> Stream<'a> {
    fn pickle(&mut self, what: &str) -> Result<Tree<'a>, WeightsError> {
        let tree =
            pickle::parse(&self.bytes[self.at..]).map_err(|source| WeightsError::Pickle {
                stream: format!("{what} (from byte {} of the file)", self.at),
                source,
            })?;
        self.at += tree.length;
        Ok(tree)
    }

    fn storages(
        &mut self,
        object: &Tree<'a>,
        keys: &Tree<'a>,
    ) -> Result<HashMap<&'a str, &'a [u8]>, WeightsError> {
        let described: HashMap<&str, &Storage<'_>> = object
            .nodes()
            .iter()
            .filter_map(|node| match node {
                Node::Storage(storage) => Some((storage.key, storage)),
                _ => None,
            })
            .collect();
        let Node::Sequence(order) = keys.node(keys.root) else {
            return Err(WeightsError::OtherPickle);
        };
        let mut by_key = HashMap::new();
        for &key in order {
            let described = keys
                .text(key)
                // Longer keys cannot be among the described ones, and would take long to look up.
                .filter(|key| key.len() <= MAX_KEY_BYTES)
                .and_then(|key| described.get_key_value(key));
            let Some((&key, storage)) = described else {
                return Err(WeightsError::OtherPickle);
            };
            let what = || format!("storage {}", printable(key));
            let length = self.take(8, what)?;
            let stored = u64::from_le_bytes(length.try_into().expect("`take` returns 8 bytes"));
            if stored != storage.length {
                return Err(WeightsError::StorageLength {
                    key: printable(key).into_owned(),
                    stored,
                    expected: storage.length,
                });
            }
            let size = stored.saturating_mul(storage.kind.element_bytes() as u64);
            by_key.insert(key, self.take(size, what)?);
        }
        Ok(by_key)
    }

    fn take(
        &mut self,
        needed: u64,
        what: impl FnOnce() -> String,
    ) -> Result<&'a [u8], WeightsError> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(needed)
            .ok()
            .and_then(|length| rest.get(..length))
            .ok_or_else(|| WeightsError::Truncated {
                what: what(),
                offset: self.at,
                needed,
                left: rest.len(),
            })?;
        self.at += taken.len();
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::pickle::Pickle;

    /// Stream with one storage, the bytes 0 to 9. Its tensor has two elements, from the second element of the part of the
    /// storage that starts at 4.
    fn stream_with_a_part(little_endian: bool, stored: u64) -> Vec<u8> {
        let mut bytes = b"\x80\x02\x8a\x0a".to_vec();
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(b".\x80\x02M\xe9\x03.");
        let mut system = Pickle::new(2);
        system.dict(|system| {
            system.text("little_endian");
            system.bool(little_endian);
        });
        bytes.extend(system.finish());
        let mut object = Pickle::new(2);
        object.dict(|object| {
            object.text("w");
            object.call("torch._utils", "_rebuild_tensor", |object| {
                object.persistent(|id| {
                    id.text("storage");
                    id.global("torch", "ByteStorage");
                    id.text("94000000");
                    id.text("cuda:0");
                    id.int(10);
                    id.tuple(|part| {
                        part.text("94000004");
                        part.int(4);
                        part.int(6);
                    });
                });
                object.int(1);
                object.ints(&[2]);
                object.ints(&[1]);
            });
        });
        bytes.extend(object.finish());
        bytes.extend_from_slice(b"\x80\x02]X\x08\x00\x00\x0094000000a.");
        bytes.extend_from_slice(&stored.to_le_bytes());
        bytes.extend(0..10);
        bytes
    }

    #[test]
    fn a_tensor_of_a_part_of_a_storage_is_read_from_that_part() {
        let weights = parse(&stream_with_a_part(true, 10)).unwrap();
        assert_eq!(weights.get("w").unwrap().bytes(), [5, 6]);
    }

    #[test]
    fn a_wrong_storage_length_and_big_endian_numbers_are_errors() {
        let err = parse(&stream_with_a_part(true, 9)).unwrap_err();
        assert!(
            matches!(
                err,
                WeightsError::StorageLength {
                    stored: 9,
                    expected: 10,
                    ..
                }
            ),
            "{err}"
        );
        assert!(matches!(
            parse(&stream_with_a_part(false, 10)),
            Err(WeightsError::BigEndian)
        ));
    }
}
