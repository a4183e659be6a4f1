//! Networks on libtorch: ResNets with torchvision's tensor names, the heads that they are trained with, and vision transformers in
//! evaluation.
//!
//! **Takes** a [`ResNetConfig`] or a file of weights ([`TrainedEncoder`]), and normalised images, `N x 3 x H x W`. **Gives** features,
//! `N x D`. **Fails** if the device is missing ([`DeviceError`]). **Source**: He et al. 2016, torchvision's definition; for vision
//! transformers timm's.

mod caught;
mod device;
mod draw;
mod head;
mod host;
mod layers;
mod readout;
mod resnet;
mod segmentation;
mod tensors;
mod trained;
mod vit;

pub use caught::{LibtorchError, caught};
pub use device::{DeviceError, device, device_or_best, libtorch_devices, use_cores};
pub use draw::normal;
pub use head::{Head, unit_rows};
pub use host::{HostViews, from_host, to_host};
pub use layers::Pass;
pub use readout::{FeatureNetwork, MapNetwork, Pooling, Readout, ReadoutError};
pub use resnet::{ResNet, ResNetConfig, num_layers};
pub use segmentation::{SegmentationHead, UNLABELLED, classes_of_pixels};
pub use tensors::{NamedTensor, NamedTensors, channels_last};
pub use trained::{TrainedEncoder, TrainedNetwork};
pub use vidpairs_pipeline::{NumberFormat, PoolName, StageName};
pub use vidpairs_weights::{Depth, Stem};
pub use vit::Vit;
