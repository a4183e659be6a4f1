//! The command line: flags to checked options, results to stdout, and the exit code.

mod args;
#[cfg(feature = "train")]
mod export;
mod inspect;
mod invariance;
mod signals;
#[cfg(feature = "synth")]
mod synth;
#[cfg(feature = "synth")]
mod synth_page;
#[cfg(feature = "extract")]
mod track;
mod versions;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use serde::Serialize;

use self::args::{Cli, Command, Common, VerifyArgs};
use crate::parallel::Cancel;
use crate::pipeline::PipelineError;
use crate::report::PageError;
use crate::run::{self, RunError, Verbosity};

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
    /// This program was built without a part.
    #[error(
        "this vidpairs was built without feature `{feature}`; build it with --features {feature}"
    )]
    NotBuilt {
        /// The Cargo feature.
        feature: &'static str,
    },
}

impl CliError {
    /// 130 if somebody asked to stop, 1 if too many inputs were refused, else 2.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Run(RunError::Interrupted { .. } | RunError::Stopped) => ExitCode::from(130),
            Self::TooManyRefused { .. } | Self::TooManySequencesRefused { .. } => ExitCode::from(1),
            _ => ExitCode::from(2),
        }
    }
}

/// Parses `args` and does what they ask.
///
/// Exit codes: 0 done, 1 too many inputs were refused, 2 failed or damage found.
///
/// # Errors
/// [`CliError`]; nothing was printed of it yet.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<ExitCode, CliError> {
    let command = Cli::command()
        .long_version(versions::long())
        .version(versions::short());
    let matches = match command.try_get_matches_from(args) {
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
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new(); // clap panics where it cannot write
            clap_complete::generate(shell, &mut Cli::command(), "vidpairs", &mut script);
            printed(io::stdout().write_all(&script))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Extract(args) => extract(args, &signals::cancel_on_signal()?),
        Command::Train(args) => train(args, &signals::cancel_on_signal()?),
        Command::Verify(args) => verify(&args, &signals::cancel_on_signal()?),
        Command::Track(args) => track(&args, &signals::cancel_on_signal()?),
        Command::Synth(args) => synth(&args),
        Command::Invariance(args) => invariance::invariance(&args, &signals::cancel_on_signal()?),
        Command::Export(args) => export(&args),
        Command::Inspect(args) => inspect::inspect(&args, &signals::cancel_on_signal()?),
    }
}

#[cfg(feature = "extract")]
fn extract(args: args::ExtractArgs, cancel: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    let pipeline = crate::pipeline::Pipeline::read(&args.pipeline, &args.set)?;
    let options = run::ExtractOptions {
        pipeline,
        source: args.source,
        out: args.out,
        workers: args.common.workers(),
        retry_refused: args.retry_refused,
        verbosity: args.common.verbosity(),
        cancel: Arc::clone(cancel),
    };
    let summary = run::extract(&options)?;
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

#[cfg(not(feature = "extract"))]
fn extract(_: args::ExtractArgs, _: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt { feature: "extract" })
}

#[cfg(feature = "train")]
fn train(args: args::TrainArgs, cancel: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    let pipeline = crate::pipeline::Pipeline::read(&args.pipeline, &args.set)?;
    let options = run::TrainOptions {
        pipeline,
        shards: args.shards,
        out: args.out,
        device: args.device,
        knn: args.knn,
        workers: args.common.workers(),
        verbosity: args.common.verbosity(),
        cancel: Arc::clone(cancel),
    };
    args.common.print(&run::train(&options)?)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "train"))]
fn train(_: args::TrainArgs, _: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt { feature: "train" })
}

#[cfg(feature = "extract")]
fn track(args: &args::TrackArgs, cancel: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    track::track(args, cancel)
}

#[cfg(not(feature = "extract"))]
fn track(_: &args::TrackArgs, _: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt { feature: "extract" })
}

#[cfg(feature = "synth")]
fn synth(args: &args::SynthArgs) -> Result<ExitCode, CliError> {
    synth::synth(args, &signals::cancel_on_signal()?)
}

#[cfg(not(feature = "synth"))]
fn synth(_: &args::SynthArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt { feature: "synth" })
}

#[cfg(feature = "train")]
fn export(args: &args::ExportArgs) -> Result<ExitCode, CliError> {
    export::export(args)
}

#[cfg(not(feature = "train"))]
fn export(_: &args::ExportArgs) -> Result<ExitCode, CliError> {
    Err(CliError::NotBuilt { feature: "train" })
}

fn verify(args: &VerifyArgs, cancel: &Arc<Cancel>) -> Result<ExitCode, CliError> {
    let summary = run::verify(
        &args.dir,
        args.common.workers(),
        args.common.verbosity(),
        cancel,
    )?;
    args.common.print(&summary)?;
    Ok(if summary.damage.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

impl Common {
    fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers.map_or_else(cores, usize::from)
    }

    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
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
