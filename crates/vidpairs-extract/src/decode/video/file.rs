//! Reads the file of a video for FFmpeg, which opens no file itself.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use vidpairs_types::open_regular;
use vidpairs_types::parallel::Heartbeat;

use crate::decode::error::DecodeError;

/// An open file, and what went wrong while it was read.
pub(super) struct MediaFile {
    file: File,
    version: FileVersion,
    failure: OnceLock<io::Error>,
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileVersion {
    place: (u64, u64),
    modified: (i64, i64),
    /// Length, bytes.
    pub len: u64,
}

impl FileVersion {
    fn of(metadata: &Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            len: metadata.len(),
        }
    }

    /// Checks that the file at `path` is still this one, unwritten.
    ///
    /// # Errors
    /// [`DecodeError::Changed`]: what was read of it may be a mixture.
    pub fn check(&self, path: &Path) -> Result<(), DecodeError> {
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        let now = Self::of(&metadata);
        match now == *self {
            true => Ok(()),
            false => Err(DecodeError::Changed {
                before: self.len,
                now: now.len,
            }),
        }
    }
}

impl MediaFile {
    /// Opens the file at `path`. A pipe or a device is refused: opening one may block forever.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        let file = open_regular(path).map_err(unreadable)?;
        let version = FileVersion::of(&file.metadata().map_err(unreadable)?);
        if version.len == 0 {
            return Err(DecodeError::Empty);
        }
        Ok(Self {
            file,
            version,
            failure: OnceLock::new(),
        })
    }

    /// The file as it was when it was opened. Nothing behind its length is read.
    pub fn version(&self) -> FileVersion {
        self.version
    }

    /// Reads at `place`, less than asked only at the end of the file.
    pub fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        let left = self.version.len.saturating_sub(place);
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let mut num_read = 0;
        while num_read < wanted {
            let rest = &mut buffer[num_read..wanted];
            match self.file.read_at(rest, place + num_read as u64) {
                Ok(0) => break,
                Ok(count) => num_read += count,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => {
                    let _ = self.failure.set(copy_of(&err)); // the first failure is kept
                    return Err(err);
                }
            }
        }
        Ok(num_read)
    }

    /// Reports a failed read. FFmpeg's demuxers take most of them for the end of the file.
    ///
    /// # Errors
    /// [`DecodeError::Unreadable`] if a read has failed since the file was opened.
    pub fn check(&self) -> Result<(), DecodeError> {
        match self.failure.get() {
            None => Ok(()),
            Some(err) => Err(unreadable(copy_of(err))),
        }
    }
}

/// A copy with the code of the system, by which a fault of the machine is told from that of a file.
fn copy_of(err: &io::Error) -> io::Error {
    match err.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(err.kind(), err.to_string()),
    }
}

fn unreadable(err: io::Error) -> DecodeError {
    DecodeError::unreadable("the file", err)
}

/// A position in the file, for FFmpeg.
pub(super) struct MediaReader {
    pub file: Arc<MediaFile>,
    pub position: u64,
    pub heartbeat: Arc<Heartbeat>,
}

impl Read for MediaReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.heartbeat.should_stop() {
            return Err(io::Error::other("stopped"));
        }
        let num_read = self.file.read_at(buffer, self.position)?;
        self.position += num_read as u64;
        Ok(num_read)
    }
}

impl Seek for MediaReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.file.version.len.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
