//! Reads and writes files of network weights without libtorch.
//!
//! - **Takes** safetensors files and files of `torch.save`: the zip format since PyTorch 1.6, and the stream before.
//! - **Gives** [`Weights`], tensors by name; from them the ResNet or ViT ([`backbone()`]) under torchvision's or timm's names. Writes
//!   safetensors and files for MoCo, VISSL, torchvision and Detectron2.
//! - **Fails** with [`WeightsError`], which states the problem and its place. A damaged or hostile file is an error and
//!   never runs code.
//! - **Source**: the safetensors specification; PyTorch's `torch/serialization.py`; Python's `pickletools`.
//!   docs/WEIGHTS.md in the repository describes the formats.

mod architecture;
mod error;
mod foreign;
mod names;
mod pickle;
mod read;
mod safe;
mod seal;
mod tensor;
mod torch;
mod trunk;
mod weights;
mod write;

pub use architecture::{
    Architecture, Depth, LayerScale, NetworkKind, Positions, QkvForm, ResNetArchitecture, Stem,
    VitArchitecture, VitSize,
};
pub use error::{RecordFault, WeightsError};
pub use pickle::{PickleError, PickleFault};
pub use read::{parse_weights, read_weights};
pub use safe::safetensors_bytes;
pub use seal::KEY as CHECKSUM_KEY;
pub use tensor::{ElementKind, HostTensor, TensorFault};
pub use trunk::{Backbone, backbone, backbone_under};
pub use weights::{Skipped, Weights};
pub use write::{
    detectron2_bytes, moco_bytes, torchvision_bytes, vissl_bytes, write_bytes, write_safetensors,
};

#[cfg(test)]
mod tests;
