//! Why features cannot be made.

use std::path::PathBuf;

use vidpairs_run::RunError;
use vidpairs_weights::WeightsError;

use crate::model::{DeviceError, LibtorchError};

/// Why features cannot be made. All are final: the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// Not one image can be read.
    #[error(
        "none of the {num_images} images can be read; the first, {}: {reason}", .path.display()
    )]
    NoImage {
        /// Images listed.
        num_images: usize,
        /// The first of them.
        path: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
    /// The device is not there.
    #[error("--{0}")]
    Device(#[from] DeviceError),
    /// A file of weights cannot be read or understood.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// There is nothing to encode.
    #[error("the data set lists no images")]
    Empty,
    /// libtorch gave up: as a rule there is no room left.
    #[error("libtorch could not encode a batch of images: {0}")]
    Libtorch(LibtorchError),
    /// A feature is no number: weights that broke down in training, or too large for the numbers they compute in.
    #[error(
        "unit {unit} of the features of {} is {value}; expected a finite number: use other weights, or compute in f32", .path.display()
    )]
    NotFinite {
        /// The image.
        path: PathBuf,
        /// From 0.
        unit: usize,
        /// NaN or infinite.
        value: f32,
    },
    /// A batch was lost: a bug, or a disk that does not answer.
    #[error("a batch of images was lost, the first of them {}: {reason}", .path.display())]
    Lost {
        /// The first image of the batch.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl From<FeatureError> for RunError {
    fn from(error: FeatureError) -> Self {
        Self::of(error)
    }
}
