//! Reads stretches of a tar by `pread`, into buffers that are used again.
//!
//! A memory map would save a copy, but a file that is cut while it is mapped ends the process by SIGBUS; here it is an error.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::mem;
use std::ops::Deref;
use std::os::unix::fs::FileExt;

/// A larger buffer is freed instead of kept for the next record.
const MAX_SPARE_BYTES: usize = 8 << 20;

/// Something that can be read at any place.
pub(crate) trait ReadAt {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `bytes` from `offset`, up to the end of the file, and returns the number of bytes read.
    fn read_up_to(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut num_read = 0;
        while let Some(rest) = bytes.get_mut(num_read..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset.saturating_add(num_read as u64)) {
                Ok(0) => break,
                Ok(num) => num_read += num,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        Ok(num_read)
    }
}

impl ReadAt for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }
}

#[cfg(test)]
impl ReadAt for [u8] {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

/// Bytes of a file. When they are dropped, the next ones of the same thread take over their memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanBytes {
    /// At least `len` bytes: those beyond were read before, and need not be zeroed again.
    buffer: Vec<u8>,
    len: usize,
}

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl SpanBytes {
    /// Reads `len` bytes of `file` from `start`, fewer if it ends before.
    pub fn read(file: &impl ReadAt, start: u64, len: usize) -> io::Result<Self> {
        let mut buffer = SPARE.take();
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        let mut bytes = Self { buffer, len };
        let (wanted, _) = bytes.buffer.split_at_mut(len);
        bytes.len = file.read_up_to(wanted, start)?;
        Ok(bytes)
    }
}

impl Deref for SpanBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

impl Drop for SpanBytes {
    fn drop(&mut self) {
        if self.buffer.capacity() <= MAX_SPARE_BYTES {
            // A thread that ends has no place for it any more.
            let _ = SPARE.try_with(|spare| spare.set(mem::take(&mut self.buffer)));
        }
    }
}

/// A stretch of a tar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'t> {
    /// Place of `bytes` in the tar.
    pub start: u64,
    pub bytes: &'t [u8],
    /// Length of the tar.
    pub tar_bytes: u64,
}

impl<'t> Span<'t> {
    /// The `size` bytes from `offset` of the tar; `None` if they are not all in the span.
    pub fn at(&self, offset: u64, size: u64) -> Option<&'t [u8]> {
        let start = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        self.bytes.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_file_also_in_memory_that_was_used_before() {
        let file: Vec<u8> = (0..=255).collect();
        for (start, len, read) in [
            (0, 256, 256),
            (10, 3, 3),
            (250, 20, 6),
            (300, 5, 0),
            (0, 0, 0),
        ] {
            let bytes = SpanBytes::read(&Slow(&file), start, len).unwrap();
            assert_eq!(bytes.len(), read);
            let end = start as usize + read;
            assert_eq!(&*bytes, file.get(start as usize..end).unwrap_or_default());
        }
    }

    /// Gives three bytes at a time, and an interruption now and then.
    struct Slow<'a>(&'a [u8]);

    impl ReadAt for Slow<'_> {
        fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
            thread_local! { static CALLS: Cell<u32> = const { Cell::new(0) }; }
            CALLS.set(CALLS.get() + 1);
            if CALLS.get().is_multiple_of(3) {
                return Err(ErrorKind::Interrupted.into());
            }
            let len = bytes.len().min(3);
            self.0.read_at(&mut bytes[..len], offset)
        }
    }
}
