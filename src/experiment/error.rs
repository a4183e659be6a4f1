//! Why an experiment could not be read.

use std::io;
use std::path::PathBuf;

use vidpairs_run::ResultsKind;

/// Most notes quoted in a message.
const MAX_QUOTED: usize = 3;

/// Why an experiment could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// The folder does not exist. Check the path.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The path is a file. Name its folder.
    #[error("{} is not a folder; name a folder of results", .0.display())]
    NotAFolder(PathBuf),
    /// The folder cannot be listed. Check its permissions.
    #[error("cannot list {}", .path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// None of the folders has results that can be read. Name others.
    #[error(
        "no results in {dirs}{problems}; looked for {files} there and up to {} folders further down",
        super::find::MAX_DEPTH
    )]
    Nothing {
        /// The folders.
        dirs: String,
        /// Results that could not be read; empty if there are none.
        problems: String,
        /// Names of the files that describe results.
        files: String,
    },
    /// The user stopped the command.
    #[error("interrupted")]
    Stopped,
}

impl ExperimentError {
    pub(super) fn nothing(dirs: &[PathBuf], notes: &[(String, String)]) -> Self {
        let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
        let quoted: Vec<&str> = (notes.iter().take(MAX_QUOTED))
            .map(|(_, text)| text.as_str())
            .collect();
        Self::Nothing {
            dirs: dirs.join(", "),
            problems: match quoted.is_empty() {
                true => String::new(),
                false => format!(" that can be read ({})", quoted.join("; ")),
            },
            files: ResultsKind::ALL.map(ResultsKind::file).join(", "),
        }
    }
}
