//! Why a command of this crate failed, beyond what every command shares ([`RunError`]).

use std::io;
use std::path::{Path, PathBuf};

use vidpairs_run::RunError;
use vidpairs_source::SourceError;
use vidpairs_store::StoreError;

use crate::propose::ProposeError;
use crate::track::TrackError;

/// Why `vidpairs extract` failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The source cannot be listed.
    #[error("cannot list the source")]
    Source(#[from] SourceError),
    /// The source is in an object store that does not give what is needed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of the output folder ignores conditions of writes.
    #[error(
        "the store of {url} ignores conditional writes (If-None-Match), so two processes could write there at once: use another store \
         for --out, or a folder"
    )]
    Unconditional {
        /// URL of the output folder.
        url: String,
    },
    /// The hold on an output folder in a store is lost.
    #[error(
        "another vidpairs is writing to {url}, or may be: this one could not renew its hold ({reason}); if `vidpairs status` shows no other, \
         run the same command again: it resumes"
    )]
    LeaseLost {
        /// URL of the output folder.
        url: String,
        /// What happened to the last renewal.
        reason: String,
    },
    /// An object is not in the store as it was written.
    #[error(
        "{url} is not as it was written: {problem}; was it changed by somebody else? Run the same command again: it makes it anew"
    )]
    NotStored {
        /// URL of the object.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A clip cannot be stored in the scratch folder. The cause is part of the text: it says nothing about the disk of the output.
    #[error(
        "cannot write to the scratch folder {}: {reason}; {advice}choose another folder with --scratch, and run the same command again: it resumes", .folder.display()
    )]
    Scratch {
        /// The folder.
        folder: PathBuf,
        /// Error of the operating system.
        reason: String,
        /// What else may help: empty, or `free some space there, or `.
        advice: &'static str,
    },
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
    /// The folder holds a run in parts, and no part was named.
    #[error(
        "{} holds a run in {of} parts: name one with --part I/{of}, or choose another folder for --out", .out.display()
    )]
    InParts {
        /// The output folder.
        out: PathBuf,
        /// Number of parts.
        of: u32,
    },
    /// The folder holds a run without parts, and a part was named.
    #[error(
        "{} holds an unfinished run without parts: resume it without --part, or choose another folder for --out", .out.display()
    )]
    WithoutParts {
        /// The output folder.
        out: PathBuf,
    },
    /// The folder holds a run in another number of parts.
    #[error(
        "{} holds a run in {then} parts, not in {now}: name one of {then} parts, or choose another folder for --out", .out.display()
    )]
    OtherNumberOfParts {
        /// The output folder.
        out: PathBuf,
        /// Number of parts of the run.
        then: u32,
        /// Number of parts that was given.
        now: u32,
    },
    /// The folder of a part holds another part.
    #[error("{} holds {theirs}, not {ours}: was it renamed or copied? Move it back, or away", .out.display())]
    OtherPart {
        /// The folder.
        out: PathBuf,
        /// What it holds.
        theirs: String,
        /// What was asked for.
        ours: String,
    },
    /// The folder of a part cannot be resumed.
    #[error("{} is the folder of a part, and cannot be resumed: {problem}; move it away, then run the part again", .out.display())]
    DamagedPart {
        /// The folder.
        out: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The parts were begun with another list of clips.
    #[error(
        "the run in {} was begun with another list of clips, or without one: use the --source of then, the same for every part, or choose another folder for --out", .out.display()
    )]
    ListChanged {
        /// The output folder.
        out: PathBuf,
    },
    /// The shards of a resharded data set are not those of an extraction.
    #[error("{} was made by vidpairs reshard, and a retry adds shards to what extract wrote: use --retry-refused on the data set that it was made from, then reshard again", .out.display())]
    Resharded {
        /// The output folder.
        out: PathBuf,
    },
    /// The pairs of this run cannot be divided over a number of shards.
    #[error("shards.count is {count}, which divides no pairs {cause}")]
    NotDivisible {
        /// Number of shards.
        count: u32,
        /// Which pairs, and what to do.
        cause: &'static str,
    },
    /// A list of clips is damaged.
    #[error("{} line {line}: {reason}", .path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The list to be written is there already.
    #[error("{} exists already: name another file with --out, or remove it", .path.display())]
    ListExists {
        /// The list.
        path: PathBuf,
    },
    /// The list of clips was made for another source than that of the pipeline.
    #[error(
        "the list {} was made with {key} = {list}, and the pipeline has {pipeline}: make the list with this pipeline", .path.display()
    )]
    ListOfOtherSource {
        /// The list.
        path: PathBuf,
        /// Key of the pipeline.
        key: &'static str,
        /// Value when the list was made.
        list: String,
        /// Value of the pipeline.
        pipeline: String,
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

impl ExtractError {
    /// The output folder that the text names.
    pub(super) fn out_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::SourceChanged { out, .. }
            | Self::InParts { out, .. }
            | Self::WithoutParts { out }
            | Self::OtherNumberOfParts { out, .. }
            | Self::OtherPart { out, .. }
            | Self::DamagedPart { out, .. }
            | Self::ListChanged { out }
            | Self::NotEnded { out } => Some(out),
            _ => None,
        }
    }

    /// An error of the operating system in the scratch folder `folder`.
    pub(super) fn scratch(folder: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let folder = folder.to_owned();
        move |err| Self::Scratch {
            folder,
            reason: err.to_string(),
            advice: match err.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some space there, lower --scratch-bytes, or "
                }
                _ => "",
            },
        }
    }
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
