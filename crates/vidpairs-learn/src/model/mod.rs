//! Networks on libtorch: ResNets with torchvision's tensor names, and the heads that they are trained with.
//!
//! **Takes** a [`ResNetConfig`] and normalised images, `N x 3 x H x W`. **Gives** features, `N x D`. **Fails** if the device
//! is missing ([`DeviceError`]). **Source**: He et al. 2016, torchvision's definition.

mod caught;
mod device;
mod draw;
mod head;
mod host;
mod layers;
mod resnet;
mod tensors;
mod trained;

pub use caught::{LibtorchError, caught};
pub use device::{DeviceError, device, device_or_best, libtorch_devices, use_cores};
pub use draw::normal;
pub use head::{Head, unit_rows};
pub use host::{HostViews, from_host, to_host};
pub use layers::Pass;
pub use resnet::{ResNet, ResNetConfig, num_layers};
pub use tensors::{NamedTensor, NamedTensors, channels_last};
pub use trained::TrainedResNet;
pub use vidpairs_pipeline::{NumberFormat, StageName};
pub use vidpairs_weights::{Depth, Stem};
