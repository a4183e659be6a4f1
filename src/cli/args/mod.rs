//! Defines the command line for clap. The doc comments are the help texts.

mod measured;
pub(super) mod synth;

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use clap_complete::Shell;

pub(super) use measured::{InvarianceArgs, MeasuredArgs, ProbeArgs};
pub(super) use synth::SynthArgs;

/// Extracts positive pairs from unlabelled video, trains contrastive encoders on them, and measures the encoders' invariances.
#[derive(Debug, Parser)]
#[command(name = "vidpairs", max_term_width = 100, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Extract positive pairs from video into shards; resumes a stopped run.
    Extract(ExtractArgs),
    /// Write a list of the clips of a source, so that many machines extract from the same clips.
    List(ListArgs),
    /// List the shot changes of videos: cuts, dissolves and fades.
    Cuts(CutsArgs),
    /// Tell how far an extraction is, and which of its parts are still to be run.
    Status(StatusArgs),
    /// Make one data set of the parts that `extract --part` wrote.
    Merge(MergeArgs),
    /// Put the records of a data set into another number of shards, or into a random order.
    Reshard(ReshardArgs),
    /// Train an encoder on shards; resumes a stopped run.
    Train(TrainArgs),
    /// Check every byte of a data set against its checksums, and list all damage.
    Verify(VerifyArgs),
    /// Summarise a data set, print one record, or write a page of its pairs.
    Inspect(InspectArgs),
    /// Run trackers on annotated video and score them; resumes a stopped run.
    Track(TrackArgs),
    /// Render a small data set with known ground truth in the layout of a real one; resumes a stopped run.
    Synth(Box<SynthArgs>),
    /// Measure the invariances of encoders: viewpoint, occlusion, illumination, instance.
    Invariance(InvarianceArgs),
    /// Measure what encoders are good for: classifiers on frozen features of labelled images.
    Probe(ProbeArgs),
    /// Write one page of a whole experiment: data sets, training runs, invariances and probes.
    Report(ReportArgs),
    /// Write a data set, or the ResNet of a weights file, in the format of another program.
    Export(ExportArgs),
    /// Print the version of this program and the libraries it is linked with, one per line.
    #[command(hide = true)]
    Libraries,
    /// Print a completion script for a shell.
    Completions {
        /// Shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// Pipeline file (TOML); pipelines/README.md describes its keys.
    pub pipeline: PathBuf,
    /// Video to extract from: a data set, a folder, a video file, a list of files, or a list of `vidpairs list`; on disk or in an object
    /// store (s3://, gs://, az://).
    #[arg(long, value_name = "PATH")]
    pub source: PathBuf,
    /// Output folder for the shards: new, empty, or of a stopped run of the same pipeline, which is then resumed; on disk or in an object
    /// store (s3://, gs://, az://).
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Extract one part of the clips, for many processes that share --out: I/N with I from 0 to N-1; slurm or kubernetes take I from
    /// the array or the indexed job. `vidpairs merge` makes one data set of the parts.
    #[arg(long, value_name = "I/N")]
    pub part: Option<String>,
    /// Number of parts, for --part slurm and --part kubernetes [default of slurm: the size of the array].
    #[arg(long, value_name = "N", requires = "part")]
    pub parts: Option<u32>,
    /// Folder of this machine for clips of an object store while they are worked on, and for the unfinished files of an --out in one
    /// [default: the system's temporary folder].
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Most space that these clips take. A larger clip is refused.
    #[arg(long, value_name = "SIZE", default_value = "8GiB")]
    pub scratch_bytes: ByteSize,
    /// Only retry the clips that the finished run in --out refused.
    #[arg(long)]
    pub retry_refused: bool,
    /// Setting that overrides the pipeline file (repeatable).
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Pipeline file (TOML); its [source] says what is listed.
    pub pipeline: PathBuf,
    /// Video to list: a data set, a folder, a video file, or a list of files; on disk or in an object store (s3://, gs://, az://).
    #[arg(long, value_name = "PATH")]
    pub source: PathBuf,
    /// File to write; must not exist. `extract --source` takes it.
    #[arg(long, value_name = "FILE.jsonl")]
    pub out: PathBuf,
    /// Setting that overrides the pipeline file (repeatable).
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct CutsArgs {
    /// Video files, folders of pictures, or folders that hold some; docs/CUTS.md says what is found. The exit code is 1 if a video
    /// cannot be used.
    #[arg(required = true, value_name = "VIDEO")]
    pub videos: Vec<PathBuf>,
    /// Look at every N-th frame only. Changes are then known as exactly as the frames lie apart.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=1000))]
    pub every: u16,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Output folder of `vidpairs extract`, or its URL. The exit code is 0 if the extraction is complete, else 1.
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Output folder of `vidpairs extract --part`, or its URL, with every part complete.
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// Pipeline file (TOML); pipelines/README.md describes its keys.
    pub pipeline: PathBuf,
    /// Data set to train on: a folder with dataset.json, or its URL in an object store (s3://, gs://, az://) with --cache.
    #[arg(long, value_name = "DIR")]
    pub shards: PathBuf,
    /// Folder into which shards of an object store are fetched before the training; it needs room for all of them.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Output folder: new, empty, or of a run of the same pipeline, perhaps with fewer epochs, which is then resumed.
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Device: cpu, cuda or cuda:N [default: the first GPU, or the CPU without one].
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Labelled images, DIR/<label>/<image>, for the kNN accuracy during training.
    #[arg(long, value_name = "DIR")]
    pub knn: Option<PathBuf>,
    /// File of weights to begin with, of the pipeline's network: a checkpoint of a run, or a file of PyTorch [default: random weights].
    #[arg(long, value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// Prefix of the tensor names of the network in --init, such as module.encoder_k [default: the one trained network in the file].
    #[arg(long, value_name = "PREFIX", requires = "init")]
    pub prefix: Option<String>,
    /// Setting that overrides the pipeline file (repeatable).
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Data set: a folder with dataset.json.
    pub dir: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Data set: a folder with dataset.json.
    pub dir: PathBuf,
    /// Number of a record to print, counted from 0 over all shards.
    #[arg(long, value_name = "N")]
    pub record: Option<u64>,
    /// HTML page to write: pairs with boxes and frame numbers, in one file.
    #[arg(long, value_name = "OUT.html", conflicts_with = "record")]
    pub gallery: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Folder of results of extract, train, invariance, probe, track or synth, finished or not; or a folder above such folders,
    /// which is searched up to 4 folders deep.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// HTML page to write, in one file.
    #[arg(long, value_name = "OUT.html")]
    pub out: PathBuf,
    /// Title of the page [default: the names of the folders].
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct TrackArgs {
    /// Annotated video (repeatable): got10k=PATH or trackingnet=PATH (a data set or one of its splits), or mot=PATH (a
    /// ground-truth file, a folder of <clip>.txt, or a MOTChallenge sequence).
    #[arg(long, value_name = "KIND=PATH", required = true)]
    pub data: Vec<String>,
    /// Tracker (repeatable): dcf, kcf, csrt or mosse.
    #[arg(long, value_name = "NAME", required = true, value_delimiter = ',')]
    pub tracker: Vec<String>,
    /// Output folder: new, empty, or of a stopped run with the same options, which is then resumed.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Video of mot=FILE, or folder with the videos of mot=DIR [default: beside the ground truth].
    #[arg(long, value_name = "PATH")]
    pub media: Option<PathBuf>,
    /// Splits of got10k and trackingnet [default: the training splits].
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub splits: Vec<String>,
    /// Names of the sequences to track; `*` matches any text, `?` one character [default: all].
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sequences: Vec<String>,
    /// Maximum number of sequences per data set: the first N.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Also print the scores of each tracker on each sequence (-v does so too).
    #[arg(long)]
    pub per_sequence: bool,
    /// HTML page to write: the worst sequences with boxes and overlap curves, in one file.
    #[arg(long, value_name = "OUT.html")]
    pub gallery: Option<PathBuf>,
    /// SVG drawing to write: the success plot of all trackers.
    #[arg(long, value_name = "OUT.svg")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ReshardArgs {
    /// Data set to read: a folder with dataset.json.
    pub dir: PathBuf,
    /// Output folder: new, empty, or of a stopped run with the same options, which is then resumed.
    #[arg(long, value_name = "DIR2")]
    pub out: PathBuf,
    /// Number of shards. Their numbers of records differ by at most one.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Put the records into a random order of this seed [default: their order].
    #[arg(long, value_name = "SEED")]
    pub shuffle: Option<u64>,
    #[command(flatten)]
    pub common: Common,
}

/// Program that shall read the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportToArg {
    /// facebookresearch/moco: .pth.tar for main_lincls.py --pretrained.
    Moco,
    /// Detectron2: .pkl for MODEL.WEIGHTS.
    Detectron2,
    /// VISSL: .torch for WEIGHTS_INIT.PARAMS_FILE.
    Vissl,
    /// torchvision and timm: .safetensors, .pth or .pt with torchvision's names.
    Torchvision,
    /// MosaicML streaming: a folder for StreamingDataset.
    Mds,
    /// LitData: a folder for StreamingDataset.
    Litdata,
    /// Megatron Energon: the shards with the files that `energon prepare` adds.
    Energon,
    /// Folders of images, VIEW/LABEL/KEY.jpg: ImageFolder of torchvision, lightly, lightly-train.
    Folder,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Data set to read, for mds, litdata, energon and folder.
    #[arg(required_unless_present = "weights", conflicts_with = "weights")]
    pub dir: Option<PathBuf>,
    /// Weights file to read, for the other programs: safetensors, or a file of torch.save; docs/WEIGHTS.md lists the formats.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Prefix of the encoder's tensor names, such as module.encoder_k [default: the one trained encoder in the file].
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    pub prefix: Option<String>,
    /// Program that shall read the result.
    #[arg(long, value_enum)]
    pub to: ExportToArg,
    /// File to write, which must not exist; of a data set, a new or an empty folder.
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// Number of worker threads [default: number of CPU cores].
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Print the result as one JSON object on stdout.
    #[arg(long)]
    pub json: bool,
    /// Print errors only, and the result of --json.
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also print every input that is set aside, the loss of heads in training, and the messages of FFmpeg.
    #[arg(long, short)]
    pub verbose: bool,
}
