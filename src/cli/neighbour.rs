//! Hands a command over to the neighbour program that has the library it needs.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::{env, io};

use super::versions;

/// Environment variable of a hand-over: the program that takes over, the version of the one that started it, and the process id, which
/// `exec` keeps and a program started later does not have.
const HANDED_TO: &str = "VIDPAIRS_HANDED_TO";

/// A program with the same command line and other libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// `vidpairs`: FFmpeg.
    Video,
    /// `vidpairs-torch`: libtorch.
    Torch,
    /// `vidpairs-opencv`: FFmpeg and OpenCV.
    Opencv,
}

/// Why a command could not be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// The neighbour is not installed.
    #[error(
        "{task} needs the program {name}, which is neither beside this program nor in PATH; in the source folder, \
         `cargo build --release -p {name}` builds it (docs/INSTALL.md)"
    )]
    Missing {
        /// The command, and why it needs the neighbour.
        task: String,
        /// The neighbour.
        name: &'static str,
    },
    /// The neighbour lacks its library: another program has its name.
    #[error(
        "{task} needs {library}, but the program named {name} is not linked with it; in the source folder, \
         `cargo build --release -p {name}` builds the right one"
    )]
    NotItself {
        /// The command, and why it needs the neighbour.
        task: String,
        /// The neighbour.
        name: &'static str,
        /// Library of the neighbour.
        library: &'static str,
    },
    /// The program that handed over is of another version.
    #[error(
        "vidpairs {theirs} handed the command to {name} {ours}: build both from the same source, with \
         `cargo build --release`"
    )]
    OtherVersion {
        /// This program.
        name: String,
        /// Version of the program that handed over.
        theirs: String,
        /// Version of this program.
        ours: &'static str,
    },
    /// The pipeline can be read only once.
    #[error(
        "{task} runs in {name}, which reads the pipeline again, but {} is not a regular file: write the pipeline to a \
         file", .pipeline.display()
    )]
    Stream {
        /// The command, and why it needs the neighbour.
        task: String,
        /// The neighbour.
        name: &'static str,
        /// Path of the pipeline.
        pipeline: PathBuf,
    },
    /// The neighbour could not be started.
    #[error("cannot start {}", .program.display())]
    Start {
        /// Its path.
        program: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

impl Neighbour {
    /// All neighbours.
    pub const ALL: [Self; 3] = [Self::Video, Self::Torch, Self::Opencv];

    /// Name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Video => "vidpairs",
            Self::Torch => "vidpairs-torch",
            Self::Opencv => "vidpairs-opencv",
        }
    }

    fn library(self) -> &'static str {
        match self {
            Self::Video => "FFmpeg",
            Self::Torch => "libtorch",
            Self::Opencv => "OpenCV",
        }
    }

    /// Path of the program: beside this one, else the first in PATH.
    pub fn find(self) -> Option<PathBuf> {
        let this = env::current_exe().ok();
        let beside = this.as_deref().and_then(Path::parent).map(Path::to_owned);
        let path = env::var_os("PATH").unwrap_or_default();
        let is_named = |folder: &PathBuf| !folder.as_os_str().is_empty();
        let in_path = env::split_paths(&path).filter(is_named);
        let can_run = |found: Metadata| found.is_file() && found.permissions().mode() & 0o111 != 0;
        let programs = beside.into_iter().chain(in_path);
        programs
            .map(|folder| folder.join(self.name()))
            .find(|program| program.metadata().is_ok_and(can_run))
    }

    /// Replaces this process by the neighbour, with the same arguments. Process id, streams and exit code stay those of the command.
    ///
    /// - `task`: the command, and why it needs the neighbour, for the error.
    ///
    /// # Errors
    /// [`HandoverError`]. On success it does not return.
    pub fn take_over(self, args: &[OsString], task: &str) -> Result<Infallible, HandoverError> {
        let (name, task) = (self.name(), task.to_owned());
        if handed_over().is_some_and(|(handed_to, _)| handed_to == name) {
            let library = self.library();
            return Err(HandoverError::NotItself {
                task,
                name,
                library,
            });
        }
        let Some(program) = self.find() else {
            return Err(HandoverError::Missing { task, name });
        };
        let mut command = Command::new(&program);
        let source = command
            .args(args.iter().skip(1))
            .env(
                HANDED_TO,
                format!("{name} {} {}", versions::short(), process::id()),
            )
            .exec();
        Err(HandoverError::Start { program, source })
    }
}

/// Fails if a vidpairs of another version handed the command to this program.
///
/// # Errors
/// [`HandoverError::OtherVersion`].
pub(super) fn same_version() -> Result<(), HandoverError> {
    let ours = versions::short();
    match handed_over() {
        Some((name, theirs)) if theirs != ours => {
            Err(HandoverError::OtherVersion { name, theirs, ours })
        }
        _ => Ok(()),
    }
}

/// Name of this program, and version of the one that handed the command to it; `None` if this process was started otherwise.
fn handed_over() -> Option<(String, String)> {
    let value = env::var(HANDED_TO).ok()?;
    let mut words = value.split(' ').map(str::to_owned);
    let (name, version) = (words.next()?, words.next()?);
    (words.next()? == process::id().to_string()).then_some((name, version))
}
