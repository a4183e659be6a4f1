//! A writer that hashes what it writes.

use std::io::{self, Write};

use xxhash_rust::xxh64::Xxh64;

/// Writes to `inner`, and keeps the length and the xxh64 (seed 0) of what was written.
pub(crate) struct HashingWriter<W> {
    inner: W,
    hash: Xxh64,
    bytes: u64,
}

impl<W: Write> HashingWriter<W> {
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Xxh64::new(0),
            bytes: 0,
        }
    }

    /// The inner writer, the number of bytes written, and their xxh64.
    pub fn finish(self) -> (W, u64, u64) {
        (self.inner, self.bytes, self.hash.digest())
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
