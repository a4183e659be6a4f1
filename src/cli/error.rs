//! Errors of the command line, and their exit codes.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::io::Errno;
use vidpairs_pipeline::PipelineError;
use vidpairs_run::RunError;
use vidpairs_types::{printable_lines, with_causes};

use super::neighbour::HandoverError;
use crate::experiment::ExperimentError;
use crate::export::ExportError;
use crate::report::PageError;

/// Longest error message.
const MAX_LINES: usize = 60;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The pipeline file or an override is invalid.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The command failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The results of an experiment could not be read.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A page could not be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The pairs are stored, but more clips were refused than allowed.
    #[error(
        "{refused} of {clips} clips were refused, more than extract.max_refused = {limit} allows; \
         {} lists them with the reasons", .list.display()
    )]
    TooManyRefused {
        /// Refused clips.
        refused: u64,
        /// Clips of the source.
        clips: u64,
        /// Value of `extract.max_refused`.
        limit: String,
        /// Path of `refused.jsonl`.
        list: PathBuf,
    },
    /// The scores are stored, but too many sequences were refused.
    #[error(
        "{refused} of {sequences} sequences were refused, more than a tenth; {} lists them with the \
         reasons", .list.display()
    )]
    TooManySequencesRefused {
        /// Refused sequences.
        refused: u64,
        /// Sequences of all data sets.
        sequences: u64,
        /// Path of `refused.jsonl`.
        list: PathBuf,
    },
    /// The value of an option is invalid.
    #[error("{option} is {value}; expected {expected}")]
    Option {
        /// Name of the option, such as `--size`.
        option: &'static str,
        /// Value given.
        value: String,
        /// Accepted values.
        expected: String,
    },
    /// A variable of a scheduler is not set, or is no number.
    #[cfg(feature = "video")]
    #[error("{name} is {value}; expected a number: {help}")]
    Variable {
        /// Name of the variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// Who sets it.
        help: String,
    },
    /// The option does not apply to this kind of data set.
    #[error("{option} applies to {kinds}, not to {kind}")]
    ForeignOption {
        /// Name of the option.
        option: &'static str,
        /// Kinds to which the option applies.
        kinds: &'static str,
        /// Kind given.
        kind: &'static str,
    },
    /// No 3-D objects were given, and none were downloaded.
    #[error(
        "there are no 3-D objects in {}; download some with scripts/fetch-objects.sh, or give your own with --objects",
        .0.display()
    )]
    NoObjects(PathBuf),
    /// The result could not be printed.
    #[error("cannot write to stdout")]
    Stdout(#[source] io::Error),
    /// The limit of open files is too low for the workers.
    #[error(
        "{workers} worker threads need {needed} open files, and the limit (ulimit -n) is {limit}: raise it, or use fewer \
         threads with --workers"
    )]
    OpenFiles {
        /// Number of workers.
        workers: usize,
        /// Files that they open.
        needed: u64,
        /// Limit of the process.
        limit: u64,
    },
    /// The program has a bug.
    #[error("internal error, please report it: {0}")]
    Bug(String),
    /// Signals cannot be caught.
    #[error("cannot catch Ctrl-C")]
    Signals(#[source] ctrlc::Error),
    /// The weights could not be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The command could not be handed to the program that has its library.
    #[error(transparent)]
    Handover(#[from] HandoverError),
}

impl CliError {
    /// 130 if the user stopped the command, 1 if too many inputs were refused, else 2.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Run(RunError::Interrupted { .. } | RunError::Stopped) => ExitCode::from(130),
            Self::TooManyRefused { .. } | Self::TooManySequencesRefused { .. } => ExitCode::from(1),
            _ => ExitCode::from(2),
        }
    }

    /// The message for a terminal, in one line unless a part of it is text of several: the error, its causes, and what to do where a limit
    /// of the system is the cause. Text of strangers in it is [`printable_lines`].
    pub fn text(&self) -> String {
        let mut text = format!("vidpairs: {}", with_causes(self));
        if let Some(advice) = advice(self) {
            text.push_str("; ");
            text.push_str(advice);
        }
        let lines: Vec<&str> = text.lines().collect();
        let (head, tail) = match lines.len() > MAX_LINES {
            true => lines.split_at(MAX_LINES),
            false => (lines.as_slice(), [].as_slice()),
        };
        // Indented, so that no file name can look like a message of its own.
        let mut text = head.join("\n  ");
        if !tail.is_empty() {
            text.push_str(&format!("\n  [... {} more lines ...]", tail.len()));
        }
        printable_lines(&text).into_owned()
    }
}

/// What to do about a limit of the system that caused an error.
fn advice(err: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(err);
    while let Some(err) = cause {
        let of_system = err.downcast_ref::<io::Error>();
        let advice = match of_system.and_then(Errno::from_io_error) {
            Some(Errno::MFILE | Errno::NFILE) => Some(
                "too many files are open: raise the limit (ulimit -n), or use fewer threads with --workers",
            ),
            Some(Errno::FBIG) => Some(
                "the file would be larger than the limit (ulimit -f) or the file system allows: raise the limit, or choose \
                 another disk, and run the same command again",
            ),
            _ => None,
        };
        if advice.is_some() {
            return advice;
        }
        cause = err.source();
    }
    None
}
