//! Weights of networks in files: read from other programs, written for them.
//!
//! **Takes** safetensors, or what `torch.save` writes (the zip since PyTorch 1.6, the stream before).
//! **Gives** [`Weights`], tensors by name, and out of them the ResNet ([`backbone`]) under torchvision's names.
//! **Fails** with [`WeightsError`], which says what is wrong and where; a damaged or a hostile file is an error
//! and never runs code. **Source**: the safetensors specification; PyTorch's `torch/serialization.py` and
//! Python's `pickletools` for the formats. docs/WEIGHTS.md has the details.

mod architecture;
mod error;
mod kept;
mod pickle;
mod read;
mod safe;
mod tensor;
mod torch;
mod trunk;
mod write;

pub use architecture::{Architecture, Depth, Stem};
pub use error::{RecordFault, TensorFault, WeightsError};
pub use kept::Weights;
pub use pickle::{PickleError, PickleFault};
pub use read::{parse_weights, read_weights};
pub use safe::safetensors_bytes;
pub use tensor::{ElementKind, HostTensor};
pub use trunk::{Backbone, backbone};
pub use write::{
    detectron2_bytes, moco_bytes, torchvision_bytes, vissl_bytes, write_bytes, write_safetensors,
};

#[cfg(test)]
mod tests;
