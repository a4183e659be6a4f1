//! Writes weights for other programs.
//!
//! **Takes** a trunk under torchvision's names. **Gives** the bytes of a file; equal trunks give equal bytes. **Fails** with
//! `WeightsError` if the trunk is not a complete ResNet. **Source**: the programs named at each function.

mod formats;
pub(super) mod pickle;
mod torch;

use std::path::Path;

pub use formats::{detectron2_bytes, moco_bytes, torchvision_bytes, vissl_bytes};

use vidpairs_types::replace_whole;

use crate::error::WeightsError;
use crate::safe::safetensors_bytes;
use crate::weights::Weights;

/// Writes a file completely or not at all, replacing an existing one.
///
/// # Errors
/// [`WeightsError::Write`]; an existing file is then unchanged.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    replace_whole(path, bytes).map_err(|source| WeightsError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes `weights` and their metadata as safetensors, completely or not at all, replacing an existing file.
///
/// # Errors
/// [`WeightsError::Write`]; those of [`safetensors_bytes`].
pub fn write_safetensors(path: &Path, weights: &Weights) -> Result<(), WeightsError> {
    write_bytes(path, &safetensors_bytes(weights)?)
}
