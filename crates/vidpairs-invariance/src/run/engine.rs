//! Defines the interface of libraries that run encoders. A program plugs one in at `main`.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use vidpairs_pipeline::Measure;
use vidpairs_run::RunError;
use vidpairs_types::{BoxXywh, ImageSets, LeftOut};

use super::InvarianceOptions;

/// A library that runs encoders.
pub trait EncoderEngine: Debug + Sync {
    /// Opens a file of weights.
    ///
    /// - `prefix`: prefix of the names of the network's tensors, where the file holds several networks.
    /// - `device`: `cpu`, `cuda` or `cuda:N`; `None` for the first GPU if there is one, else the CPU.
    ///
    /// # Errors
    /// [`RunError::Command`]: the device is unknown, or the file cannot be read or holds no supported network.
    fn open(
        &self,
        weights: &Path,
        prefix: Option<&str>,
        device: Option<&str>,
    ) -> Result<Box<dyn ImageEncoder>, RunError>;
}

/// An encoder of images with its weights.
pub trait ImageEncoder {
    /// Name of the network: `ResNet-50`, `ViT-S/14 with 4 registers`.
    fn architecture(&self) -> String;

    /// Checks that the network has the features that `measure` asks for, of images of `side_px` px. Returns where they are taken:
    /// `layer4`, or `layer4, class token`.
    ///
    /// # Errors
    /// [`RunError::Command`]: which setting does not fit the network, and what would.
    fn readout(&self, side_px: u32, measure: &Measure) -> Result<String, RunError>;

    /// Features of the images of `sets`: the box of each image, or all of it, resized to a square of [`ImageSets::side_px`]
    /// without keeping the aspect, in evaluation mode. Images that cannot be read are left out. Features are cached below
    /// [`InvarianceOptions::out`].
    ///
    /// # Errors
    /// [`RunError`]: no image can be read, a feature is not finite, the cache cannot be written, or the user stopped the run.
    fn features(
        &self,
        sets: &ImageSets,
        options: &InvarianceOptions,
    ) -> Result<ImageFeatures, RunError>;

    /// The image that the encoder sees, as a JPEG: the box of a file resized to a square of `side_px`.
    ///
    /// # Errors
    /// The reason why the file cannot be shown.
    fn picture(
        &self,
        file: &Path,
        region: Option<BoxXywh>,
        side_px: u32,
    ) -> Result<Vec<u8>, String>;
}

/// Features of the images of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFeatures {
    /// `N x D`, row-major, finite; one row for each image that could be read.
    pub values: Vec<f32>,
    /// D.
    pub num_units: usize,
    /// N, ascending: the index in [`ImageSets::images`] of each row.
    pub images: Vec<usize>,
    /// The images without a row, with the reason, in the order of [`ImageSets::images`].
    pub left_out: Vec<LeftOut>,
    /// Throughput; `None` if the features were cached.
    pub speed: Option<FeatureSpeed>,
    /// The cache file.
    pub file: Option<PathBuf>,
}

/// Throughput of an encoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeatureSpeed {
    /// Images per second over the whole data set.
    pub images_per_second: f64,
    /// Share of the time in which the encoder waited for images, 0 to 1.
    pub waiting: f64,
}
