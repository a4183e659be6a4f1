//! The folder of results.

use std::path::Path;

use vidpairs_run::{JOURNAL_FOLDER, OutFolder, RunError};

/// The results, written last.
pub(super) const RESULTS_FILE: &str = "invariance.json";
/// The work that is safe when a call ends early.
pub(super) const SAFE: &str = "features that were complete";
/// Everything that a call leaves.
const OURS: [&str; 5] = [
    RESULTS_FILE,
    "features",
    "report.html",
    "scores.csv",
    JOURNAL_FOLDER,
];

/// A folder of results, held by this process. Its journal is removed however the call ends: results are made whole each time, and the
/// features have names of their own.
pub(super) struct Claim(OutFolder);

impl Claim {
    /// Takes `out`: a new or empty folder, or one that holds nothing but results.
    ///
    /// # Errors
    /// [`RunError`]: `out` is no folder, holds something else, is in use, or cannot be written to.
    pub fn of(out: &Path) -> Result<Self, RunError> {
        OutFolder::check(out, &OURS)?;
        OutFolder::check(&out.join(JOURNAL_FOLDER), &["lock", "unfinished"]).map_err(|_| {
            RunError::NotOurs {
                out: out.to_owned(),
                found: JOURNAL_FOLDER.to_owned(),
            }
        })?;
        let claimed =
            OutFolder::claim(out, "invariances").map_err(|err| err.named_if_full(out, SAFE))?;
        Ok(Self(claimed))
    }

    /// Writes a file of results, whole or not at all.
    ///
    /// # Errors
    /// [`RunError::File`], [`RunError::DiskFull`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let written = self.0.write(name, bytes);
        written.map_err(|err| err.named_if_full(self.0.path(), SAFE))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.finish().ok();
    }
}
