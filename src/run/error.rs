//! Why a command failed.

use std::error::Error;
use std::io;
use std::path::PathBuf;

#[cfg(feature = "train")]
use crate::model::weights::WeightsError;
use crate::shard::ShardError;
#[cfg(feature = "extract")]
use crate::source::SourceError;
#[cfg(feature = "synth")]
use crate::synth::backdrops::BackdropError;
#[cfg(feature = "synth")]
use crate::synth::catalog::CatalogError;
#[cfg(feature = "synth")]
use crate::synth::set::{ItemError, PlanError};
#[cfg(feature = "extract")]
use crate::track::TrackError;

/// Why a command failed. All are final: the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The source cannot be listed.
    #[cfg(feature = "extract")]
    #[error("cannot list the source")]
    Source(#[from] SourceError),
    /// The pipeline names a way of proposing that this program was built without.
    #[error(transparent)]
    Proposer(crate::propose::ProposeError),
    /// A shard, an index or the manifest cannot be written or read.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A file of the run cannot be written or read.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The disk filled up. What was written stays, and the same command goes on from there.
    #[error(
        "the disk of {} is full; what was done is safe ({safe}); make room and run the same command \
         again: it goes on from there", .out.display()
    )]
    DiskFull {
        /// The output folder.
        out: PathBuf,
        /// What is safe: `12 pairs`.
        safe: String,
        /// The system's word.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The folder holds the data of another pipeline.
    #[error(
        "{} holds pairs of another pipeline ({difference}); choose another folder for --out, or \
         go back to that pipeline", .out.display()
    )]
    OtherPipeline {
        /// The output folder.
        out: PathBuf,
        /// The first settings that differ, both values.
        difference: String,
    },
    /// The folder holds the stopped run of another version of this program.
    #[error(
        "the stopped run in {} was started by vidpairs {theirs}, this is {ours}: finish it with \
         that version, or choose another folder for --out", .out.display()
    )]
    OtherVersion {
        /// The output folder.
        out: PathBuf,
        /// Of the stopped run.
        theirs: String,
        /// Of this program.
        ours: String,
    },
    /// The clips are not those that the stopped run, or the finished one, was made from.
    #[error(
        "the source changed since {} was begun: {then} clips then, {now} now, or other names; \
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
    /// The folder is in use.
    #[error("another vidpairs is writing to {}; wait for it, or choose another folder", .out.display())]
    InUse {
        /// The output folder.
        out: PathBuf,
    },
    /// The folder holds files that are not ours.
    #[error(
        "{} is not empty and holds no run of vidpairs (found {found}); choose an empty or a new \
         folder for --out", .out.display()
    )]
    NotOurs {
        /// The output folder.
        out: PathBuf,
        /// A name in it.
        found: String,
    },
    /// `--retry-refused` on a run that has not ended.
    #[error(
        "the run in {} has not ended: run the same command without --retry-refused first", .out.display()
    )]
    NotEnded {
        /// The output folder.
        out: PathBuf,
    },
    /// Somebody asked to stop. What was written stays, and the same command goes on from there.
    #[error(
        "interrupted; what was done is safe ({safe}) in {}, and the same command goes on from there", .out.display()
    )]
    Interrupted {
        /// The output folder.
        out: PathBuf,
        /// What is safe: `12 pairs`.
        safe: String,
    },
    /// Invariances cannot be measured.
    #[error(transparent)]
    Invariance(Box<super::InvarianceError>),
    /// A part of a measurement was lost: it panicked, hung, or was given what does not fit.
    #[error("{what} failed: {reason}")]
    Measuring {
        /// What was measured.
        what: &'static str,
        /// The first loss.
        reason: String,
    },
    /// Somebody asked to stop a command that writes nothing.
    #[error("interrupted")]
    Stopped,
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// The objects cannot be listed.
    #[cfg(feature = "synth")]
    #[error("{0}")]
    Objects(#[source] Box<CatalogError>),
    /// The backgrounds cannot be listed.
    #[cfg(feature = "synth")]
    #[error("{0}")]
    Backdrops(#[source] Box<BackdropError>),
    /// There is nothing to render.
    #[cfg(feature = "synth")]
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An item of a rendered set cannot be written.
    #[cfg(feature = "synth")]
    #[error("cannot make {item}")]
    Item {
        /// The video or object.
        item: String,
        /// Why.
        #[source]
        source: Box<ItemError>,
    },
    /// What was named as the output folder is something else.
    #[error("{} is no folder; name a new or an empty one with --out", .0.display())]
    NotAFolder(PathBuf),
    /// The folder holds another rendered set.
    #[cfg(feature = "synth")]
    #[error(
        "{} holds a set that was rendered otherwise ({difference}); choose another folder for --out, \
         or go back to those options", .out.display()
    )]
    OtherSet {
        /// The output folder.
        out: PathBuf,
        /// The first setting that differs, both values.
        difference: String,
    },
    /// Nothing of a set could be made.
    #[cfg(feature = "synth")]
    #[error("none of the {num_items} items could be made; the first, {item}: {reason}")]
    NothingMade {
        /// Items tried.
        num_items: u64,
        /// The first of them.
        item: String,
        /// Why it could not be made.
        reason: String,
    },
    /// No sequence is left to track in.
    #[cfg(feature = "extract")]
    #[error("no sequence is called {patterns}; without --sequences all are taken")]
    NoSequence {
        /// As they were given.
        patterns: String,
    },
    /// A tracker that this program does not have.
    #[cfg(feature = "extract")]
    #[error(transparent)]
    Tracker(#[from] TrackError),
    /// The folder holds results of other trackers, other data or another build.
    #[cfg(feature = "extract")]
    #[error(
        "{} holds results of another run ({difference}); choose another folder for --out, or go \
         back to what made those", .out.display()
    )]
    OtherResults {
        /// The output folder.
        out: PathBuf,
        /// What differs, both values.
        difference: String,
    },
    /// Nothing could be tracked.
    #[cfg(feature = "extract")]
    #[error(
        "none of the {num_sequences} sequences could be tracked; the first, {sequence}: {reason}"
    )]
    NothingTracked {
        /// Sequences tried.
        num_sequences: u64,
        /// The first of them.
        sequence: String,
        /// Why it could not be.
        reason: String,
    },
    /// A file of weights cannot be read, understood or written.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The file to be written is there already.
    #[cfg(feature = "train")]
    #[error("{} exists; name another file with --out, or remove it first", .out.display())]
    OutExists {
        /// The file.
        out: PathBuf,
    },
    /// The program that the file is for would not read it under its name.
    #[cfg(feature = "train")]
    #[error("--out is {}; expected a name that ends in .{endings} for {to}", .out.display())]
    ExportName {
        /// The file.
        out: PathBuf,
        /// The program.
        to: &'static str,
        /// What would pass, but for the first dot.
        endings: String,
    },
    /// Training cannot begin or go on.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Train(Box<super::TrainError>),
    /// Features of images cannot be made.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Features(Box<super::FeatureError>),
    /// A record that does not exist was asked for.
    #[error("record {number} does not exist: the data set has {num_records} records, from 0")]
    NoRecord {
        /// Asked for.
        number: u64,
        /// Of the data set.
        num_records: u64,
    },
}

