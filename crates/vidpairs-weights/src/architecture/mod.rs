//! Detects the architecture of a network by the names and shapes of its tensors.

mod resnet;
mod vit;

use std::collections::HashSet;
use std::fmt;

pub use resnet::{Depth, ResNetArchitecture, Stem};
pub use vit::{LayerScale, Positions, QkvForm, VitArchitecture, VitSize};

pub(crate) use vit::check_heads;

use crate::error::WeightsError;
use crate::weights::Weights;

/// Kind of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKind {
    /// Residual network of convolutions.
    ResNet,
    /// Vision transformer.
    Vit,
}

impl NetworkKind {
    /// Layers that other networks of the kind have, for errors.
    pub(crate) fn foreign_layers(self) -> &'static str {
        match self {
            Self::ResNet => "SE, CBAM, IBN, a bias, a deep stem or others",
            Self::Vit => {
                "SwiGLU, a distillation token, relative positions, norms of queries, a norm before the blocks, attention \
                 pooling or others"
            }
        }
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ResNet => "ResNet",
            Self::Vit => "ViT",
        })
    }
}

/// Architecture of a network. Its text is such as `ResNet-50` or `ViT-S/14 with 4 registers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// A ResNet.
    ResNet(ResNetArchitecture),
    /// A vision transformer.
    Vit(VitArchitecture),
}

impl Architecture {
    /// Detects the architecture of `trunk`, a [`Backbone`](crate::Backbone)'s tensors, and checks that it has every tensor of
    /// the network with the right shape, and none besides.
    ///
    /// # Errors
    /// [`WeightsError::UnknownArchitecture`], [`WeightsError::MissingTensor`], [`WeightsError::Shape`] or
    /// [`WeightsError::ForeignTensor`].
    pub fn of(trunk: &Weights) -> Result<Self, WeightsError> {
        match trunk.get(vit::FIRST_TENSOR) {
            Some(_) => VitArchitecture::of(trunk).map(Self::Vit),
            None => ResNetArchitecture::of(trunk).map(Self::ResNet),
        }
    }

    /// Kind of the network.
    pub fn kind(&self) -> NetworkKind {
        match self {
            Self::ResNet(_) => NetworkKind::ResNet,
            Self::Vit(_) => NetworkKind::Vit,
        }
    }

    /// Names and shapes of all tensors of the trunk, in the order of the network, without batch counters.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::ResNet(resnet) => resnet.tensors(),
            Self::Vit(vit) => vit.tensors(),
        }
    }

    /// Channels of an input image, usually 3.
    pub fn in_channels(&self) -> usize {
        match self {
            Self::ResNet(resnet) => resnet.in_channels,
            Self::Vit(vit) => vit.in_channels,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResNet(resnet) => resnet.fmt(f),
            Self::Vit(vit) => vit.fmt(f),
        }
    }
}

/// Checks that `trunk` has exactly `tensors`. Batch counters (`num_batches_tracked`) beside a running mean may be there or not.
fn check(
    trunk: &Weights,
    tensors: &[(String, Vec<usize>)],
    kind: NetworkKind,
    architecture: &dyn fmt::Display,
) -> Result<(), WeightsError> {
    let known: HashSet<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    let is_known = |name: &str| match name.strip_suffix("num_batches_tracked") {
        Some(norm) => known.contains(format!("{norm}running_mean").as_str()),
        None => known.contains(name),
    };
    // Before missing tensors: a layer of another kind often takes the place of one.
    let foreign: Vec<&str> = trunk.names().filter(|name| !is_known(name)).collect();
    if let Some(err) = WeightsError::foreign(kind, &foreign) {
        return Err(err);
    }
    for (name, expected) in tensors {
        match trunk.get(name) {
            Some(tensor) if tensor.shape() == expected => {}
            Some(tensor) => {
                return Err(WeightsError::Shape {
                    name: name.clone(),
                    got: tensor.shape().to_vec(),
                    expected: expected.clone(),
                    architecture: architecture.to_string(),
                });
            }
            None => {
                return Err(WeightsError::MissingTensor {
                    name: name.clone(),
                    architecture: architecture.to_string(),
                });
            }
        }
    }
    Ok(())
}
