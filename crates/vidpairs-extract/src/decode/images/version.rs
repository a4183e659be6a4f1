//! Tells whether a zip was replaced or written to while a run reads it.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::decode::error::DecodeError;

/// What changes when a file is replaced or written to. Inodes are left out: some network disks number them anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct ZipVersion {
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl ZipVersion {
    /// The version of an open file.
    pub fn of(file: &File) -> Result<Self, DecodeError> {
        Ok(Self::from(&file.metadata().map_err(unreadable)?))
    }

    /// Checks that the file at `path` has this version.
    ///
    /// # Errors
    /// [`DecodeError::Changed`]: what was read of it may be a mixture.
    pub fn check(self, path: &Path) -> Result<(), DecodeError> {
        let now = Self::from(&std::fs::metadata(path).map_err(unreadable)?);
        self.check_same(now)
    }

    /// As [`Self::check`], for a version that is known.
    pub fn check_same(self, now: Self) -> Result<(), DecodeError> {
        match now == self {
            true => Ok(()),
            false => Err(DecodeError::Changed {
                before: self.len,
                now: now.len,
            }),
        }
    }
}

impl From<&Metadata> for ZipVersion {
    fn from(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn unreadable(err: std::io::Error) -> DecodeError {
    DecodeError::unreadable("the zip", err)
}
