//! Reads a large object part by part.

use std::io::{self, Read};

use super::{ObjectTree, StoredObject};

/// Bytes that are read at a time. Larger requests are hardly faster, and more is lost when one fails.
const PART_BYTES: u64 = 8 << 20;

/// Bytes of an object, in ranges.
pub(super) struct RangeReader<'a> {
    tree: &'a ObjectTree,
    object: StoredObject<'a>,
    /// Place of the next range in the object.
    next: u64,
    part: io::Cursor<Vec<u8>>,
}

impl<'a> RangeReader<'a> {
    pub fn new(tree: &'a ObjectTree, object: StoredObject<'a>) -> Self {
        Self {
            tree,
            object,
            next: 0,
            part: io::Cursor::default(),
        }
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.position() >= self.part.get_ref().len() as u64 {
            let end = (self.next + PART_BYTES).min(self.object.size_bytes);
            self.part = io::Cursor::new(self.tree.read_range(self.object, self.next..end)?);
            self.next = end;
        }
        self.part.read(buffer)
    }
}
