//! The folder of this machine into which a run is written whose output folder is in a store.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use vidpairs_run::{JOURNAL_FILE, JOURNAL_FOLDER, RunError, failed};
use vidpairs_shard::Part;
use vidpairs_store::Location;
use vidpairs_types::{create_own_folder, open_own};
use xxhash_rust::xxh3::xxh3_64;

use crate::run::ExtractError;

/// Folder in it that stands for the output folder.
const OUT: &str = "out";
/// File in it that is locked as long as a process uses it: the writers that used it, one a line.
const LOCK: &str = "lock";
/// So much of it is read.
const MAX_LOCK_BYTES: u64 = 1 << 20;

/// `vidpairs-out-<user>-<hash of the URL>` in the scratch folder. It stays after a run that did not end, and is used by the next one.
pub(super) struct Staging {
    folder: PathBuf,
    part: Option<Part>,
    writer: String,
    dead_writers: Vec<String>,
    is_removed: bool,
    _lock: File,
}

/// The lock of the folder, and the writers that used it and have ended.
fn locked(parent: &Path, folder: &Path) -> io::Result<(File, Vec<String>)> {
    fs::create_dir_all(parent)?;
    let path = folder.join(LOCK);
    loop {
        create_own_folder(folder)?;
        let lock = open_own(File::options().read(true).append(true).create(true), &path)?;
        let user = rustix::process::geteuid().as_raw();
        if fs::symlink_metadata(folder)?.uid() != user {
            let reason = format!("{} belongs to another user", folder.display());
            return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
        }
        // It holds pictures of the clips.
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let is_locked = match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::WouldBlock.into()),
            // A file system without locks says nothing about others.
            Err(TryLockError::Error(_)) => false,
        };
        // A run that ended in between removed it.
        let found = fs::symlink_metadata(&path).map(|found| found.ino());
        if found.is_ok_and(|found| lock.metadata().is_ok_and(|lock| lock.ino() == found)) {
            let mut writers = Vec::new();
            (&lock).take(MAX_LOCK_BYTES).read_to_end(&mut writers)?;
            let writers = String::from_utf8_lossy(&writers).into_owned();
            let writers = writers.lines().filter(|_| is_locked);
            let writers = writers.map(str::to_owned).collect();
            return Ok((lock, writers));
        }
    }
}

impl Staging {
    /// Claims the folder for the run at `location`.
    pub fn claim(
        scratch: Option<&Path>,
        location: &Location,
        part: Option<Part>,
    ) -> Result<Self, RunError> {
        let parent = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
        let url = location.to_string();
        let hash = xxh3_64(url.trim_end_matches('/').as_bytes());
        let user = rustix::process::geteuid().as_raw();
        let folder = parent.join(format!("vidpairs-out-{user}-{hash:016x}"));
        let locked = locked(&parent, &folder).map_err(|err| match err.kind() {
            ErrorKind::WouldBlock => RunError::InUse { out: url.into() },
            _ => ExtractError::scratch(&parent)(err).into(),
        });
        let (mut lock, dead_writers) = locked?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since.map_or(0, |since| since.as_nanos());
        let inode = lock.metadata().map_or(0, |found| found.ino());
        let writer = format!("{}-{inode}-{nanos}", std::process::id());
        let written = lock.write_all(format!("{writer}\n").as_bytes());
        written.map_err(ExtractError::scratch(&parent))?;
        Ok(Self {
            folder,
            part,
            writer,
            dead_writers,
            is_removed: false,
            _lock: lock,
        })
    }

    /// Text that no other process has.
    pub fn writer(&self) -> String {
        self.writer.clone()
    }

    /// Those of earlier processes: the lock shows that they have ended.
    pub fn dead_writers(&self) -> &[String] {
        &self.dead_writers
    }

    /// Stands for the output folder.
    pub fn out(&self) -> PathBuf {
        self.folder.join(OUT)
    }

    /// The folder of the run: the output folder, or that of the part.
    pub fn run(&self) -> PathBuf {
        match self.part {
            Some(part) => self.out().join(part.folder()),
            None => self.out(),
        }
    }

    /// Removes what earlier processes left.
    pub fn clear(&self) -> Result<(), RunError> {
        let out = self.out();
        match fs::remove_dir_all(&out) {
            Err(err) if err.kind() != ErrorKind::NotFound => Err(failed("remove", &out)(err)),
            _ => Ok(()),
        }
    }

    /// Whether a run was begun in it.
    fn has_work(&self) -> bool {
        let journal = self.run().join(JOURNAL_FOLDER).join(JOURNAL_FILE);
        journal.metadata().is_ok_and(|journal| journal.len() > 0)
    }

    /// Removes the folder. What cannot be removed is cleared by the next run.
    pub fn remove(&mut self) {
        self.is_removed = true;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Once removed, the name may be that of another process.
        if !self.is_removed && !self.has_work() {
            self.remove();
        }
    }
}
