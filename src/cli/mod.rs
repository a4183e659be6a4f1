//! The command line: checks options, runs commands, prints results and gives the exit code.

mod args;
mod error;
mod inspect;
mod invariance;
mod models;
mod neighbour;
mod output;
mod panics;
#[cfg(feature = "video")]
mod part;
mod probe;
mod report;
mod signals;
#[cfg(feature = "video")]
mod synth;
#[cfg(feature = "video")]
mod track;
mod versions;

use std::borrow::Cow;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

#[cfg(feature = "video")]
use bytesize::ByteSize;
use clap::{CommandFactory, FromArgMatches, ValueEnum};
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{Control, Verbosity};
use vidpairs_store::store_url;
use vidpairs_types::printable_lines;

use self::args::{
    Cli, Command, Common, ExportArgs, ExportToArg, MergeArgs, ReshardArgs, StatusArgs, VerifyArgs,
};
use self::neighbour::Neighbour;
use self::output::printed;
use crate::cache;
use crate::engines::{Engines, TrainRequest};
use crate::export::{self, ExportFormat, ExportOptions};
use crate::export_pairs::{self, ExportPairsOptions, PairsFormat};
use crate::parts;
use crate::reshard::{self, ReshardOptions};
use crate::verify;

pub use self::error::CliError;
pub use self::neighbour::HandoverError;

/// The whole program: runs the command line of this process, prints its error, and gives the exit code.
pub fn main(engines: Engines) -> ExitCode {
    signals::lift_limits();
    let args: Vec<OsString> = std::env::args_os().collect();
    match panics::caught(|| run(args, &engines)) {
        Ok(code) => code,
        Err(err) => {
            // If stderr is closed, the exit code must suffice.
            let _ = writeln!(io::stderr(), "{}", err.text());
            err.exit_code()
        }
    }
}

/// Parses `args` and runs the command. Hands a command whose library `engines` lacks to the neighbour program that has it, and then
/// does not return.
///
/// Exit codes: 0 done, 1 too many inputs were refused, 2 failed or damage found, 130 interrupted.
///
/// # Errors
/// [`CliError`], not printed yet.
pub fn run(args: Vec<OsString>, engines: &Engines) -> Result<ExitCode, CliError> {
    neighbour::same_version()?;
    let mut command = Cli::command().version(versions::short());
    if args.get(1).is_some_and(|arg| arg == "--version") {
        // Starts the neighbours, so only if it is printed: no command has this option.
        command = command.long_version(versions::long(engines));
    }
    let matches = command.try_get_matches_from(&args);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(err) => {
            // Help and version go to stdout, and are what was asked for. If stderr is closed, the exit code must suffice. An argument of
            // an error may be a stranger's file name.
            let text = err.render().to_string();
            if !err.use_stderr() {
                printed(err.print().and_then(|()| io::stdout().flush()))?;
            } else if let Cow::Owned(text) = printable_lines(&text) {
                let _ = io::stderr().write_all(text.as_bytes());
            } else {
                let _ = err.print();
            }
            return Ok(ExitCode::from(u8::try_from(err.exit_code()).unwrap_or(2)));
        }
    };
    let program = Program {
        args: &args,
        engines,
    };
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new(); // clap panics if a write fails
            clap_complete::generate(shell, &mut Cli::command(), "vidpairs", &mut script);
            printed(io::stdout().write_all(&script))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Libraries => {
            let mut lines = vec![versions::short().to_owned()];
            lines.extend(versions::libraries(engines));
            printed(writeln!(io::stdout(), "{}", lines.join("\n")))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Extract(args) => program.extract(args),
        Command::List(args) => program.list(args),
        Command::Cuts(args) => program.cuts(args),
        Command::Status(args) => status(&args),
        Command::Merge(args) => merge(&args),
        Command::Reshard(args) => reshard(&args),
        Command::Train(args) => program.train(args),
        Command::Verify(args) => verify(&args),
        Command::Track(args) => program.track(&args),
        Command::Synth(args) => program.synth(&args),
        Command::Invariance(args) => invariance::invariance(&args, &program),
        Command::Probe(args) => probe::probe(&args, &program),
        Command::Export(args) => export(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Report(args) => report::report(&args),
    }
}

