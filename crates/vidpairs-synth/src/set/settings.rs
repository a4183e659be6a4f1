//! What a set shall be like.

use serde::{Deserialize, Serialize};
use vidpairs_types::SizePx;

use crate::catalog::Half;
use crate::scene::Difficulty;

/// In whose layout a set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetKind {
    /// TrackingNet: zips of frames, a box per frame.
    TrackingNet,
    /// GOT-10k: folders of frames, boxes, visible shares, absence.
    Got10k,
    /// ALOI: turntables, lights, colours.
    Aloi,
    /// PASCAL3D+: images with their viewpoints.
    Pascal3d,
}

impl SetKind {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrackingNet => "trackingnet",
            Self::Got10k => "got10k",
            Self::Aloi => "aloi",
            Self::Pascal3d => "pascal3d",
        }
    }

    /// Whether it is made of videos.
    pub fn is_video(self) -> bool {
        matches!(self, Self::TrackingNet | Self::Got10k)
    }
}

/// What holds the frames of a TrackingNet video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// A zip of JPEGs, as the release has it.
    Zip,
    /// An .mp4 with H.264, below `mp4`.
    Mp4,
    /// Both, of the same frames.
    Both,
}

impl Container {
    pub(super) fn has_zip(self) -> bool {
        self != Self::Mp4
    }

    pub(super) fn has_mp4(self) -> bool {
        self != Self::Zip
    }
}

/// All that decides what a set is. Two sets of equal settings, objects and backdrops have equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The layout.
    pub kind: SetKind,
    /// Of everything that is drawn by lot.
    pub seed: u64,
    /// Classes, or groups of the catalogue, to choose from; all if there is none.
    pub categories: Vec<String>,
    /// Size of the images.
    pub size: SizePx,
    /// Of JPEGs, 1 to 100.
    pub quality: u8,
    /// What it is made of; as the kind is.
    pub contents: Contents,
}

/// What a set is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contents {
    /// Videos: TrackingNet, GOT-10k.
    Videos(VideoSettings),
    /// Images: ALOI, PASCAL3D+.
    Images(ImageSettings),
}

/// Settings of TrackingNet and GOT-10k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoSettings {
    /// Videos of training objects: `TRAIN_0`, `train`.
    pub num_training: u32,
    /// Videos of held-out objects: `TEST`, `val`.
    pub num_held_out: u32,
    /// Frames of a video.
    pub num_frames: u32,
    /// Frames a second.
    pub fps: u32,
    /// What holds the frames (TrackingNet alone).
    pub container: Container,
    /// How hard they are.
    pub difficulty: Difficulty,
}

/// Settings of ALOI and PASCAL3D+.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSettings {
    /// Which objects; `None` is both halves.
    pub half: Option<Half>,
    /// How many objects at most: in all for ALOI, of each class for PASCAL3D+.
    pub num_objects: u32,
    /// Views around an object, evenly from the front on (PASCAL3D+ alone).
    pub num_azimuths: u32,
    /// Degrees of the camera above the horizon (PASCAL3D+ alone).
    pub elevations_deg: Vec<i32>,
    /// Standard deviation of the sensor's noise, levels of 255.
    pub noise: f64,
}
