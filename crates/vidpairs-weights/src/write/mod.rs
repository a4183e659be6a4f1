//! Trunks written as other programs expect them.
//!
//! **Takes** a trunk under torchvision's names. **Gives** the bytes of a file, the same for the same trunk.
//! **Fails** with `WeightsError` if it is no complete ResNet. **Source**: the programs named at each function.

mod formats;
mod numpy;
pub(super) mod pickle;
mod torch;

use std::path::Path;

pub use formats::{detectron2_bytes, moco_bytes, torchvision_bytes, vissl_bytes};

use vidpairs_types::replace_whole;

use super::error::WeightsError;
use super::kept::Weights;
use super::safe::safetensors_bytes;

/// Writes a file, whole or not at all; one that is there is replaced.
///
/// # Errors
/// [`WeightsError::Write`]; a file that was there is as it was.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    replace_whole(path, bytes).map_err(|source| WeightsError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes `weights` and their metadata as safetensors, whole or not at all; a file that is there is replaced.
///
/// # Errors
/// [`WeightsError::Write`], or as [`safetensors_bytes`].
pub fn write_safetensors(path: &Path, weights: &Weights) -> Result<(), WeightsError> {
    write_bytes(path, &safetensors_bytes(weights)?)
}
