//! Defines the options of `vidpairs synth`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};

use super::Common;

/// Layout of a rendered set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KindArg {
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
pub(in crate::cli) enum HalfArg {
    /// Objects that occur in training videos.
    Training,
    /// Objects reserved for measurement.
    HeldOut,
    /// All objects.
    Both,
}

/// File format of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ContainerArg {
    /// Zip of JPEGs, as in TrackingNet.
    Zip,
    /// .mp4 with H.264.
    Mp4,
    /// Both.
    Both,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SynthArgs {
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
pub(in crate::cli) struct VideoArgs {
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
pub(in crate::cli) struct ImageArgs {
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
pub(in crate::cli) struct SceneArgs {
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
