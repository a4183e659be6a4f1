//! Where features are taken in a network, and the interface of all networks that give features.

use tch::{Device, Kind, Tensor};
use vidpairs_pipeline::{NumberFormat, PoolName, StageName};
use vidpairs_weights::{Architecture, VitArchitecture};

use super::caught::{LibtorchError, caught};
use super::host::HostViews;
use super::layers::Pass;

/// How the vectors of the places of an image become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Mean over the places: those of a ResNet's map, or the patches of a ViT, without class token and registers.
    Mean,
    /// The class token of a ViT.
    ClassToken,
}

/// Where features are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readout {
    /// Stage of the network.
    pub stage: StageName,
    /// Pooling of the stage's output.
    pub pooling: Pooling,
}

/// Why a network has no such features. Change the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadoutError {
    /// The network has no class token.
    #[error(
        "pool is \"cls\", but {architecture} has no class token; expected \"auto\" or \"mean\""
    )]
    NoClassToken {
        /// Architecture of the network.
        architecture: String,
    },
    /// Before the first block, the class token does not depend on the image.
    #[error(
        "stage is \"stem\", where the class token of {architecture} is the same for every image; expected \"layer1\" to \
         \"layer4\", or pool = \"mean\""
    )]
    ConstantToken {
        /// Architecture of the network.
        architecture: String,
    },
    /// Images of this size cannot be cut into patches.
    #[error(
        "images of {side_px} px cannot be cut into the patches of {architecture}; expected a multiple of {patch_px} px: set \
         size to {nearest_px}"
    )]
    Side {
        /// Side of the images, px.
        side_px: u32,
        /// Architecture of the network.
        architecture: String,
        /// Side of a patch, px.
        patch_px: u32,
        /// The nearest side that fits, px.
        nearest_px: u32,
    },
}

impl Readout {
    /// Features of a network of `architecture` at `stage`, for images of `side_px` px. `auto` takes the class token of a ViT with a norm
    /// before pooling (`norm`), and means otherwise.
    ///
    /// # Errors
    /// [`ReadoutError`].
    pub fn of(
        architecture: &Architecture,
        stage: StageName,
        pool: PoolName,
        side_px: u32,
    ) -> Result<Self, ReadoutError> {
        let vit = match architecture {
            Architecture::ResNet(_) => None,
            Architecture::Vit(vit) => Some(vit),
        };
        let has_class_token = vit.is_some_and(|vit| vit.has_class_token);
        let pooling = match pool {
            PoolName::Mean => Pooling::Mean,
            PoolName::ClassToken if has_class_token => Pooling::ClassToken,
            PoolName::ClassToken => {
                return Err(ReadoutError::NoClassToken {
                    architecture: architecture.to_string(),
                });
            }
            PoolName::Auto if vit.is_some_and(is_read_at_class_token) => Pooling::ClassToken,
            PoolName::Auto => Pooling::Mean,
        };
        if (pooling, stage) == (Pooling::ClassToken, StageName::Stem) {
            return Err(ReadoutError::ConstantToken {
                architecture: architecture.to_string(),
            });
        }
        let patch_px = vit.map_or(1, |vit| u32::try_from(vit.patch_px).unwrap_or(u32::MAX));
        if side_px == 0 || !side_px.is_multiple_of(patch_px) {
            let below = side_px - side_px % patch_px;
            let above = below.saturating_add(patch_px);
            let is_above = below == 0 || above - side_px <= side_px - below;
            return Err(ReadoutError::Side {
                side_px,
                architecture: architecture.to_string(),
                patch_px,
                nearest_px: if is_above { above } else { below },
            });
        }
        Ok(Self { stage, pooling })
    }
}

fn is_read_at_class_token(vit: &VitArchitecture) -> bool {
    vit.has_class_token && !vit.has_fc_norm
}

/// Network that gives features of images.
pub trait FeatureNetwork {
    /// Device of the weights.
    fn device(&self) -> Device;

    /// Maps normalised images, `N x 3 x H x W`, to features at each of `readouts`, `N x D`, f32, in one pass through the network.
    fn features(&self, images: &Tensor, readouts: &[Readout], pass: Pass) -> Vec<Tensor>;