impl RunError {
    /// The same error, or [`RunError::DiskFull`] where the disk of `out` is; `safe` says
    /// what is safe there.
    pub(super) fn named_if_full(self, out: &std::path::Path, safe: &str) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&self);
        while let Some(found) = cause {
            let kind = found.downcast_ref::<io::Error>().map(io::Error::kind);
            if matches!(
                kind,
                Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            ) {
                return Self::DiskFull {
                    out: out.to_owned(),
                    safe: safe.to_owned(),
                    source: Box::new(self),
                };
            }
            cause = found.source();
        }
        self
    }
}

#[cfg(feature = "train")]
impl From<super::FeatureError> for RunError {
    fn from(error: super::FeatureError) -> Self {
        Self::Features(Box::new(error))
    }
}

#[cfg(feature = "train")]
impl From<super::TrainError> for RunError {
    fn from(error: super::TrainError) -> Self {
        Self::Train(Box::new(error))
    }
}

impl From<super::InvarianceError> for RunError {
    fn from(error: super::InvarianceError) -> Self {
        Self::Invariance(Box::new(error))
    }
}

impl From<super::ScoringError> for RunError {
    fn from(error: super::ScoringError) -> Self {
        match error {
            super::ScoringError::Stopped => Self::Stopped,
            super::ScoringError::Thread(source) => Self::Thread(source),
            other => Self::Measuring {
                what: "the score",
                reason: crate::types::with_causes(&other),
            },
        }
    }
}
