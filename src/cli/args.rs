//! The flags, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// Train an encoder on shards; goes on by itself where a stopped run was left.
    Train(TrainArgs),
    /// Check every byte of every shard against its checksums, and name what is damaged.
    Verify(VerifyArgs),
    /// Show what a data set holds: totals, one record, or a page of pictures.
    Inspect(InspectArgs),
    /// Run trackers over annotated video and score them.
    Track(TrackArgs),
    /// Render a small data set whose truth is known, in the layout of a real one.
    Synth(Box<SynthArgs>),
    /// Measure what encoders ignore: viewpoint, occlusion, illumination, instance.
    Invariance(InvarianceArgs),
    /// Write the ResNet in a file of weights as another program expects it.
    Export(ExportArgs),
    /// Print the libraries that this program is linked with, one a line.
    #[command(hide = true)]
    Libraries,
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
pub(super) struct TrainArgs {
    /// The experiment, a TOML file; see pipelines/README.md.
    pub pipeline: PathBuf,
    /// The data set to learn from: a folder with dataset.json.
    #[arg(long, value_name = "DIR")]
    pub shards: PathBuf,
    /// Where the run goes: a new or empty folder, or that of a stopped run of the same experiment.
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Where to compute: cpu, cuda or cuda:N [default: the first GPU where there is one, else cpu].
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Labelled images, DIR/<label>/<image>: now and then a kNN asks what the encoder makes of them.
    #[arg(long, value_name = "DIR")]
    pub knn: Option<PathBuf>,
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
pub(super) struct TrackArgs {
    /// Annotated video: got10k=PATH, trackingnet=PATH (a whole set or one split) or mot=PATH (a file
    /// of truth, a folder of <clip>.txt, or a sequence of MOTChallenge); may be given again.
    #[arg(long, value_name = "KIND=PATH", required = true)]
    pub data: Vec<String>,
    /// Tracker to run: dcf, kcf, csrt or mosse; may be given again.
    #[arg(long, value_name = "NAME", required = true, value_delimiter = ',')]
    pub tracker: Vec<String>,
    /// Where results go: a new or empty folder, or that of a stopped run with the same options.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The video of mot=FILE, or the folder with the videos of mot=DIR [default: beside the truth].
    #[arg(long, value_name = "PATH")]
    pub media: Option<PathBuf>,
    /// Splits of got10k and trackingnet to take [default: those for training].
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub splits: Vec<String>,
    /// Take these sequences only; `*` and `?` stand for any letters, and for one.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub sequences: Vec<String>,
    /// Take the first N sequences of each data set at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Also print a table with a row for each tracker on each sequence, as -v does.
    #[arg(long)]
    pub per_sequence: bool,
    /// Write one HTML page that shows the sequences, the worst first; it needs no other file.
    #[arg(long, value_name = "OUT.html")]
    pub gallery: Option<PathBuf>,
    /// Draw the success plot of the trackers.
    #[arg(long, value_name = "OUT.svg")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("models").required(true).args(["weights", "features"]))]
pub(super) struct InvarianceArgs {
    /// Settings of [invariance], a TOML file; see pipelines/README.md [default: none].
    pub pipeline: Option<PathBuf>,
    /// Images to measure on: got10k-occlusion, pascal3d-viewpoint, pascal3d-instance, aloi-viewpoint, aloi-direction,
    /// aloi-color (the data sets as distributed), or folders (<class>/<set>/<image>); may be given again.
    #[arg(long, value_name = "KIND=PATH", requires = "weights")]
    pub data: Vec<String>,
    /// An encoder: a checkpoint of ours, torchvision's safetensors, or a file of torch.save (docs/WEIGHTS.md); may be given again.
    #[arg(long, value_name = "[NAME=]FILE", requires = "data")]
    pub weights: Vec<String>,
    /// Features that another program made: .npz with `feat` (N x D), `instance` (N) and perhaps `class` (N); may be given again.
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "data")]
    pub features: Vec<String>,
    /// Where results go: a new or empty folder, or that of other results.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Where to compute: cpu, cuda or cuda:N [default: the first GPU where there is one, else cpu].
    #[arg(long, value_name = "NAME", conflicts_with = "features")]
    pub device: Option<String>,
    /// Override a setting of the pipeline file; may be given again and again.
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

/// For which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportToArg {
    /// .pth.tar for main_lincls.py of facebookresearch/moco, as --pretrained.
    Moco,
    /// .pkl for Detectron2, as MODEL.WEIGHTS.
    Detectron2,
    /// .torch for VISSL, as WEIGHTS_INIT.PARAMS_FILE.
    Vissl,
    /// .safetensors or .pth with torchvision's names, which timm has too.
    Torchvision,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Weights: safetensors, or a file of torch.save (zip or older); see docs/WEIGHTS.md.
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// For which program.
    #[arg(long, value_enum)]
    pub to: ExportToArg,
    /// The file to write; it must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

/// In whose layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindArg {
    /// Videos: zips of frames, a box per frame (and the same as .mp4).
    Trackingnet,
    /// Videos: folders of frames, boxes, visible share, absence.
    Got10k,
    /// Images: 72 views, 24 lights, 12 colours of every object.
    Aloi,
    /// Images: azimuth x elevation of the objects of every class, .mat annotations.
    Pascal3d,
}