    /// Features of `views` at each of `readouts` in evaluation: `N x D`, row-major.
    ///
    /// - `side_px`: side of each view, px.
    ///
    /// # Errors
    /// [`LibtorchError`], most often for lack of memory.
    fn encode(
        &self,
        views: &HostViews,
        side_px: u32,
        readouts: &[Readout],
        precision: NumberFormat,
    ) -> Result<Vec<Vec<f32>>, LibtorchError> {
        caught(|| {
            let images = views.tensor(side_px).to_device(self.device());
            let pass = Pass::Evaluation { precision };
            let features = tch::no_grad(|| self.features(&images, readouts, pass));
            let to_host = |features: Tensor| {
                let features = features.to_kind(Kind::Float).to_device(Device::Cpu);
                let features = features.contiguous();
                let mut values = vec![0.0; features.numel()];
                features.copy_data(&mut values, features.numel());
                values
            };
            features.into_iter().map(to_host).collect()
        })
    }
}

/// Network that gives maps of features, of which a dense prediction is made.
pub trait MapNetwork: FeatureNetwork {
    /// Maps normalised images, `N x 3 x H x W` with sides that are multiples of [`map_stride`](Self::map_stride), to the map of `stage`,
    /// `N x C x h x w`, f32, where `h` is `H` over this stride.
    fn map(&self, images: &Tensor, stage: StageName, pass: Pass) -> Tensor;

    /// Px of an image for each place of the map of `stage`, along a side.
    fn map_stride(&self, stage: StageName) -> i64;
}

#[cfg(test)]
mod tests {
    use vidpairs_weights::{
        Depth, LayerScale, Positions, QkvForm, ResNetArchitecture, Stem, VitSize,
    };

    use super::*;

    const VIT: VitArchitecture = VitArchitecture {
        size: VitSize::Small,
        patch_px: 14,
        in_channels: 3,
        has_class_token: true,
        num_registers: 0,
        positions: Positions::Learned {
            grid: 16,
            has_class: true,
        },
        qkv: QkvForm::Joint,
        layer_scale: LayerScale::Absent,
        has_fc_norm: false,
    };
    const RESNET: Architecture = Architecture::ResNet(ResNetArchitecture {
        depth: Depth::R50,
        first_width: 64,
        in_channels: 3,
        stem: Stem::Large,
    });

    fn pooling(architecture: &Architecture, pool: PoolName) -> Result<Pooling, String> {
        let readout = Readout::of(architecture, StageName::Layer4, pool, 224);
        readout
            .map(|readout| readout.pooling)
            .map_err(|err| err.to_string())
    }

    #[test]
    fn auto_pooling_is_what_the_architecture_was_trained_with() {
        let vit = |has_class_token, has_fc_norm| {
            Architecture::Vit(VitArchitecture {
                has_class_token,
                has_fc_norm,
                ..VIT
            })
        };
        for (architecture, expected) in [
            (vit(true, false), Pooling::ClassToken),
            (vit(true, true), Pooling::Mean),
            (vit(false, false), Pooling::Mean),
            (RESNET, Pooling::Mean),
        ] {
            assert_eq!(pooling(&architecture, PoolName::Auto), Ok(expected));
            assert_eq!(pooling(&architecture, PoolName::Mean), Ok(Pooling::Mean));
        }
        let cls = |architecture| pooling(&architecture, PoolName::ClassToken);
        assert_eq!(cls(vit(true, true)), Ok(Pooling::ClassToken));
        assert!(
            cls(RESNET)
                .unwrap_err()
                .contains("ResNet-50 has no class token")
        );
        assert!(
            cls(vit(false, true))
                .unwrap_err()
                .contains("has no class token")
        );
    }

    #[test]
    fn a_class_token_before_the_first_block_is_refused() {
        let vit = Architecture::Vit(VIT);
        let at = |pool| Readout::of(&vit, StageName::Stem, pool, 224);
        let err = at(PoolName::Auto).unwrap_err();
        assert!(matches!(err, ReadoutError::ConstantToken { .. }), "{err}");
        assert!(at(PoolName::Mean).is_ok());
    }

    #[test]
    fn a_side_that_is_no_multiple_of_the_patch_is_refused_with_the_nearest() {
        let vit = Architecture::Vit(VIT);
        let at = |side_px| Readout::of(&vit, StageName::Layer4, PoolName::Auto, side_px);
        for (side_px, nearest_px) in [(128, 126), (16, 14), (21, 28), (6, 14), (225, 224)] {
            let err = at(side_px).unwrap_err();
            assert!(
                matches!(err, ReadoutError::Side { nearest_px: nearest, .. } if nearest == nearest_px),
                "{err}"
            );
        }
        assert!(at(14).is_ok() && at(518).is_ok());
        assert!(Readout::of(&RESNET, StageName::Layer4, PoolName::Auto, 225).is_ok());
    }
}
