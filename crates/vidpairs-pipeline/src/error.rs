//! Defines the errors of pipeline files.

use std::fmt;
use std::path::PathBuf;

/// Location of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A line of the pipeline file.
    Line {
        /// The file, as the user named it.
        file: String,
        /// Line number, from 1.
        line: usize,
    },
    /// The pipeline file, without a line.
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

/// Reason why a pipeline cannot be run. Stop before any work: the user must change the file or the overrides.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The file does not exist or cannot be read.
    #[error("cannot read the pipeline {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The file is far too large for a pipeline; most likely it is the wrong file.
    #[error("{} is above {max_bytes} bytes; expected a pipeline, a TOML file of a few kilobytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Size limit, bytes.
        max_bytes: u64,
    },
    /// The file is not UTF-8, as TOML requires.
    #[error("{place}: the bytes here are not UTF-8; expected a TOML file")]
    NotUtf8 {
        /// Line of the first invalid byte.
        place: Place,
    },
    /// The text is not TOML.
    #[error("{place}: {problem}, at `{text}`")]
    Syntax {
        /// Line of the error.
        place: Place,
        /// Message of the TOML parser.
        problem: String,
        /// Text of the line, shortened.
        text: String,
    },
    /// An override lacks a key or a value.
    #[error("--set {text}: expected table.key=value, such as pairs.k=30")]
    Override {
        /// The override, shortened.
        text: String,
    },
    /// No table has this name.
    #[error("{place}: unknown table [{table}]; {hint}")]
    UnknownTable {
        /// Location of the table.
        place: Place,
        /// Name of the table.
        table: String,
        /// Similar name, or all names.
        hint: String,
    },
    /// The table has no such key.
    #[error("{place}: unknown key {key}; {hint}")]
    UnknownKey {
        /// Location of the key.
        place: Place,
        /// Key with its table, such as `pairs.per_vidoe`.
        key: String,
        /// Similar name, or all names.
        hint: String,
    },
    /// The value has the wrong type, is out of range or conflicts with another key.
    #[error("{place}: {key} is {value}; expected {expected}")]
    Refused {
        /// Location of the value.
        place: Place,
        /// Key with its table, such as `pairs.k`.
        key: String,
        /// Value as written, shortened.
        value: String,
        /// Accepted values, and a hint.
        expected: String,
    },
    /// A required key is missing.
    #[error("{place}: {key} is missing; expected in table [{table}]: {expected}")]
    Missing {
        /// The file.
        place: Place,
        /// Key with its table, such as `pairs.kind`.
        key: String,
        /// Table of the key.
        table: &'static str,
        /// Accepted values.
        expected: String,
    },
}

/// `text` on one line, without control characters, at most 60 characters long.
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
