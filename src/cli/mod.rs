//! The command line: flags to checked options, results to stdout, and the exit code.

mod args;
mod export;
mod inspect;
mod invariance;
mod neighbour;
mod signals;
#[cfg(feature = "video")]
mod synth;
#[cfg(feature = "video")]
mod synth_page;
#[cfg(feature = "video")]
mod track;
mod versions;

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use serde::Serialize;
use vidpairs_pipeline::{Pipeline, PipelineError};
use vidpairs_run::{Control, RunError, Verbosity};
use vidpairs_types::with_causes;

use self::args::{Cli, Command, Common, VerifyArgs};
use self::neighbour::Neighbour;
use crate::engines::{Engines, TrainRequest};
use crate::export::ExportError;
use crate::report::PageError;
use crate::verify;

pub use self::neighbour::HandoverError;

/// Why a command ended without its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The pipeline file or an override is refused.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The command failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A page could not be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// What could be made is stored, but more was refused than allowed.
    #[error(
        "{refused} of {clips} clips were refused, more than extract.max_refused = {limit} allows; \
         {} names each with its reason", .list.display()
    )]
    TooManyRefused {
        /// Clips refused.
        refused: u64,
        /// Clips of the source.
        clips: u64,
        /// The setting.
        limit: String,
        /// `refused.jsonl`.
        list: std::path::PathBuf,
    },
    /// The trackers' figures are stored, but too many sequences are not in them.
    #[error(
        "{refused} of {sequences} sequences were refused, more than a tenth; {} names each with its \
         reason", .list.display()
    )]
    TooManySequencesRefused {
        /// Sequences refused.
        refused: u64,
        /// Sequences of all data sets.
        sequences: u64,
        /// `refused.jsonl`.
        list: std::path::PathBuf,
    },
    /// An option is refused.
    #[error("{option} is {value}; expected {expected}")]
    Option {
        /// The option: `--size`.
        option: &'static str,
        /// As it was given.
        value: String,
        /// What would pass.
        expected: String,
    },
    /// An option that the kind of set does not have.
    #[error("{option} is for {kinds}, not for {kind}")]
    ForeignOption {
        /// The option.
        option: &'static str,
        /// Kinds that have it.
        kinds: &'static str,
        /// The kind that was asked for.
        kind: &'static str,
    },
    /// No objects were named, and none were fetched.
    #[error("no objects in {}; fetch some with scripts/fetch-objects.sh, or name yours with --objects", .0.display())]
    NoObjects(std::path::PathBuf),
    /// The result could not be printed.
    #[error("cannot write to stdout")]
    Stdout(#[source] io::Error),
    /// Signals cannot be caught.
    #[error("cannot catch Ctrl-C")]
    Signals(#[source] ctrlc::Error),
    /// The weights cannot be exported.
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

/// The whole program: runs the command line of this process, prints the error, gives the exit code.
pub fn main(engines: Engines) -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    match run(args, &engines) {
        Ok(code) => code,
        Err(err) => {
            // Where nobody reads stderr any more, the exit code must do.
            let _ = writeln!(io::stderr(), "vidpairs: {}", with_causes(&err));
            err.exit_code()
        }
    }
}

/// Parses `args` and runs the command. A command that needs a library which `engines` lacks is handed to the neighbour program
/// that has it; then this does not return.
///
/// Exit codes: 0 done, 1 too many inputs were refused, 2 failed or damage found, 130 interrupted.
///
/// # Errors
/// [`CliError`]; it has not been printed.
pub fn run(args: Vec<OsString>, engines: &Engines) -> Result<ExitCode, CliError> {
    let mut command = Cli::command().version(versions::short());
    if args.iter().any(|arg| arg == "--version") {
        // Neighbours are asked only where it is printed.
        command = command.long_version(versions::long(engines));
    }
    let matches = match command.try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(err) => {
            // Help and versions come this way too; clap knows where each belongs.
            let _ = err.print();
            return Ok(ExitCode::from(u8::try_from(err.exit_code()).unwrap_or(2)));
        }
    };
    let cli = match <Cli as clap::FromArgMatches>::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(err) => {
            let _ = err.print();
            return Ok(ExitCode::from(2));
        }
    };
    let program = Program {
        args: &args,
        engines,
    };
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new(); // clap panics where it cannot write
            clap_complete::generate(shell, &mut Cli::command(), "vidpairs", &mut script);
            printed(io::stdout().write_all(&script))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Libraries => {
            let lines = versions::libraries(engines);
            printed(writeln!(io::stdout(), "{}", lines.join("\n")))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Extract(args) => program.extract(args),
        Command::Train(args) => program.train(args),
        Command::Verify(args) => verify(&args),
        Command::Track(args) => program.track(&args),
        Command::Synth(args) => program.synth(&args),
        Command::Invariance(args) => invariance::invariance(&args, &program),
        Command::Export(args) => export::export(&args),
        Command::Inspect(args) => inspect::inspect(&args),
    }
}