/// Command line and libraries of this process.
struct Program<'a> {
    args: &'a [OsString],
    engines: &'a Engines,
}

impl Program<'_> {
    /// Replaces this process by the neighbour.
    ///
    /// - `task`: the command that needs the neighbour, for the error.
    fn hand_to(&self, neighbour: Neighbour, task: &str) -> Result<Infallible, CliError> {
        Ok(neighbour.take_over(self.args, task)?)
    }

    fn train(&self, args: args::TrainArgs) -> Result<ExitCode, CliError> {
        let Some(libtorch) = self.engines.libtorch else {
            match self.hand_to(Neighbour::Torch, "vidpairs train")? {}
        };
        let control = args.common.control()?;
        let request = TrainRequest {
            pipeline: Pipeline::read(&args.pipeline, &args.set)?,
            shards: cache::local_dataset(&args.shards, args.cache.as_deref(), &control)?,
            out: args.out,
            device: args.device,
            knn: args.knn,
            init: args.init,
            init_prefix: args.prefix,
            control,
        };
        let summary = libtorch.train(request)?;
        args.common.print(&summary)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(feature = "video")]
impl Program<'_> {
    fn extract(&self, args: args::ExtractArgs) -> Result<ExitCode, CliError> {
        let part = part::part(args.part.as_deref(), args.parts)?;
        let pipeline = Pipeline::read(&args.pipeline, &args.set)?;
        if self.engines.opencv.is_none()
            && let Some(regions) = pipeline.regions.filter(|regions| regions.need_opencv())
        {
            let (tracker, proposals) = (regions.tracker.name, regions.proposals.kind);
            let task = match tracker.is_opencv() {
                true => format!(
                    "vidpairs extract with tracker.name = \"{}\"",
                    tracker.name()
                ),
                false => format!(
                    "vidpairs extract with proposals.kind = \"{}\"",
                    proposals.name()
                ),
            };
            if !args.pipeline.is_file() {
                return Err(CliError::Handover(HandoverError::Stream {
                    task,
                    name: Neighbour::Opencv.name(),
                    pipeline: args.pipeline,
                }));
            }
            match self.hand_to(Neighbour::Opencv, &task)? {}
        }
        if let Some(scratch) = &args.scratch {
            refuse_url("--scratch", scratch)?;
        }
        let scratch_bytes = args.scratch_bytes;
        if scratch_bytes < ByteSize::kib(1) {
            return Err(CliError::Option {
                option: "--scratch-bytes",
                value: scratch_bytes.to_string(),
                expected: "at least 1 KiB, and room for the largest clip".to_owned(),
            });
        }
        let options = vidpairs_extract::run::ExtractOptions {
            pipeline,
            source: args.source,
            scratch: vidpairs_extract::run::Scratch {
                folder: args.scratch,
                max_bytes: scratch_bytes.as_u64(),
            },
            out: args.out,
            part,
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

    fn list(&self, args: args::ListArgs) -> Result<ExitCode, CliError> {
        refuse_url("--out", &args.out)?;
        let options = vidpairs_extract::run::ListOptions {
            pipeline: Pipeline::read(&args.pipeline, &args.set)?,
            source: args.source,
            out: args.out,
            control: args.common.control()?,
        };
        args.common.print(&vidpairs_extract::run::list(&options)?)?;
        Ok(ExitCode::SUCCESS)
    }

    fn cuts(&self, args: args::CutsArgs) -> Result<ExitCode, CliError> {
        for path in &args.videos {
            refuse_url("VIDEO", path)?;
        }
        let options = vidpairs_extract::run::CutsOptions {
            videos: args.videos,
            every: usize::from(args.every),
            control: args.common.control()?,
        };
        let summary = vidpairs_extract::run::cuts(&options)?;
        args.common.print(&summary)?;
        Ok(ExitCode::from(u8::from(summary.num_refused() > 0)))
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

    fn list(&self, _: args::ListArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs list")? {}
    }

    fn cuts(&self, _: args::CutsArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs cuts")? {}
    }

    fn track(&self, _: &args::TrackArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs track")? {}
    }

    fn synth(&self, _: &args::SynthArgs) -> Result<ExitCode, CliError> {
        match self.hand_to(Neighbour::Video, "vidpairs synth")? {}
    }
}

fn status(args: &StatusArgs) -> Result<ExitCode, CliError> {
    let status = parts::status(&args.out, &args.common.control()?)?;
    args.common.print(&status)?;
    Ok(match status.is_complete() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

fn merge(args: &MergeArgs) -> Result<ExitCode, CliError> {
    let summary = parts::merge(&args.out, &args.common.control()?)?;
    args.common.print(&summary)?;
    match summary.too_many_refused {
        false => Ok(ExitCode::SUCCESS),
        true => Err(CliError::TooManyRefused {
            refused: summary.totals.refused,
            clips: summary.totals.clips,
            limit: summary.max_refused,
            list: args.out.join("refused.jsonl"),
        }),
    }
}

/// Fails if a folder of this machine is named by a URL.
///
/// - `option`: what names it, for the error.
fn refuse_url(option: &'static str, path: &Path) -> Result<(), CliError> {
    match store_url(path) {
        Some(url) => Err(CliError::Option {
            option,
            value: url.to_owned(),
            expected: "a path of this machine: copy a data set in an object store first".to_owned(),
        }),
        None => Ok(()),
    }
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, CliError> {
    refuse_url("DIR", &args.dir)?;
    let summary = verify::verify(&args.dir, &args.common.control()?)?;
    args.common.print(&summary)?;
    args.common
        .report_damage(summary.num_damage, summary.damage.first());
    Ok(inspect::exit_code(summary.num_damage == 0))
}

fn reshard(args: &ReshardArgs) -> Result<ExitCode, CliError> {
    refuse_url("DIR", &args.dir)?;
    let options = ReshardOptions {
        dir: args.dir.clone(),
        out: args.out.clone(),
        count: args.count,
        shuffle: args.shuffle,
        control: args.common.control()?,
    };
    args.common.print(&reshard::reshard(&options)?)?;
    Ok(ExitCode::SUCCESS)
}

fn export(args: &ExportArgs) -> Result<ExitCode, CliError> {
    let of_weights = |to| (Some(to), None);
    let of_pairs = |to| (None, Some(to));
    let to = match args.to {
        ExportToArg::Moco => of_weights(ExportFormat::Moco),
        ExportToArg::Detectron2 => of_weights(ExportFormat::Detectron2),
        ExportToArg::Vissl => of_weights(ExportFormat::Vissl),
        ExportToArg::Torchvision => of_weights(ExportFormat::Torchvision),
        ExportToArg::Mds => of_pairs(PairsFormat::Mds),
        ExportToArg::Litdata => of_pairs(PairsFormat::Litdata),
        ExportToArg::Energon => of_pairs(PairsFormat::Energon),
        ExportToArg::Folder => of_pairs(PairsFormat::Folder),
    };
    match (to, &args.weights, &args.dir) {
        ((Some(to), _), Some(weights), _) => {
            let options = ExportOptions {
                weights: weights.clone(),
                prefix: args.prefix.clone(),
                to,
                out: args.out.clone(),
            };
            args.common.print(&export::export(&options)?)?;
        }
        ((_, Some(to)), _, Some(dir)) => {
            refuse_url("DIR", dir)?;
            let options = ExportPairsOptions {
                dir: dir.clone(),
                to,
                out: args.out.clone(),
                control: args.common.control()?,
            };
            args.common.print(&export_pairs::export_pairs(&options)?)?;
        }
        ((to, _), ..) => {
            let name = args.to.to_possible_value();
            let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
            let (given, expected) = match to {
                Some(_) => (
                    "a data set",
                    format!("mds, litdata, energon or folder; {name} needs --weights FILE"),
                ),
                None => (
                    "--weights",
                    format!("moco, detectron2, vissl or torchvision; {name} needs a data set, DIR"),
                ),
            };
            return Err(CliError::Option {
                option: "--to",
                value: format!("{name} with {given}"),
                expected,
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Common {
    /// Threads, verbosity, and a wish to stop that Ctrl-C sets.
    fn control(&self) -> Result<Control, CliError> {
        Ok(Control {
            workers: signals::workers(self.workers.map(usize::from))?,
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, true) => Verbosity::Verbose,
                (false, false) => Verbosity::Normal,
            },
            cancel: signals::cancel_on_signal()?,
        })
    }
}
