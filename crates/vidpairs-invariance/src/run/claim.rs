//! The folder of results: whose it is, and how files get into it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use vidpairs_run::{JOURNAL_FOLDER, RunError, lock, nothing_foreign_in, write_whole};

/// What was measured: written last.
pub(super) const RESULTS_FILE: &str = "invariance.json";
/// What is safe when a call ends early.
pub(super) const SAFE: &str = "features that were complete";
/// All that a call leaves, whenever it ends.
const OURS: [&str; 5] = [
    RESULTS_FILE,
    "features",
    "report.html",
    "scores.csv",
    JOURNAL_FOLDER,
];
/// All that a call leaves in the journal's folder.
const IN_JOURNAL: [&str; 2] = ["lock", "unfinished"];

/// A folder that no other program writes to as long as this lives.
pub(super) struct Claim {
    out: PathBuf,
    _lock: File,
}

impl Claim {
    /// Takes `out`: a new or empty folder, or one that holds nothing but results, or what a call that was stopped left.
    ///
    /// # Errors
    /// [`RunError`]: it is no folder, holds something else, is in use, or cannot be written to.
    pub fn of(out: &Path) -> Result<Self, RunError> {
        if out.exists() && !out.is_dir() {
            return Err(RunError::NotAFolder(out.to_owned()));
        }
        let journal = out.join(JOURNAL_FOLDER);
        if !holds_only(out, &OURS) || !holds_only(&journal, &IN_JOURNAL) {
            nothing_foreign_in(out)?;
        }
        let lock = lock(out).map_err(|err| err.named_if_full(out, SAFE))?;
        Ok(Self {
            out: out.to_owned(),
            _lock: lock,
        })
    }

    /// Writes a file of results, whole or not at all.
    ///
    /// # Errors
    /// [`RunError::File`], [`RunError::DiskFull`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let written = write_whole(&self.out, name, bytes);
        written.map_err(|err| err.named_if_full(&self.out, SAFE))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        fs::remove_dir_all(self.out.join(JOURNAL_FOLDER)).ok();
    }
}

/// Whether a folder has no other entries; one that cannot be listed has none.
fn holds_only(folder: &Path, names: &[&str]) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return true;
    };
    let mut found = entries.flatten().map(|entry| entry.file_name());
    found.all(|name| names.iter().any(|known| name == *known))
}
