//! Errors of the command line, and their exit codes.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use vidpairs_pipeline::PipelineError;
use vidpairs_run::RunError;

use super::neighbour::HandoverError;
use crate::export::ExportError;
use crate::report::PageError;

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
}
