//! Why a command of this crate failed, beyond what every command shares ([`RunError`]).

use std::path::PathBuf;

use vidpairs_run::RunError;
use vidpairs_source::SourceError;

use crate::propose::ProposeError;
use crate::track::TrackError;

/// Why `vidpairs extract` failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The source cannot be listed.
    #[error("cannot list the source")]
    Source(#[from] SourceError),
    /// The pipeline names a proposal method that this program lacks.
    #[error(transparent)]
    Proposer(#[from] ProposeError),
    /// The pipeline names a tracker that this program lacks.
    #[error(transparent)]
    Tracker(#[from] TrackError),
    /// The clips are not those of the stopped or finished run in the folder.
    #[error(
        "the source changed since the run in {} began: {then} clips then, {now} now, or other names; \
         restore it, or choose another folder for --out", .out.display()
    )]
    SourceChanged {
        /// The output folder.
        out: PathBuf,
        /// Number of clips when the run began.
        then: u64,
        /// Number of clips found now.
        now: u64,
    },
    /// `--retry-refused` on a run that has not ended.
    #[error(
        "there is no finished run in {}: run the same command without --retry-refused first", .out.display()
    )]
    NotEnded {
        /// The output folder.
        out: PathBuf,
    },
}

/// Why `vidpairs track` failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackRunError {
    /// The data cannot be listed.
    #[error("cannot list the source")]
    Source(#[from] SourceError),
    /// A tracker that this program lacks.
    #[error(transparent)]
    Tracker(#[from] TrackError),
    /// No sequence matches.
    #[error("no sequence is called {patterns}; without --sequences all are taken")]
    NoSequence {
        /// As they were given.
        patterns: String,
    },
    /// Nothing could be tracked.
    #[error(
        "none of the {num_sequences} sequences could be tracked; the first, {sequence}: {reason}"
    )]
    NothingTracked {
        /// Number of sequences tried.
        num_sequences: u64,
        /// The first of them.
        sequence: String,
        /// Why it failed.
        reason: String,
    },
}

impl From<ExtractError> for RunError {
    fn from(error: ExtractError) -> Self {
        Self::of(error)
    }
}

impl From<TrackRunError> for RunError {
    fn from(error: TrackRunError) -> Self {
        Self::of(error)
    }
}
