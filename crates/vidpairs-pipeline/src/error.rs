//! Why a pipeline was refused.

use std::fmt;
use std::path::PathBuf;

/// Where a setting, or what should have been one, stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A line of the pipeline file.
    Line {
        /// The file, as the user named it.
        file: String,
        /// From 1.
        line: usize,
    },
    /// The pipeline file, no line of it.
    File(String),
    /// An override on the command line.
    Override,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file} line {line}"),
            Self::File(file) => f.write_str(file),
            Self::Override => f.write_str("--set"),
        }
    }
}

/// Why a pipeline cannot be run. In each case: stop before any work, the user changes the file or
/// the overrides.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The file is missing, or the system does not let us read it.
    #[error("cannot read the pipeline {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is far too large to be a pipeline: most likely another file was meant.
    #[error("{} is above {max_bytes} bytes; expected a pipeline, a TOML file of a few kilobytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most we read.
        max_bytes: u64,
    },
    /// TOML is UTF-8, and the file is not.
    #[error("{place}: the bytes here are not UTF-8; expected a TOML file")]
    NotUtf8 {
        /// The line of the first wrong byte.
        place: Place,
    },
    /// The text is not TOML.
    #[error("{place}: {what}, at `{text}`")]
    Syntax {
        /// The line.
        place: Place,
        /// What the TOML parser said.
        what: String,
        /// The line's text, shortened.
        text: String,
    },
    /// An override without a key or without a value.
    #[error("--set {text}: expected table.key=value, such as pairs.k=30")]
    Override {
        /// What stood after `--set`, shortened.
        text: String,
    },
    /// No table has this name.
    #[error("{place}: unknown table [{table}]; {hint}")]
    UnknownTable {
        /// Where it begins.
        place: Place,
        /// Its name.
        table: String,
        /// The name that was meant, or the names there are.
        hint: String,
    },
    /// The table has no such key.
    #[error("{place}: unknown key {key}; {hint}")]
    UnknownKey {
        /// Where it stands.
        place: Place,
        /// With its table: `pairs.per_vidoe`.
        key: String,
        /// The name that was meant, or the names there are.
        hint: String,
    },
    /// The value is of the wrong type, out of range, or at odds with another key.
    #[error("{place}: {key} is {value}; expected {expected}")]
    Refused {
        /// Where it stands.
        place: Place,
        /// With its table: `pairs.k`.
        key: String,
        /// As written, shortened.
        value: String,
        /// What is accepted, and what may have been meant.
        expected: String,
    },
    /// A key without a default is not there.
    #[error("{place}: {key} is missing; expected in table [{table}]: {expected}")]
    Missing {
        /// The file.
        place: Place,
        /// With its table: `pairs.kind`.
        key: String,
        /// Its table.
        table: &'static str,
        /// What is accepted.
        expected: String,
    },
}

/// `text` on one line, free of control characters, cut to what a message can hold.
pub(super) fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut chars = words.join(" ").chars().collect::<Vec<_>>();
    if chars.len() > MAX_CHARS {
        chars.truncate(MAX_CHARS);
        chars.extend("...".chars());
    }
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    chars.into_iter().map(printable).collect()
}
