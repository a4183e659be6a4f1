//! Defines the interface of libraries that run encoders. A program plugs one in at `main`.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use vidpairs_pipeline::{Framing, NumberFormat, PoolName, StageName};
use vidpairs_run::{Control, RunError};
use vidpairs_types::{Beyond, ImagePart, ImageSets, LeftOut, Seed};

use super::segmentation::{LabelSurvey, SegmentationImage, SegmentationRequest, Segmented, Trunk};

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

    /// Reads every image and its labels once, before anything is trained on them.
    ///
    /// - `num_classes`: labels from 1 to this number are classes, 0 and 255 are unlabelled.
    ///
    /// # Errors
    /// [`RunError`]: more than a tenth of the images cannot be used, or the user stopped the run.
    fn survey(
        &self,
        images: &[SegmentationImage],
        num_classes: usize,
        control: &Control,
    ) -> Result<LabelSurvey, RunError>;
}

/// An encoder of images with its weights.
pub trait ImageEncoder {
    /// Name of the network: `ResNet-50`, `ViT-S/14 with 4 registers`.
    fn architecture(&self) -> String;

    /// Checks that the network has the features of `stage` and `pool`, of images of `side_px` px. Returns where they are taken:
    /// `layer4`, or `layer4, class token`.
    ///
    /// # Errors
    /// [`RunError::Command`]: which setting does not fit the network, and what would.
    fn readout(&self, side_px: u32, stage: StageName, pool: PoolName) -> Result<String, RunError>;

    /// Features of images in evaluation mode, one entry for each stage of the request. Images that cannot be read are left out. Each image
    /// is decoded once, however many stages there are. Features are cached below [`FeatureRequest::out`].
    ///
    /// # Errors
    /// [`RunError`]: no image can be read, a feature is not finite, the cache cannot be written, or the user stopped the run.
    fn features(&self, request: &FeatureRequest<'_>) -> Result<Vec<ImageFeatures>, RunError>;

    /// Trains linear classifiers on the frozen features of augmented views: for each stage of the request, one for each learning rate. The
    /// state of the training is kept below [`HeadRequest::out`], and a finished one is not trained again.
    ///
    /// # Errors
    /// [`RunError`]: an image cannot be read, the state cannot be written, or the user stopped the run.
    fn linear_heads(&self, request: &HeadRequest<'_>) -> Result<Vec<Vec<LinearHead>>, RunError>;

    /// Checks that a segmentation head can be trained on the feature map of `stage`. Returns what it sees: `layer4, map of output stride 8`.
    ///
    /// # Errors
    /// [`RunError::Command`]: the trunk of this network cannot be trained.
    fn map_readout(&self, stage: StageName, trunk: Trunk) -> Result<String, RunError>;

    /// Trains a segmentation head on the feature map of a stage, and compares its predictions for the test images with their labels. The state
    /// of the training is kept below [`SegmentationRequest::out`], and a finished one is not trained again.
    ///
    /// # Errors
    /// [`RunError`]: an image cannot be read, the training diverges, the state cannot be written, or the user stopped the run.
    fn segment(&self, request: &SegmentationRequest<'_>) -> Result<Segmented, RunError>;

    /// The image that the encoder sees, as a JPEG.
    ///
    /// # Errors
    /// The reason why the file cannot be shown.
    fn picture(&self, part: &ImagePart, view: PartView) -> Result<Vec<u8>, String>;
}

/// Images whose features are wanted, and how they are computed.
#[derive(Debug, Clone, Copy)]
pub struct FeatureRequest<'a> {
    /// Images and regions. A part that occurs twice is encoded once.
    pub parts: &'a [ImagePart],
    /// Stages of the network whose outputs are pooled, at least one.
    pub stages: &'a [StageName],
    /// Pooling of the stages.
    pub pool: PoolName,
    /// How the view of a part is made.
    pub view: PartView,
    /// Number format of the network.
    pub numbers: NumberFormat,
    /// Labels that are stored beside the features.
    pub labels: &'a FeatureLabels,
    /// Output folder: features are cached in its folder `features`. `None` for no cache.
    pub out: Option<&'a Path>,
    /// Threads, verbosity, and the wish to stop: a later run continues with the features that were computed.
    pub control: &'a Control,
}

/// Images that linear classifiers are trained on, and how.
#[derive(Debug, Clone, Copy)]
pub struct HeadRequest<'a> {
    /// Images and regions.
    pub parts: &'a [ImagePart],
    /// Class of each part, below `num_classes`.
    pub classes: &'a [usize],
    /// Number of classes.
    pub num_classes: usize,
    /// Stages of the network, each with classifiers of its own.
    pub stages: &'a [StageName],
    /// Pooling of the stages.
    pub pool: PoolName,
    /// Side of the views, and what becomes of a region that leaves its image. The framing is random.
    pub view: PartView,
    /// Number format of the network; classifiers compute in single precision.
    pub numbers: NumberFormat,
    /// Length of the training, and its learning rates.
    pub recipe: &'a LinearRecipe,
    /// Random seed of the first weights, the order of the images, and their views.
    pub seed: Seed,
    /// Output folder: the state is in its folder `heads`.
    pub out: &'a Path,
    /// Threads, verbosity, and the wish to stop.
    pub control: &'a Control,
}

/// Training of linear classifiers by stochastic gradient descent.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearRecipe {
    /// Number of times that each image is seen.
    pub epochs: u32,
    /// Number of images of a step.
    pub batch: u32,
    /// Learning rates, each of which has a classifier of its own.
    pub learning_rates: Vec<f64>,
}

