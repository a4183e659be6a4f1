//! The flags, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Positive pairs from unlabelled video, and what encoders learn from them.
#[derive(Debug, Parser)]
#[command(name = "vidpairs", max_term_width = 100, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Turn video into shards of positive pairs; goes on by itself where a stopped run was left.
    Extract(ExtractArgs),
    /// Check every byte of every shard against its checksums, and name what is damaged.
    Verify(VerifyArgs),
    /// Show what a data set holds: totals, one record, or a page of pictures.
    Inspect(InspectArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// The experiment, a TOML file; see pipelines/README.md.
    pub pipeline: PathBuf,
    /// Where the clips are: a data set, a folder, a video file, or a list of files.
    #[arg(long, value_name = "PATH")]
    pub source: PathBuf,
    /// Where shards go: a new or empty folder, or that of a stopped run of the same pipeline.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only try again the clips that the finished run in DIR refused.
    #[arg(long)]
    pub retry_refused: bool,
    /// Override a setting of the pipeline file; may be given again and again.
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The data set: a folder with dataset.json.
    pub dir: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The data set: a folder with dataset.json.
    pub dir: PathBuf,
    /// Show one record, counted from 0 over all shards.
    #[arg(long, value_name = "N")]
    pub record: Option<u64>,
    /// Write one HTML page of pairs with boxes and frame numbers; it needs no other file.
    #[arg(long, value_name = "OUT.html", conflicts_with = "record")]
    pub gallery: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// Worker threads [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Print the result as one JSON object on stdout.
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors (and what --json asks for).
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also tell of every input that is set aside, and what FFmpeg has to say.
    #[arg(long, short)]
    pub verbose: bool,
}
