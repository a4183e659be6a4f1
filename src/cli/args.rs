//! Defines the command line for clap. The doc comments are the help texts.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, value_parser};
use clap_complete::Shell;

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
    /// Write the ResNet of a weights file in the format of another program.
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
    /// Video to extract from: a data set, a folder, a video file, or a list of files.
    #[arg(long, value_name = "PATH")]
    pub source: PathBuf,
    /// Output folder for the shards: new, empty, or of a stopped run of the same pipeline, which is then resumed.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
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
pub(super) struct TrainArgs {
    /// Pipeline file (TOML); pipelines/README.md describes its keys.
    pub pipeline: PathBuf,
    /// Data set to train on: a folder with dataset.json.
    #[arg(long, value_name = "DIR")]
    pub shards: PathBuf,
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

/// Place of `--features` in the help: that of `--out`, which it precedes by its name. Counted from 0, without `--features`: PIPELINE, `--data`,
/// then [`MeasuredArgs`].
const FEATURES_ORDER: usize = 4;

/// Options of the measuring commands.
#[derive(Debug, Args)]
pub(super) struct MeasuredArgs {
    /// Encoder (repeatable), a ResNet or a ViT: a checkpoint of `vidpairs train`, safetensors, or a file of
    /// torch.save; docs/WEIGHTS.md lists the formats and the networks.
    #[arg(long, value_name = "[NAME=]FILE", requires = "data")]
    pub weights: Vec<String>,
    /// Prefix of the encoder's tensor names, such as module.encoder_k [default: the one trained encoder in a file].
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    pub prefix: Option<String>,
    /// Output folder: new, empty, or of earlier results.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Device: cpu, cuda or cuda:N [default: the first GPU, or the CPU without one].
    #[arg(long, value_name = "NAME", conflicts_with = "features")]
    pub device: Option<String>,
    /// Setting that overrides the pipeline file (repeatable).
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("models").required(true).args(["weights", "features"]))]
pub(super) struct InvarianceArgs {
    /// Pipeline file (TOML) with the table [invariance], whose keys pipelines/README.md describes [default: no file, every
    /// key at its default].
    pub pipeline: Option<PathBuf>,
    /// Images to measure on (repeatable): got10k-occlusion, pascal3d-viewpoint, pascal3d-instance, aloi-viewpoint,
    /// aloi-direction or aloi-color (the data sets as distributed), or folders (<class>/<set>/<image>).
    #[arg(long, value_name = "KIND=PATH", requires = "weights")]
    pub data: Vec<String>,
    /// Features of another program (repeatable): .npz with `feat` (N x D), `instance` (N) and optionally `class` (N).
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "data", display_order = FEATURES_ORDER)]
    pub features: Vec<String>,
    #[command(flatten)]
    pub measured: MeasuredArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("probed").required(true).args(["weights", "features"]))]
pub(super) struct ProbeArgs {
    /// Pipeline file (TOML) with the table [probe], whose keys pipelines/README.md describes [default: no file, every key at
    /// its default].
    pub pipeline: Option<PathBuf>,
    /// Labelled images to probe on (repeatable): voc07, voc07-boxes, imagenet or ade20k (the data sets as distributed), or
    /// folders (<class>/<image>, perhaps in train/ and val/ or test/).
    #[arg(long, value_name = "KIND=PATH", requires = "weights")]
    pub data: Vec<String>,
    /// Features of another program (repeatable): .npz with `feat` (N x D), `class` (N, or N x C of -1, 0 and 1) and `split` (N).
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "data", display_order = FEATURES_ORDER)]
    pub features: Vec<String>,
    #[command(flatten)]
    pub measured: MeasuredArgs,
}

/// Program that shall read the weights.
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
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Weights file to read: safetensors, or a file of torch.save; docs/WEIGHTS.md lists the formats.
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// Prefix of the encoder's tensor names, such as module.encoder_k [default: the one trained encoder in the file].
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// Program that shall read the weights.
    #[arg(long, value_enum)]
    pub to: ExportToArg,
    /// File to write; must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

/// Layout of a rendered set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindArg {
    /// Videos as zips of frames and as .mp4; one box per frame.
    Trackingnet,
    /// Videos as folders of frames; box, visible share and absence per frame.
    Got10k,
    /// Images: 72 views, 24 light directions and 12 light colours of each object.
    Aloi,
    /// Images: azimuths x elevations of the objects of each class; .mat annotations.
    Pascal3d,
    /// Scenes of several objects: boxes and masks as JSON.
    Coco,
    /// Scenes of several objects: boxes as XML, lists of images by class.
    Voc,
}

/// Half of the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HalfArg {
    /// Objects that occur in training videos.
    Training,
    /// Objects reserved for measurement.
    HeldOut,
    /// All objects.
    Both,
}

/// File format of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ContainerArg {
    /// Zip of JPEGs, as in TrackingNet.
    Zip,
    /// .mp4 with H.264.
    Mp4,
    /// Both.
    Both,
}

