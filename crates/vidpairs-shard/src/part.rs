//! Files under construction, which can be resumed after a kill.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use vidpairs_types::{create_fresh, open_own};

use crate::checksum::FileHash;
use crate::error::ShardError;

/// File that is written at its end only and gets its final name when it is complete.
pub(crate) struct PartFile {
    pub path: PathBuf,
    pub file: File,
    /// Hash of everything appended so far.
    hash: FileHash,
}

impl PartFile {
    /// Creates an empty file, replacing an existing one.
    pub fn create(path: PathBuf) -> Result<Self, ShardError> {
        let file = create_fresh(&path).map_err(ShardError::write(&path))?;
        Ok(Self {
            path,
            file,
            hash: FileHash::new(),
        })
    }

    /// Opens an existing file whose first `bytes` bytes have the checksum `xxh64`. [`truncate`](Self::truncate) then
    /// removes the rest.
    pub fn resume(path: PathBuf, bytes: u64, xxh64: u64) -> Result<Self, ShardError> {
        let opened = open_own(File::options().read(true).write(true), &path);
        let mut file = opened.map_err(ShardError::read(&path))?;
        let hash = hash_up_to_mark(&mut file, bytes, xxh64, &path)?;
        Ok(Self { path, file, hash })
    }

    /// Number of bytes appended so far.
    pub fn bytes(&self) -> u64 {
        self.hash.bytes
    }

    /// xxh64 of the bytes appended so far.
    pub fn xxh64(&self) -> u64 {
        self.hash.xxh64()
    }

    /// Appends `bytes`. After an error nothing counts as appended, and the call can be repeated.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ShardError> {
        self.file
            .seek(SeekFrom::Start(self.bytes()))
            .and_then(|_| self.file.write_all(bytes))
            .map_err(ShardError::write(&self.path))?;
        self.hash.update(bytes);
        Ok(())
    }

    /// Removes what follows the appended bytes.
    pub fn truncate(&self) -> Result<(), ShardError> {
        self.file
            .set_len(self.bytes())
            .map_err(ShardError::write(&self.path))
    }

    /// Waits until the bytes are on the disk.
    pub fn sync(&self) -> Result<(), ShardError> {
        self.file.sync_data().map_err(ShardError::write(&self.path))
    }

    /// Syncs the file and renames it to `path`, which is on the same file system.
    pub fn publish(&self, path: &Path) -> Result<(), ShardError> {
        self.sync()?;
        fs::rename(&self.path, path).map_err(ShardError::write(path))
    }
}

/// Hashes the first `bytes` bytes of `file` and compares the result with `xxh64`; `path` is the path of the file.
pub(crate) fn hash_up_to_mark(
    file: &mut File,
    bytes: u64,
    xxh64: u64,
    path: &Path,
) -> Result<FileHash, ShardError> {
    let mut hash = FileHash::new();
    hash.update_from(file, bytes, &|_| true)
        .map_err(ShardError::read(path))?;
    if hash.bytes < bytes {
        return Err(ShardError::CutBelowMark {
            path: path.to_path_buf(),
            found_bytes: hash.bytes,
            mark_bytes: bytes,
        });
    }
    if hash.xxh64() != xxh64 {
        return Err(ShardError::DiffersFromMark {
            path: path.to_path_buf(),
            bytes,
            found: hash.xxh64(),
            mark: xxh64,
        });
    }
    Ok(hash)
}
