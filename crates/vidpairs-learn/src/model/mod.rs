//! Networks on libtorch: ResNets under torchvision's names, and the heads that they are trained with.
//!
//! **Takes** a [`ResNetConfig`], normalised images `N x 3 x H x W`. **Gives** features `N x D`. **Fails** where a device is
//! not there ([`DeviceError`]). **Source**: He et al. 2016, torchvision's definition.

mod caught;
mod device;
mod draw;
mod head;
mod heap;
mod host;
mod layers;
mod resnet;
mod stage;
mod tensors;
mod trained;
mod views;

pub use caught::{LibtorchError, caught};
pub use device::{DeviceError, device, device_or_best, libtorch_devices, use_cores};
pub use draw::normal;
pub use head::{Head, unit_rows};
pub use heap::keep_freed_memory;
pub use host::{from_host, to_host};
pub use layers::{Pass, Precision};
pub use resnet::{ResNet, ResNetConfig};
pub use stage::Stage;
pub use tensors::{NamedTensor, NamedTensors, channels_last};
pub use trained::TrainedResNet;
pub use vidpairs_weights::{Depth, Stem};
pub use views::HostViews;