/// Which objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HalfArg {
    /// Those that videos to train on show.
    Training,
    /// Those that are only measured.
    HeldOut,
    /// All.
    Both,
}

/// What holds the frames of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ContainerArg {
    /// A zip of JPEGs, as TrackingNet has it.
    Zip,
    /// An .mp4 with H.264.
    Mp4,
    /// Both.
    Both,
}

#[derive(Debug, Args)]
pub(super) struct SynthArgs {
    /// In whose layout.
    #[arg(long, value_enum)]
    pub kind: KindArg,
    /// Where the set goes: a new or empty folder, or that of a stopped run of the same set.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Objects: a .sh3f catalogue, or a folder of them or of OBJ files; may be given again
    /// [default: what scripts/fetch-objects.sh fetched].
    #[arg(long, value_name = "PATH")]
    pub objects: Vec<PathBuf>,
    /// Take these classes of objects, or groups of the catalogue, only.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub categories: Vec<String>,
    /// Pictures and videos to stand behind the objects; painted places without it.
    #[arg(long, value_name = "DIR")]
    pub backgrounds: Option<PathBuf>,
    /// Everything that is drawn by lot depends on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Size of the images, px [default: 320x240; ALOI's is 384x288].
    #[arg(long, value_name = "WxH")]
    pub size: Option<String>,
    /// Quality of JPEGs.
    #[arg(long, value_name = "1-100", default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: u8,
    /// Standard deviation of the sensor's noise, levels of 255 [default: 2, images: 1].
    #[arg(long, value_name = "LEVELS")]
    pub noise: Option<f64>,
    /// Write one HTML page that shows the set; it needs no other file.
    #[arg(long, value_name = "OUT.html")]
    pub gallery: Option<PathBuf>,
    #[command(flatten)]
    pub videos: VideoArgs,
    #[command(flatten)]
    pub images: ImageArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Videos (trackingnet, got10k)")]
pub(super) struct VideoArgs {
    /// Videos of training objects: TRAIN_0, train [default: 20].
    #[arg(long, value_name = "N")]
    pub videos: Option<u32>,
    /// Videos of held-out objects: TEST, val [default: 5].
    #[arg(long, value_name = "N")]
    pub held_out_videos: Option<u32>,
    /// Frames of a video [default: 90].
    #[arg(long, value_name = "N")]
    pub frames: Option<u32>,
    /// Frames a second [default: 30; got10k: 10].
    #[arg(long, value_name = "N")]
    pub fps: Option<u32>,
    /// What holds the frames (trackingnet) [default: both].
    #[arg(long, value_enum)]
    pub container: Option<ContainerArg>,
    /// How fast things move: 1 is about a third of the image's height a second [default: 1].
    #[arg(long, value_name = "X")]
    pub speed: Option<f64>,
    /// The most that an object turns, degrees a second [default: 90].
    #[arg(long, value_name = "DEGREES")]
    pub turn: Option<f64>,
    /// How much sizes change: 1 is up to half again as large or small [default: 1].
    #[arg(long, value_name = "X")]
    pub scaling: Option<f64>,
    /// Share of the videos in which something passes before the object [default: 0.4].
    #[arg(long, value_name = "0-1")]
    pub occlusion: Option<f64>,
    /// Share of the videos in which the object leaves the image and comes back [default: 0.15].
    #[arg(long, value_name = "0-1")]
    pub leaving: Option<f64>,
    /// Share of the videos in which the light changes [default: 0.4].
    #[arg(long, value_name = "0-1")]
    pub relighting: Option<f64>,
    /// Share of the videos with a second object of the same model [default: 0.2].
    #[arg(long, value_name = "0-1")]
    pub look_alikes: Option<f64>,
    /// Other objects in view, at most 20 [default: 2].
    #[arg(long, value_name = "N")]
    pub clutter: Option<u32>,
    /// How much the camera moves: 1 is a calm hand [default: 1].
    #[arg(long, value_name = "X")]
    pub camera: Option<f64>,
    /// For how long the shutter is open, in thirtieths of a second [default: 0.4].
    #[arg(long, value_name = "0-1")]
    pub shutter: Option<f64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Images (aloi, pascal3d)")]
pub(super) struct ImageArgs {
    /// Which objects [default: held-out].
    #[arg(long, value_enum)]
    pub half: Option<HalfArg>,
    /// Objects at most: in all (aloi) [default: 20], of each class (pascal3d) [default: 10].
    #[arg(long, value_name = "N")]
    pub num_objects: Option<u32>,
    /// Views around an object, from its front on (pascal3d) [default: 12].
    #[arg(long, value_name = "N")]
    pub azimuths: Option<u32>,
    /// Degrees of the camera above the horizon (pascal3d) [default: 0,30,60].
    #[arg(
        long,
        value_name = "DEGREES,...",
        value_delimiter = ',',
        // `-20,0` is no number to the parser.
        allow_hyphen_values = true
    )]
    pub elevations: Option<Vec<i32>>,
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
