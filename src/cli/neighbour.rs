//! Hands a command over to the neighbour program that has the library it needs.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

/// Environment variable with the name of the program that takes over, which must not hand over again.
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
         `cargo build --release -p {name}` builds it"
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
        let folders = beside.into_iter().chain(env::split_paths(&path));
        folders
            .map(|folder| folder.join(self.name()))
            .find(|program| program.is_file())
    }

    /// Replaces this process by the neighbour, with the same arguments. Process id, streams and exit code stay those of the command.
    ///
    /// - `task`: the command, and why it needs the neighbour, for the error.
    ///
    /// # Errors
    /// [`HandoverError`]. On success it does not return.
    pub fn take_over(self, args: &[OsString], task: &str) -> Result<Infallible, HandoverError> {
        let (name, task) = (self.name(), task.to_owned());
        if env::var_os(HANDED_TO).as_deref() == Some(OsStr::new(name)) {
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
            .env(HANDED_TO, name)
            .exec();
        Err(HandoverError::Start { program, source })
    }
}
