//! Output of the ZIP library, which completes an archive that is dropped, and prints to stderr if that fails.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Weak};

/// Output that accepts and discards everything after its first error, and once its [`InUse`] is dropped. So the ZIP library reports an
/// error once, to its caller, and prints nothing when the writer is dropped.
#[derive(Debug)]
pub struct ArchiveOutput<W> {
    inner: W,
    /// Place of the next byte, as the writer expects it.
    position: u64,
    /// Dangling after an error, and once the [`InUse`] is dropped.
    in_use: Weak<()>,
}

/// As long as it lives, what is written to its [`ArchiveOutput`] counts.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl<W: Write + Seek> ArchiveOutput<W> {
    /// - `inner`: an empty output, at its start.
    pub fn new(inner: W) -> (Self, InUse) {
        let in_use = Arc::new(());
        let output = Self {
            inner,
            position: 0,
            in_use: Arc::downgrade(&in_use),
        };
        (output, InUse(in_use))
    }

    /// The output given to [`new`](Self::new).
    pub fn into_inner(self) -> W {
        self.inner
    }

    fn if_in_use(&mut self, act: impl FnOnce(&mut W) -> io::Result<()>) -> io::Result<()> {
        if self.in_use.strong_count() == 0 {
            return Ok(());
        }
        act(&mut self.inner).inspect_err(|_| self.in_use = Weak::new())
    }
}

impl<W: Write + Seek> Write for ArchiveOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.position += bytes.len() as u64;
        self.if_in_use(|inner| inner.write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.if_in_use(Write::flush)
    }
}

impl<W: Write + Seek> Seek for ArchiveOutput<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
            SeekFrom::End(_) => self.position,
        };
        let moved = self.if_in_use(|inner| {
            position = inner.seek(to)?;
            Ok(())
        });
        // After an error too: a buffered file writes when it moves, and the writer computes lengths from positions.
        self.position = position;
        moved?;
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails from its second call on.
    struct Full(u32);

    impl Full {
        fn call(&mut self) -> io::Result<()> {
            self.0 += 1;
            match self.0 {
                1 => Ok(()),
                _ => Err(io::ErrorKind::StorageFull.into()),
            }
        }
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.call().map(|()| bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.call()
        }
    }

    impl Seek for Full {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            self.call().map(|()| 0)
        }
    }

    #[test]
    fn an_error_is_reported_once_and_positions_go_on_as_if_all_was_written() {
        let (mut output, _in_use) = ArchiveOutput::new(Full(0));
        output.write_all(&[0; 100]).unwrap();
        let err = output.seek(SeekFrom::Start(10)).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::StorageFull);
        output.write_all(&[0; 4]).unwrap();
        assert_eq!(output.stream_position().unwrap(), 14);
        assert_eq!(output.seek(SeekFrom::Start(100)).unwrap(), 100);
        output.flush().unwrap();
    }

    #[test]
    fn nothing_is_written_once_the_output_is_no_longer_in_use() {
        let (mut output, in_use) = ArchiveOutput::new(io::Cursor::new(Vec::new()));
        output.write_all(b"whole").unwrap();
        drop(in_use);
        output.write_all(b"late").unwrap();
        assert_eq!(output.into_inner().into_inner(), b"whole");
    }
}
