//! Why a command failed.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use vidpairs_shard::ShardError;

/// Why a command failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file of the run cannot be written or read.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// The operation that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The disk is full. Finished work stays, and the same command resumes from there.
    #[error(
        "the disk of {} is full; finished work is safe ({safe}); free some space and run the same command \
         again: it resumes from there", .out.display()
    )]
    DiskFull {
        /// The output folder.
        out: PathBuf,
        /// The finished work: `12 pairs`.
        safe: String,
        /// The error that reported the full disk.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The folder holds a run with other settings.
    #[error(
        "{} holds {what} with other settings ({difference}); choose another folder for --out, or use \
         those settings", .out.display()
    )]
    OtherRun {
        /// The output folder.
        out: PathBuf,
        /// What the folder holds: `pairs`, `a rendered set`.
        what: &'static str,
        /// The settings that differ, with both values.
        difference: String,
    },
    /// The folder holds a run of another version of this program.
    #[error(
        "the run in {} was started by vidpairs {theirs}, this is {ours}: use that version, or choose another folder \
         for --out", .out.display()
    )]
    OtherVersion {
        /// The output folder.
        out: PathBuf,
        /// Version that started the run.
        theirs: String,
        /// Version of this program.
        ours: String,
    },
    /// The folder holds a stopped run of another command.
    #[error(
        "{} holds an unfinished run that writes {theirs}, and this one writes {ours}; choose another folder for \
         --out", .out.display()
    )]
    OtherCommand {
        /// The output folder.
        out: PathBuf,
        /// What the stopped run writes.
        theirs: String,
        /// What this run writes.
        ours: &'static str,
    },
    /// The journal of a stopped run cannot be read.
    #[error(
        "the journal {} is damaged, or was written by another version of vidpairs: finish the run with that version, \
         or choose another folder for --out", .path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
    },
    /// The folder is in use.
    #[error("another vidpairs is writing to {}; wait for it, or choose another folder", .out.display())]
    InUse {
        /// The output folder.
        out: PathBuf,
    },
    /// The folder holds finished results of another command.
    #[error(
        "{} holds {theirs}, and another command's results do not go beside them; choose an empty or a new folder for \
         --out", .out.display()
    )]
    OtherResults {
        /// The output folder.
        out: PathBuf,
        /// The results.
        theirs: &'static str,
    },
    /// The folder holds files of somebody else.
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
    /// The output folder is not a folder.
    #[error("{} is not a folder; name a new or an empty one with --out", .0.display())]
    NotAFolder(PathBuf),
    /// The output folder is a URL.
    #[error("{} is a URL, and results are written to this machine: name a folder with --out, and copy it when it is complete", .0.display())]
    Url(PathBuf),
    /// The user stopped the run. Finished work stays, and the same command resumes from there.
    #[error(
        "interrupted; finished work is safe ({safe}) in {}, and the same command resumes from there", .out.display()
    )]
    Interrupted {
        /// The output folder.
        out: PathBuf,
        /// The finished work: `12 pairs`.
        safe: String,
    },
    /// The user stopped a command that writes nothing.
    #[error("interrupted")]
    Stopped,
    /// A part of the work was lost: it panicked, hung, or was given values that do not fit.
    #[error("{what} failed: {reason}")]
    Lost {
        /// The work.
        what: &'static str,
        /// The first loss.
        reason: String,
    },
    /// The machine ran out of file handles or memory. Finished work stays, and the same command resumes from there.
    #[error(
        "{} could not be read because this machine is short of a resource ({reason}), not because it is damaged; free \
         some, raise the limit (`ulimit -n` for open files) or use fewer --workers, and run the same command again: it \
         resumes from there", .path.display()
    )]
    Machine {
        /// The input that was read.
        path: PathBuf,
        /// Its error, with its causes.
        reason: String,
    },
    /// The source vanished during the run. Finished work stays, and the same command resumes from there.
    #[error(
        "{} was moved, removed or unmounted during the run; bring it back and run the same command again: it resumes \
         from there", .root.display()
    )]
    SourceGone {
        /// Folder of the clips.
        root: PathBuf,
    },
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// Too many threads hang inside a library on inputs that make no progress.
    #[error(
        "{num_threads} threads hang in a decoder and cannot be stopped. Take out the inputs that made no progress (-v names them), or \
         check the disk if it does not respond; then run the same command again"
    )]
    Hung {
        /// Threads that hang.
        num_threads: usize,
    },
    /// A shard, an index or the manifest cannot be written or read.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// The error of one command, from the crate that defines the command.
    #[error(transparent)]
    Command(Box<dyn Error + Send + Sync>),
}

impl RunError {
    /// Wraps the error of one command.
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Command(Box::new(error))
    }

    /// The command's own error, if it is an `E`.
    pub fn command<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Command(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// The output folder, or the journal in it, that the text names. Not that of a full disk: there it says which disk.
    pub fn out_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::OtherRun { out, .. }
            | Self::OtherVersion { out, .. }
            | Self::OtherCommand { out, .. }
            | Self::InUse { out }
            | Self::OtherResults { out, .. }
            | Self::NotOurs { out, .. }
            | Self::Interrupted { out, .. }
            | Self::Journal { path: out }
            | Self::NotAFolder(out) => Some(out),
            _ => None,
        }
    }

    /// Like [`command`](Self::command), to be changed.
    pub fn command_mut<E: Error + 'static>(&mut self) -> Option<&mut E> {
        match self {
            Self::Command(error) => error.downcast_mut(),
            _ => None,
        }
    }

    /// Becomes [`RunError::DiskFull`] if the error, or one of its causes, reports a full disk.
    ///
    /// - `safe`: the finished work in `out`: `12 pairs`.
    pub fn named_if_full(self, out: &Path, safe: &str) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&self);
        while let Some(found) = cause {
            let kind = match found.downcast_ref::<Self>() {
                // Transparent: its own text and causes are those of the error inside.
                Some(Self::Command(error)) => {
                    error.downcast_ref::<io::Error>().map(io::Error::kind)
                }
                _ => found.downcast_ref::<io::Error>().map(io::Error::kind),
            };
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
