//! Settings of a set.

use serde::{Deserialize, Serialize};
use vidpairs_types::SizePx;

use crate::catalog::Half;
use crate::scene::Difficulty;

/// Layout of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetKind {
    /// TrackingNet: a ZIP of frames and a file of boxes per video.
    TrackingNet,
    /// GOT-10k: a folder of frames per video, with boxes, visible shares and absence.
    Got10k,
    /// ALOI: objects on a turntable, under different lights.
    Aloi,
    /// PASCAL3D+: images with viewpoints.
    Pascal3d,
    /// MSCOCO: scenes of several objects, with masks.
    Coco,
    /// Pascal VOC 2007: scenes of several objects.
    Voc,
}

impl SetKind {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrackingNet => "trackingnet",
            Self::Got10k => "got10k",
            Self::Aloi => "aloi",
            Self::Pascal3d => "pascal3d",
            Self::Coco => "coco",
            Self::Voc => "voc",
        }
    }

    /// Whether the set consists of videos.
    pub fn is_video(self) -> bool {
        matches!(self, Self::TrackingNet | Self::Got10k)
    }

    /// Whether the set consists of scenes of several objects.
    pub fn is_scenes(self) -> bool {
        matches!(self, Self::Coco | Self::Voc)
    }
}

/// Container of the frames of a TrackingNet video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// ZIP of JPEGs, as in the release.
    Zip,
    /// An .mp4 with H.264, below `mp4`.
    Mp4,
    /// Both, with the same frames.
    Both,
}

/// Settings that determine a set. Equal settings, objects and backdrops give equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Layout.
    pub kind: SetKind,
    /// Random seed.
    pub seed: u64,
    /// Classes, or groups of the catalogue, to select objects from; all if empty.
    pub categories: Vec<String>,
    /// Size of the images, px.
    pub size: SizePx,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// Videos or images, according to `kind`.
    pub contents: Contents,
}

/// Contents of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contents {
    /// Videos: TrackingNet, GOT-10k.
    Videos(VideoSettings),
    /// Images: ALOI, PASCAL3D+.
    Images(ImageSettings),
    /// Scenes: MSCOCO, Pascal VOC.
    Scenes(SceneSettings),
}

/// Settings of TrackingNet and GOT-10k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoSettings {
    /// Number of videos of training objects: `TRAIN_0`, `train`.
    pub num_training: u32,
    /// Number of videos of held-out objects: `TEST`, `val`.
    pub num_held_out: u32,
    /// Frames per video.
    pub num_frames: u32,
    /// Frames per second.
    pub fps: u32,
    /// Container of the frames (TrackingNet only).
    pub container: Container,
    /// Difficulty of the videos.
    pub difficulty: Difficulty,
}

/// Settings of ALOI and PASCAL3D+.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSettings {
    /// Half of the objects; `None` for both halves.
    pub half: Option<Half>,
    /// Maximum number of objects: in all for ALOI, per class for PASCAL3D+.
    pub num_objects: u32,
    /// Number of azimuths, evenly spaced from the front on (PASCAL3D+ only).
    pub num_azimuths: u32,
    /// Elevations of the camera above the horizon, degrees; at least one (PASCAL3D+ only).
    pub elevations_deg: Vec<i32>,
    /// Standard deviation of the sensor noise, levels of 255.
    pub noise: f64,
}

/// Settings of MSCOCO and Pascal VOC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneSettings {
    /// Number of images of training objects: `train2017`, `trainval`.
    pub num_training: u32,
    /// Number of images of held-out objects: `val2017`, `test`.
    pub num_held_out: u32,
    /// Smallest and largest number of objects in an image.
    pub num_objects: [u32; 2],
    /// Standard deviation of the sensor noise, levels of 255.
    pub noise: f64,
}

impl SceneSettings {
    /// Number of images of `half`.
    pub fn num_images(&self, half: Half) -> u32 {
        match half {
            Half::Training => self.num_training,
            Half::HeldOut => self.num_held_out,
        }
    }
}
