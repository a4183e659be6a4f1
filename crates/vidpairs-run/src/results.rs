//! Recognises the results of the commands in a folder.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vidpairs_shard::{MANIFEST_FILE, MAX_MANIFEST_BYTES};
use vidpairs_types::read_regular;

/// Largest file of results other than a manifest that is read, bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Results of one command, which it describes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResultsKind {
    /// Pairs of `vidpairs extract`.
    Pairs,
    /// A training run of `vidpairs train`.
    Training,
    /// A set of `vidpairs synth`.
    RenderedSet,
    /// Scores of `vidpairs track`.
    TrackerScores,
    /// Scores of `vidpairs invariance`.
    Invariance,
    /// Scores of `vidpairs probe`.
    Probe,
}

/// Why a file that should describe results does not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The file is cut or damaged.
    #[error("{} is not JSON", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where it ceases to be JSON.
        #[source]
        source: serde_json::Error,
    },
    /// The file is of another program: it lacks a value that every file of this kind has.
    #[error("{} does not describe {what}: it has no {key}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Description of the expected results.
        what: &'static str,
        /// JSON pointer to the value.
        key: &'static str,
        /// Whether another value of such files is there: then the file is one of ours that is damaged, or of an early version.
        is_similar: bool,
    },
}

impl ResultsKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Pairs,
        Self::Training,
        Self::RenderedSet,
        Self::TrackerScores,
        Self::Invariance,
        Self::Probe,
    ];

    /// File name, a value that the file must have, and the results in words.
    fn signs(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pairs => (
                MANIFEST_FILE,
                "/clips_xxh64",
                "pairs written by `vidpairs extract`",
            ),
            Self::Training => (
                "run.json",
                "/dataset_xxh64",
                "a training run of `vidpairs train`",
            ),
            Self::RenderedSet => (
                "synth.json",
                "/set/program_version",
                "a set rendered by `vidpairs synth`",
            ),
            Self::TrackerScores => (
                "summary.json",
                "/run/program_version",
                "results of `vidpairs track`",
            ),
            Self::Invariance => (
                "invariance.json",
                "/program_version",
                "results of `vidpairs invariance`",
            ),
            Self::Probe => (
                "probe.json",
                "/program_version",
                "results of `vidpairs probe`",
            ),
        }
    }

    /// Another value that such a file has.
    fn other_key(self) -> &'static str {
        match self {
            Self::Pairs => "/shards",
            Self::Training => "/training",
            Self::RenderedSet => "/totals",
            Self::TrackerScores => "/summary/scores",
            Self::Invariance => "/panels",
            Self::Probe => "/tables",
        }
    }

    /// Largest such file that is read, bytes.
    fn max_bytes(self) -> u64 {
        match self {
            Self::Pairs => MAX_MANIFEST_BYTES,
            _ => MAX_BYTES,
        }
    }

    /// Name of the file that describes the results.
    pub fn file(self) -> &'static str {
        self.signs().0
    }

    /// The results in words, with the command that writes them.
    pub fn what(self) -> &'static str {
        self.signs().2
    }

    /// Reads the file of these results in `folder`; `None` if there is none.
    ///
    /// # Errors
    /// [`ResultsError`]: the file cannot be read, is damaged, or is of another program.
    pub fn read(self, folder: &Path) -> Result<Option<Value>, ResultsError> {
        let (file, key, what) = self.signs();
        let path = folder.join(file);
        let bytes = match read_regular(&path, self.max_bytes()) {
            Ok(bytes) => bytes,
            Err(err) if is_absence(err.kind()) => return Ok(None),
            Err(source) => return Err(ResultsError::Read { path, source }),
        };
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(json) if json.pointer(key).is_some() => Ok(Some(json)),
            Ok(json) => Err(ResultsError::Foreign {
                path,
                what,
                key,
                is_similar: json.pointer(self.other_key()).is_some(),
            }),
            Err(source) => Err(ResultsError::Json { path, source }),
        }
    }
}

fn is_absence(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The results of a command in `out`, in words, unless they are in one of the files `ours`.
pub(crate) fn foreign_results(out: &Path, ours: &[&str]) -> Option<&'static str> {
    let mut foreign = ResultsKind::ALL
        .into_iter()
        .filter(|kind| !ours.contains(&kind.file()) && matches!(kind.read(out), Ok(Some(_))));
    Some(foreign.next()?.what())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_manifest_as_large_as_a_data_set_can_have_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let long = " ".repeat(70 << 20);
        let text = format!("{{\"clips_xxh64\": \"0\"{long}}}");
        fs::write(dir.path().join(MANIFEST_FILE), &text).unwrap();
        assert!(ResultsKind::Pairs.read(dir.path()).unwrap().is_some());
        let text = text.replace("clips_xxh64", "program_version");
        fs::write(dir.path().join("probe.json"), text).unwrap();
        assert!(ResultsKind::Probe.read(dir.path()).is_err());
    }

    #[test]
    fn a_missing_a_cut_and_a_strange_file_of_results_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            fs::write(dir.path().join("run.json"), text).unwrap();
            ResultsKind::Training.read(dir.path())
        };
        assert!(ResultsKind::Training.read(dir.path()).unwrap().is_none());
        assert!(read(r#"{"dataset_xxh64": "0"}"#).unwrap().is_some());
        let cut = read(r#"{"dataset_xxh64": "#).unwrap_err();
        assert!(matches!(cut, ResultsError::Json { .. }), "{cut}");
        let strange = read("{}").unwrap_err();
        let is_similar = |err| match err {
            ResultsError::Foreign { is_similar, .. } => is_similar,
            err => panic!("{err}"),
        };
        assert!(!is_similar(strange));
        assert!(is_similar(read(r#"{"training": {}}"#).unwrap_err()));
        assert_eq!(foreign_results(dir.path(), &[]), None);
    }
}