/// A linear classifier of `K` classes on `D` features.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    /// Learning rate that it was trained at.
    pub learning_rate: f64,
    /// `K x D`, row-major. Not finite if the training diverged.
    pub weights: Vec<f32>,
    /// `K`.
    pub biases: Vec<f32>,
}

/// How the view of a part is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartView {
    /// Side of the square view, px.
    pub side_px: u32,
    /// Resizing to the square.
    pub framing: Framing,
    /// What becomes of a region that leaves its image.
    pub beyond: Beyond,
}

impl PartView {
    /// The view that invariances are measured on: the part of a region inside its image, resized to a square.
    pub fn of_invariance(side_px: u32) -> Self {
        Self {
            side_px,
            framing: Framing::Squash,
            beyond: Beyond::Cut,
        }
    }
}

/// Labels of the parts of a request, stored beside their features for other programs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureLabels {
    /// Arrays of the file.
    pub columns: Vec<LabelColumn>,
    /// Lists of names in the array `about`: the key, and the names of the numbers 0, 1 and so on.
    pub names: Vec<(&'static str, Vec<String>)>,
}

/// An array of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelColumn {
    /// Name of the array.
    pub name: &'static str,
    /// `None` for one label of each part; else the number of labels of each part.
    pub width: Option<usize>,
    /// Labels of all parts, row-major.
    pub values: Vec<i64>,
}

impl FeatureLabels {
    /// `instance` and `class`: the number of each image's set, and of its target.
    pub fn of_sets(sets: &ImageSets) -> Self {
        let set_of = |index: usize| index as i64;
        let target_of = |index: usize| {
            let set = sets.sets.get(index);
            set.map_or(0, |set| set.target_index) as i64
        };
        let column = |name, values: &dyn Fn(usize) -> i64| LabelColumn {
            name,
            width: None,
            values: (sets.images.iter())
                .map(|image| values(image.set_index))
                .collect(),
        };
        Self {
            columns: vec![column("instance", &set_of), column("class", &target_of)],
            names: vec![
                ("sets", sets.sets.iter().map(|set| set.id.clone()).collect()),
                ("targets", sets.targets.clone()),
            ],
        }
    }
}

/// Features of images at one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFeatures {
    /// `N x D`, row-major, finite; one row for each part that could be read.
    pub values: Vec<f32>,
    /// D.
    pub num_units: usize,
    /// N, ascending: the index of each row's part in [`FeatureRequest::parts`].
    pub images: Vec<usize>,
    /// The parts without a row, with the reason, in their order.
    pub left_out: Vec<LeftOut>,
    /// Throughput; `None` if the features were cached.
    pub speed: Option<FeatureSpeed>,
    /// The cache file.
    pub file: Option<PathBuf>,
}

/// Throughput of an encoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeatureSpeed {
    /// Images per second over all images.
    pub images_per_second: f64,
    /// Share of the time in which the encoder waited for images, 0 to 1.
    pub waiting: f64,
}
