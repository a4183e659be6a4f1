//! Errors of computing features.

use std::path::PathBuf;

use vidpairs_run::RunError;
use vidpairs_weights::WeightsError;

use crate::model::{DeviceError, LibtorchError, ReadoutError};

/// Why features cannot be computed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// No image can be read.
    #[error(
        "none of the {num_images} images can be read; the first, {}: {reason}", .path.display()
    )]
    NoImage {
        /// Number of images.
        num_images: usize,
        /// Path of the first.
        path: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
    /// The device does not exist.
    #[error("--{0}")]
    Device(#[from] DeviceError),
    /// A file of weights cannot be read or understood.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The encoder has no such features, or not of images of this size.
    #[error(transparent)]
    Readout(#[from] ReadoutError),
    /// The data set is empty.
    #[error("the data set lists no images")]
    Empty,
    /// libtorch failed, usually for lack of memory.
    #[error("libtorch could not encode a batch of images: {0}")]
    Libtorch(LibtorchError),
    /// libtorch failed in a training step, usually for lack of memory.
    #[error(
        "libtorch could not take a training step: {0}; lower probe.linear_batch or probe.segmentation_batch, or use a device with more free \
         memory"
    )]
    Step(LibtorchError),
    /// A feature is not finite: weights that diverged in training, or overflow in a short number format.
    #[error(
        "unit {unit} of the features of {} is {value}; expected a finite number: use other weights, or compute in f32", .path.display()
    )]
    NotFinite {
        /// The image.
        path: PathBuf,
        /// Index of the unit, from 0.
        unit: usize,
        /// Its value: NaN or infinite.
        value: f32,
    },
    /// An image whose features were computed cannot be read any more.
    #[error("{} can no longer be read: {reason}; run the same command again", .path.display())]
    Unreadable {
        /// The image.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The batch of a step was lost.
    #[error("the batch of step {step} is lost: {reason}; run the same command again")]
    LostBatch {
        /// Number of the step, from 0.
        step: u64,
        /// Why.
        reason: String,
    },
    /// A trunk of this kind has no training.
    #[error(
        "probe.finetune is true, but {architecture} can only be used as it is; expected false, or the weights of a ResNet"
    )]
    CannotFinetune {
        /// Architecture of the network.
        architecture: String,
    },
    /// The training of a segmentation head diverged.
    #[error(
        "the loss of the segmentation head is {loss}: the training diverged; set probe.segmentation_rate to a smaller number"
    )]
    Diverged {
        /// Loss, not finite.
        loss: f64,
    },
    /// Features that are not complete yet cannot be kept.
    #[error(transparent)]
    Keep(Box<RunError>),
    /// Many images cannot be read.
    #[error(
        "{num_unreadable} of the {num_images} images cannot be read; expected at most a tenth, or 4: repair the data set. The first, {}: \
         {reason}", .path.display()
    )]
    TooManyUnreadable {
        /// Number of images that cannot be read.
        num_unreadable: usize,
        /// Number of images.
        num_images: usize,
        /// Path of the first.
        path: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
}

impl From<FeatureError> for RunError {
    fn from(error: FeatureError) -> Self {
        match error {
            FeatureError::Keep(error) => *error,
            error => Self::of(error),
        }
    }
}
