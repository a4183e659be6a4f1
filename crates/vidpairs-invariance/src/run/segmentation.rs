//! Asks an encoder to segment images.

use std::path::{Path, PathBuf};

use vidpairs_pipeline::{NumberFormat, StageName};
use vidpairs_run::Control;
use vidpairs_types::{LeftOut, Seed, Split};

use crate::probe::segmentation::ImagePixels;

/// An image with a class for each pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentationImage {
    /// Name of the image in its data set.
    pub id: String,
    /// File of the image.
    pub path: PathBuf,
    /// File of the labels: 0 and 255 are unlabelled, else the number of the class from 1.
    pub labels: PathBuf,
    /// Part of the data set.
    pub split: Split,
}

/// What the labels of a data set show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LabelSurvey {
    /// For each image its classes, from 0, ascending; none for an image that cannot be used.
    pub shown: Vec<Option<Vec<usize>>>,
    /// The images that cannot be used, with the reason, in their order.
    pub left_out: Vec<LeftOut>,
}

/// What becomes of a trunk below a head that is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trunk {
    /// It stays as it is.
    Frozen,
    /// It is trained with the head at [`Trunk::RATE`] of its learning rate. Batch norm stays in evaluation mode.
    Finetuned,
}

impl Trunk {
    /// Learning rate of a trunk over that of its head.
    pub const RATE: f64 = 0.1;
}

/// Training of a segmentation head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentationRecipe {
    /// Side of the random crops in training, px.
    pub size_px: u32,
    /// Number of times that each image is seen.
    pub epochs: u32,
    /// Number of images of a step.
    pub batch: u32,
    /// Learning rate at the first step.
    pub learning_rate: f64,
    /// Whether the trunk is trained too.
    pub trunk: Trunk,
}

impl SegmentationRecipe {
    /// Smallest and largest factor of the random scales in training.
    pub const SCALES: [f64; 2] = [0.5, 2.0];
    /// SGD momentum.
    pub const MOMENTUM: f64 = 0.9;
    /// Weight decay.
    pub const WEIGHT_DECAY: f64 = 1e-4;
    /// Exponent of the polynomial decay of the learning rate.
    pub const POWER: f64 = 0.9;

    /// Longest side of a test image, px: a longer one is scaled down to it.
    pub fn max_test_side_px(&self) -> u32 {
        2 * self.size_px
    }
}

/// Images that a segmentation head is trained and tested on, and how.
#[derive(Debug, Clone, Copy)]
pub struct SegmentationRequest<'a> {
    /// Images of both splits that a [survey](super::EncoderEngine::survey) found usable.
    pub images: &'a [SegmentationImage],
    /// Number of classes.
    pub num_classes: usize,
    /// Stage of the network.
    pub stage: StageName,
    /// Number format of the network; the head computes in single precision.
    pub numbers: NumberFormat,
    /// The training.
    pub recipe: SegmentationRecipe,
    /// Random seed of the first weights, the order of the images, and their crops.
    pub seed: Seed,
    /// Output folder: the state is in its folder `heads`.
    pub out: &'a Path,
    /// Threads, verbosity, and the wish to stop.
    pub control: &'a Control,
}

/// Predictions for the test images.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmented {
    /// The test images of the request, in its order.
    pub images: Vec<SegmentedImage>,
    /// Number of features of a place of the map.
    pub num_units: usize,
}

/// Prediction for a test image.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentedImage {
    /// Labelled pixels by true and predicted class, at the size of the label image.
    pub pixels: ImagePixels,
    /// The image, the prediction and the truth side by side, as a small JPEG; or the reason why they cannot be shown.
    pub picture: Result<Vec<u8>, String>,
}

/// The colour of a class in pictures, red, green and blue: hues that are a golden section apart, at three brightnesses.
pub fn class_color(class: u8) -> [u8; 3] {
    let hue = (f64::from(class) * 0.618_034).fract() * 6.0;
    let value = [230.0, 180.0, 130.0][usize::from(class) % 3];
    [5.0, 3.0, 1.0].map(|offset: f64| {
        let place = (offset + hue) % 6.0;
        let share = place.min(4.0 - place).clamp(0.0, 1.0);
        (value * (1.0 - 0.75 * share)) as u8
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_class_has_a_colour_of_its_own() {
        let colors: BTreeSet<[u8; 3]> = (0..255).map(class_color).collect();
        assert_eq!(colors.len(), 255);
    }
}
