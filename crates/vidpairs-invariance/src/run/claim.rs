//! The folder of results.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use vidpairs_run::{JOURNAL_FOLDER, OutFolder, RunError};
use vidpairs_types::read_regular;

use super::ResultFile;

/// Results of a measuring command.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResultsOf {
    /// File of the results, written last. A folder with it holds a complete call.
    pub file: &'static str,
    /// A list in this file.
    pub list: &'static str,
    /// What the command writes, for errors.
    pub what: &'static str,
}

/// Results of `vidpairs invariance`.
pub(super) const INVARIANCES: ResultsOf = ResultsOf {
    file: "invariance.json",
    list: "panels",
    what: "invariances",
};
/// Results of `vidpairs probe`.
pub(super) const PROBES: ResultsOf = ResultsOf {
    file: "probe.json",
    list: "tables",
    what: "probes",
};

/// Largest file of results, bytes.
const MAX_RESULTS_BYTES: u64 = 256 << 20;
/// The work that is safe when a call ends early.
pub(super) const SAFE: &str = "features that were complete";
/// Folders of cached features and of trained classifiers. The names in them are hashes, so they replace nothing.
const CACHES: [&str; 2] = ["features", "heads"];

impl ResultsOf {
    /// Files that each call replaces.
    fn replaced(self) -> [&'static str; 3] {
        [self.file, "report.html", "scores.csv"]
    }

    /// Whether `out` holds the results of this command.
    fn are_in(self, out: &Path) -> bool {
        let text = read_regular(&out.join(self.file), MAX_RESULTS_BYTES).unwrap_or_default();
        let results: Value = serde_json::from_slice(&text).unwrap_or_default();
        results["program_version"].is_string() && results[self.list].is_array()
    }
}

/// A folder of results, held by this process.
///
/// The journal is removed when the call ends: results are made whole each time, and the features have names of their own. It stays if
/// the folder holds a part of the results, to show that they are ours.
pub(super) struct Claim {
    results: ResultsOf,
    out: OutFolder,
    /// Folders that the claim created, the innermost first.
    created: Vec<PathBuf>,
}

impl Claim {
    /// Takes `out`: a new or empty folder, or one that holds nothing but results of this command.
    ///
    /// # Errors
    /// [`RunError`]: `out` is no folder, holds something else, is in use, or cannot be written to.
    pub fn of(out: &Path, results: ResultsOf) -> Result<Self, RunError> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let created = out.ancestors().take_while(is_missing);
        let created = created.map(Path::to_owned).collect();
        // A stopped run of another command is named by its journal, rather than by its first file.
        let has_journal = OutFolder::has_journal(out);
        let claimed = match has_journal {
            true => Some(OutFolder::claim(out, results.what)?),
            false => None,
        };
        let mut ours = CACHES.to_vec();
        if has_journal {
            ours.push(JOURNAL_FOLDER);
        }
        if has_journal || results.are_in(out) {
            ours.extend(results.replaced());
        }
        OutFolder::check(out, &ours)?;
        if has_journal {
            OutFolder::check(&out.join(JOURNAL_FOLDER), &["lock", "unfinished"]).map_err(|_| {
                RunError::NotOurs {
                    out: out.to_owned(),
                    found: JOURNAL_FOLDER.to_owned(),
                }
            })?;
        }
        let claimed = claimed.map_or_else(|| OutFolder::claim(out, results.what), Ok);
        let claimed = claimed.map_err(|err| err.named_if_full(out, SAFE))?;
        Ok(Self {
            results,
            out: claimed,
            created,
        })
    }

    /// Writes a file of results, whole or not at all.
    ///
    /// # Errors
    /// [`RunError::File`], [`RunError::DiskFull`].
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let written = self.out.write(name, bytes);
        written.map_err(|err| err.named_if_full(self.out.path(), SAFE))
    }
}

impl Claim {
    /// Writes the files beside the results, and then the results.
    ///
    /// # Errors
    /// [`RunError::File`], [`RunError::DiskFull`].
    pub fn write_all(
        &self,
        beside: Vec<ResultFile>,
        summary: &impl Serialize,
    ) -> Result<(), RunError> {
        for (name, bytes) in beside {
            self.write(name, &bytes)?;
        }
        let text = serde_json::to_vec_pretty(summary).expect("results are numbers and texts");
        self.write(self.results.file, &text)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let out = self.out.path();
        let mut replaced = self.results.replaced().into_iter();
        let has_part = replaced.any(|name| out.join(name).exists());
        if has_part && !self.results.are_in(out) {
            return;
        }
        self.out.finish().ok();
        // Only a folder that is empty can be removed: a call that failed leaves nothing behind.
        for folder in &self.created {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &[u8] = br#"{"program_version": "0.1.0", "panels": []}"#;

    fn refusal(out: &Path) -> String {
        Claim::of(out, INVARIANCES)
            .err()
            .map_or_else(String::new, |err| err.to_string())
    }

    #[test]
    fn files_of_somebody_else_with_the_names_of_results_are_refused_and_stay() {
        for name in INVARIANCES.replaced() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(name);
            for text in ["precious", r#"{"panels": "of wood"}"#] {
                fs::write(&file, text).unwrap();
                assert!(refusal(folder.path()).contains(&format!("found {name}")));
                assert_eq!(fs::read_to_string(&file).unwrap(), text);
            }
        }
    }

    #[test]
    fn a_folder_with_results_or_with_a_part_of_them_is_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let claim = Claim::of(out, INVARIANCES).unwrap();
        claim.write("scores.csv", b"").unwrap();
        drop(claim); // the disk is full
        let claim = Claim::of(out, INVARIANCES).unwrap();
        claim.write(INVARIANCES.file, RESULTS).unwrap();
        drop(claim);
        assert!(!out.join(JOURNAL_FOLDER).exists());
        fs::create_dir(out.join(CACHES[0])).unwrap();
        Claim::of(out, INVARIANCES).unwrap();
        // The results of the sister command are those of somebody else.
        let err = Claim::of(out, PROBES).err().unwrap().to_string();
        assert!(
            err.contains("holds results of `vidpairs invariance`"),
            "{err}"
        );
    }

    #[test]
    fn a_failed_call_leaves_no_folder_that_it_created() {
        let folder = tempfile::tempdir().unwrap();
        drop(Claim::of(&folder.path().join("a/b/c"), INVARIANCES).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::create_dir(folder.path().join("mine")).unwrap();
        drop(Claim::of(&folder.path().join("mine"), INVARIANCES).unwrap());
        assert!(folder.path().join("mine").exists());
    }

    #[test]
    fn the_stopped_run_of_another_command_is_named() {
        let folder = tempfile::tempdir().unwrap();
        drop(OutFolder::claim(folder.path(), "pairs").unwrap());
        fs::write(folder.path().join("pairs-000000.tar"), "").unwrap();
        let text = refusal(folder.path());
        assert!(
            text.contains("an unfinished run that writes pairs"),
            "{text}"
        );
    }
}