/// This process: its command line, and the libraries it has.
struct Program<'a> {
    args: &'a [OsString],
    engines: &'a Engines,
}

impl Program<'_> {
    fn hand_to(&self, neighbour: Neighbour, task: &str) -> Result<Infallible, CliError> {
        Ok(neighbour.take_over(self.args, task)?)
    }

    fn train(&self, args: args::TrainArgs) -> Result<ExitCode, CliError> {
        let Some(libtorch) = self.engines.libtorch else {
            match self.hand_to(Neighbour::Torch, "vidpairs train")? {}
        };
        let request = TrainRequest {
            pipeline: Pipeline::read(&args.pipeline, &args.set)?,
            shards: args.shards,
            out: args.out,
            device: args.device,
            knn: args.knn,
            control: args.common.control()?,
        };
        let summary = libtorch.train(request)?;
        args.common.print(&summary)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(feature = "video")]
impl Program<'_> {
    fn extract(&self, args: args::ExtractArgs) -> Result<ExitCode, CliError> {
        let pipeline = Pipeline::read(&args.pipeline, &args.set)?;
        if self.engines.opencv.is_none()
            && let Some(regions) = pipeline.regions.filter(|it| it.need_opencv())
        {
            let (tracker, proposals) = (regions.tracker.name.name(), regions.proposals.kind.name());
            let task = format!(
                "vidpairs extract with tracker.name = \"{tracker}\" and proposals.kind = \"{proposals}\""
            );
            match self.hand_to(Neighbour::Opencv, &task)? {}
        }
        let options = vidpairs_extract::run::ExtractOptions {
            pipeline,
            source: args.source,
            out: args.out,
            retry_refused: args.retry_refused,
            opencv: self.engines.opencv,
            control: args.common.control()?,
        };
        let summary = vidpairs_extract::run::extract(&options)?;
        args.common.print(&summary)?;
        if summary.too_many_refused {
            return Err(CliError::TooManyRefused {
                refused: summary.refused,
                clips: summary.clips,
                limit: options.pipeline.extract.max_refused.to_string(),
                list: options.out.join("refused.jsonl"),
            });
        }
        Ok(ExitCode::SUCCESS)
    }

    fn track(&self, args: &args::TrackArgs) -> Result<ExitCode, CliError> {
        track::track(args, self)
    }

    fn synth(&self, args: &args::SynthArgs) -> Result<ExitCode, CliError> {
        synth::synth(args)
    }
}

#[cfg(not(feature = "video"))]
impl Program<'_> {
    fn extract(&self, _: args::ExtractArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs extract")? {}
    }

    fn track(&self, _: &args::TrackArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs track")? {}
    }

    fn synth(&self, _: &args::SynthArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs synth")? {}
    }
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, CliError> {
    let summary = verify::verify(&args.dir, &args.common.control()?)?;
    args.common.print(&summary)?;
    Ok(if summary.damage.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

impl Common {
    /// Threads, verbosity, and a wish to stop that Ctrl-C sets.
    fn control(&self) -> Result<Control, CliError> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Control {
            workers: self.workers.map_or_else(cores, usize::from),
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, true) => Verbosity::Verbose,
                (false, false) => Verbosity::Normal,
            },
            cancel: signals::cancel_on_signal()?,
        })
    }

    /// The result: one JSON object, or words unless all is to be quiet.
    fn print<S: Serialize + std::fmt::Display>(&self, result: &S) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        printed(if self.json {
            serde_json::to_string(result)
                .map_err(io::Error::other)
                .and_then(|json| writeln!(stdout, "{json}"))
        } else if self.quiet {
            Ok(())
        } else {
            writeln!(stdout, "{result}")
        })
    }
}

/// What writing to stdout gave, unless its reader left: whoever read us has seen enough then.
fn printed(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CliError::Stdout),
    }
}