#[derive(Debug, Args)]
pub(super) struct SynthArgs {
    /// Data set whose layout is used.
    #[arg(long, value_enum)]
    pub kind: KindArg,
    /// Output folder: new, empty, or of a stopped run of the same set, which is then resumed.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// 3-D objects (repeatable): a .sh3f catalogue, or a folder of catalogues or OBJ files
    /// [default: the catalogues of scripts/fetch-objects.sh].
    #[arg(long, value_name = "PATH")]
    pub objects: Vec<PathBuf>,
    /// Object classes, or groups of the catalogue, to render [default: all].
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub categories: Vec<String>,
    /// Folder of pictures and videos for the backgrounds [default: painted backgrounds].
    #[arg(long, value_name = "DIR")]
    pub backgrounds: Option<PathBuf>,
    /// Random seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Image size, px [default: 320x240; aloi: 384x288, fixed].
    #[arg(long, value_name = "WxH")]
    pub size: Option<String>,
    /// JPEG quality.
    #[arg(long, value_name = "1-100", default_value_t = 90, value_parser = value_parser!(u8).range(1..=100))]
    pub quality: u8,
    /// Standard deviation of the sensor noise, in levels of 255 [default: 2 for videos, 1 for images].
    #[arg(long, value_name = "LEVELS")]
    pub noise: Option<f64>,
    /// HTML page to write: images of the set with their ground truth, in one file.
    #[arg(long, value_name = "OUT.html")]
    pub gallery: Option<PathBuf>,
    // Before the groups below: an option behind them would be listed under their heading.
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub videos: VideoArgs,
    #[command(flatten)]
    pub images: ImageArgs,
    #[command(flatten)]
    pub scenes: SceneArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Videos (trackingnet, got10k)")]
pub(super) struct VideoArgs {
    /// Number of videos of training objects, in split TRAIN_0 or train [default: 20].
    #[arg(long, value_name = "N")]
    pub videos: Option<u32>,
    /// Number of videos of held-out objects, in split TEST or val [default: 5].
    #[arg(long, value_name = "N")]
    pub held_out_videos: Option<u32>,
    /// Frames per video [default: 90].
    #[arg(long, value_name = "N")]
    pub frames: Option<u32>,
    /// Frames per second [default: 30; got10k: 10].
    #[arg(long, value_name = "N")]
    pub fps: Option<u32>,
    /// File format of the videos (trackingnet) [default: both].
    #[arg(long, value_enum)]
    pub container: Option<ContainerArg>,
    /// Speed of the objects; 1 is about a third of the image height per second [default: 1].
    #[arg(long, value_name = "X")]
    pub speed: Option<f64>,
    /// Maximum rotation of an object, degrees per second [default: 90].
    #[arg(long, value_name = "DEGREES")]
    pub turn: Option<f64>,
    /// Change of object size; 1 is up to a factor of 1.5 [default: 1].
    #[arg(long, value_name = "X")]
    pub scaling: Option<f64>,
    /// Share of videos in which something passes in front of the object [default: 0.4].
    #[arg(long, value_name = "0-1")]
    pub occlusion: Option<f64>,
    /// Share of videos in which the object leaves the image and returns [default: 0.15].
    #[arg(long, value_name = "0-1")]
    pub leaving: Option<f64>,
    /// Share of videos in which the light changes [default: 0.4].
    #[arg(long, value_name = "0-1")]
    pub relighting: Option<f64>,
    /// Share of videos with a second object of the same model [default: 0.2].
    #[arg(long, value_name = "0-1")]
    pub look_alikes: Option<f64>,
    /// Number of other objects in view, at most 20 [default: 2].
    #[arg(long, value_name = "N")]
    pub clutter: Option<u32>,
    /// Camera motion; 1 is a steady hand [default: 1].
    #[arg(long, value_name = "X")]
    pub camera: Option<f64>,
    /// Exposure time, in units of 1/30 s [default: 0.4].
    #[arg(long, value_name = "0-1")]
    pub shutter: Option<f64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Images (aloi, pascal3d)")]
pub(super) struct ImageArgs {
    /// Half of the objects to render [default: held-out].
    #[arg(long, value_enum)]
    pub half: Option<HalfArg>,
    /// Maximum number of objects: in all (aloi) [default: 20], or per class (pascal3d) [default: 10].
    #[arg(long, value_name = "N")]
    pub num_objects: Option<u32>,
    /// Number of views around an object, evenly spaced from its front (pascal3d) [default: 12].
    #[arg(long, value_name = "N")]
    pub azimuths: Option<u32>,
    /// Camera elevations above the horizon, degrees (pascal3d) [default: 0,30,60].
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
#[command(next_help_heading = "Scenes (coco, voc)")]
pub(super) struct SceneArgs {
    /// Number of images of training objects, in split train2017 or trainval [default: 200].
    #[arg(long, value_name = "N")]
    pub images: Option<u32>,
    /// Number of images of held-out objects, in split val2017 or test [default: 50].
    #[arg(long, value_name = "N")]
    pub held_out_images: Option<u32>,
    /// Number of objects per image: the smallest and the largest, at most 20 [default: 3-7].
    #[arg(long, value_name = "MIN-MAX")]
    pub objects_per_image: Option<String>,
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
