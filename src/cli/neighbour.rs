//! Hands a command over to the neighbour program that has the library it needs.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::fmt::{self, Display, Formatter};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{AccessFlags, access, execve};

use super::versions;

/// Environment variable of a hand-over: the program that takes over, the version of the one that started it, the process id, which
/// `exec` keeps and a program started later does not have, and the number of hand-overs so far.
const HANDED_TO: &str = "VIDPAIRS_HANDED_TO";
/// Most hand-overs within each other. A script with the name of a neighbour that starts `vidpairs` would otherwise go on for ever.
const MAX_HANDOVERS: u32 = 4;
/// Most links that are followed, as in Linux.
const MAX_LINKS: usize = 40;

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
        "{task} needs {library}, but the program named {name} is not linked with it, or starts vidpairs again; in the \
         source folder, `cargo build --release -p {name}` builds the right one"
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
    /// The current folder was deleted. libtorch does not load in such a folder.
    #[error("{task} cannot run here: the current folder no longer exists; change to another one")]
    NoFolder {
        /// The command, and why it needs the neighbour.
        task: String,
        /// The error of the operating system.
        #[source]
        source: io::Error,
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

    /// Path of the program: beside this one, beside a link to this one, else the first in PATH.
    pub fn find(self) -> Option<PathBuf> {
        let beside = places_of_this().into_iter();
        let beside = beside.filter_map(|place| Some(place.parent()?.to_owned()));
        beside
            .chain(folders_in_path())
            .map(|folder| folder.join(self.name()))
            .find(|program| can_run(program))
    }

    /// Replaces this process by the neighbour, with the same arguments. Process id, streams and exit code stay those of the command.
    ///
    /// - `task`: the command, and why it needs the neighbour, for the error.
    ///
    /// # Errors
    /// [`HandoverError`]. On success it does not return.
    pub fn take_over(self, args: &[OsString], task: &str) -> Result<Infallible, HandoverError> {
        let (name, task) = (self.name(), task.to_owned());
        let before = Handover::before();
        let num_before = before.as_ref().map_or(0, |before| before.number);
        let is_back = (before.iter()).any(|before| before.is_to_this() && before.program == name);
        if is_back || num_before >= MAX_HANDOVERS {
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
        env::current_dir().map_err(|source| HandoverError::NoFolder { task, source })?;
        let handover = Handover {
            program: name.to_owned(),
            version: versions::short().to_owned(),
            process: process::id().to_string(),
            number: num_before + 1,
        };
        let source = replace_process(&program, args, &handover);
        Err(HandoverError::Start { program, source })
    }
}

/// Paths under which this program is known: the file itself, the name it was started by, and each link in between.
fn places_of_this() -> Vec<PathBuf> {
    // Without /proc, the first is missing.
    let mut places: Vec<PathBuf> = env::current_exe().into_iter().collect();
    let name = PathBuf::from(env::args_os().next().unwrap_or_default());
    let is_path = name.components().count() > 1 || name.has_root();
    let mut link = match is_path {
        true => Some(name),
        false => folders_in_path()
            .map(|folder| folder.join(&name))
            .find(|program| can_run(program)),
    };
    while let Some(place) = link.filter(|_| places.len() < MAX_LINKS) {
        let target = fs::read_link(&place).ok();
        // `join` keeps an absolute target as it is.
        link = target.map(|target| place.with_file_name("").join(target));
        places.push(place);
    }
    places
}

fn folders_in_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    (folders.into_iter()).filter(|folder| !folder.as_os_str().is_empty())
}

/// Whether this user may run `program`.
fn can_run(program: &Path) -> bool {
    program.is_file() && access(program, AccessFlags::X_OK).is_ok()
}

/// Replaces this process by `program`; returns the reason if that fails. Unlike `CommandExt::exec`, it never lets the shell run a file
/// that the system refuses: an empty file would be a script that succeeds.
fn replace_process(program: &Path, args: &[OsString], handover: &Handover) -> io::Error {
    let texts = |texts: &mut dyn Iterator<Item = OsString>| {
        texts
            .map(|text| CString::new(text.into_vec()))
            .collect::<Result<Vec<_>, _>>()
    };
    let name = program.as_os_str().to_owned();
    let variables = env::vars_os().filter(|(key, _)| key != HANDED_TO);
    let variables = variables.map(|(mut key, value)| {
        key.push("=");
        key.push(value);
        key
    });
    let handed_to = OsString::from(format!("{HANDED_TO}={handover}"));
    let path = CString::new(name.clone().into_vec());
    let args = texts(&mut std::iter::once(name).chain(args.iter().skip(1).cloned()));
    let variables = texts(&mut variables.chain([handed_to]));
    let (path, args, variables) = match (path, args, variables) {
        (Ok(path), Ok(args), Ok(variables)) => (path, args, variables),
        _ => return io::ErrorKind::InvalidInput.into(),
    };
    // Rust ignores SIGPIPE, and a program that is not Rust would inherit that.
    // SAFETY: the default action is no function of this process.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    let Err(err) = execve(&path, &args, &variables);
    // SAFETY: ignoring a signal is no function of this process.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    err.into()
}

/// Fails if a vidpairs of another version handed the command to this program.
///
/// # Errors
/// [`HandoverError::OtherVersion`].
pub(super) fn same_version() -> Result<(), HandoverError> {
    let ours = versions::short();
    match Handover::before().filter(Handover::is_to_this) {
        Some(before) if before.version != ours => Err(HandoverError::OtherVersion {
            name: before.program,
            theirs: before.version,
            ours,
        }),
        _ => Ok(()),
    }
}

/// A hand-over, as [`HANDED_TO`] states it.
struct Handover {
    /// Name of the program that takes over.
    program: String,
    /// Version of the program that handed over.
    version: String,
    /// Process id, which stays the same.
    process: String,
    /// Number of hand-overs in the programs that started each other.
    number: u32,
}

impl Handover {
    /// The hand-over to this process, or to one that started it; `None` if there was none.
    fn before() -> Option<Self> {
        let value = env::var(HANDED_TO).ok()?;
        let mut words = value.split(' ');
        let mut word = || words.next().map(str::to_owned);
        Some(Self {
            program: word()?,
            version: word()?,
            process: word()?,
            number: word().and_then(|number| number.parse().ok()).unwrap_or(1),
        })
    }

    /// Whether the command was handed to this process.
    fn is_to_this(&self) -> bool {
        self.process == process::id().to_string()
    }
}

impl Display for Handover {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            version,
            process,
            number,
        } = self;
        write!(f, "{program} {version} {process} {number}")
    }
}
