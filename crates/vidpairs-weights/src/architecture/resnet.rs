//! ResNets by the names and shapes of their tensors.
//!
//! **Source**: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1; torchvision's names.

use std::fmt;

use super::{NetworkKind, check};
use crate::error::WeightsError;
use crate::weights::Weights;

/// Depth of a ResNet, which also decides the kind of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Blocks of two convolutions, 2 2 2 2 in the four stages.
    R18,
    /// Blocks of two convolutions, 3 4 6 3.
    R34,
    /// Bottlenecks, 3 4 6 3.
    R50,
    /// Bottlenecks, 3 4 23 3.
    R101,
    /// Bottlenecks, 3 8 36 3.
    R152,
}

impl Depth {
    /// All depths.
    pub const ALL: [Self; 5] = [Self::R18, Self::R34, Self::R50, Self::R101, Self::R152];

    /// Number of layers, as in `ResNet-50`.
    pub fn num_layers(self) -> usize {
        match self {
            Self::R18 => 18,
            Self::R34 => 34,
            Self::R50 => 50,
            Self::R101 => 101,
            Self::R152 => 152,
        }
    }

    /// Numbers of blocks of `layer1` to `layer4`.
    pub fn num_blocks(self) -> [usize; 4] {
        match self {
            Self::R18 => [2, 2, 2, 2],
            Self::R34 | Self::R50 => [3, 4, 6, 3],
            Self::R101 => [3, 4, 23, 3],
            Self::R152 => [3, 8, 36, 3],
        }
    }

    /// Whether blocks are bottlenecks: convolutions 1 x 1, 3 x 3, and 1 x 1 to four times the channels.
    pub fn has_bottlenecks(self) -> bool {
        self >= Self::R50
    }
}

/// First convolution, by its kernel. Weights do not show strides and pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stem {
    /// 7 x 7, for images of 224 px; all known networks use stride 2 and pooling after it.
    Large,
    /// 3 x 3, for small images; usually with stride 1 and without pooling.
    Small,
}

impl Stem {
    /// Kernel size, px.
    pub fn kernel_px(self) -> usize {
        match self {
            Self::Large => 7,
            Self::Small => 3,
        }
    }
}

/// Architecture of a ResNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNetArchitecture {
    /// Depth.
    pub depth: Depth,
    /// Output channels of the first convolution, 64 in the published networks.
    pub first_width: usize,
    /// Channels of an input image, usually 3.
    pub in_channels: usize,
    /// First convolution.
    pub stem: Stem,
}

impl ResNetArchitecture {
    /// Detects the architecture of `trunk` (torchvision's names, no prefix) and checks that it has every tensor of the
    /// network with the right shape, and none besides. Batch counters (`num_batches_tracked`) may be missing.
    ///
    /// # Errors
    /// [`WeightsError::UnknownArchitecture`], [`WeightsError::MissingTensor`], [`WeightsError::Shape`] or
    /// [`WeightsError::ForeignTensor`].
    pub fn of(trunk: &Weights) -> Result<Self, WeightsError> {
        let architecture = Self::detected(trunk)?;
        let tensors = architecture.tensors();
        check(trunk, &tensors, NetworkKind::ResNet, &architecture)?;
        Ok(architecture)
    }

    /// Names and shapes of all tensors of the trunk, in the order of the network, without batch counters.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let kernel = self.stem.kernel_px();
        let mut tensors = vec![(
            "conv1.weight".to_owned(),
            vec![self.first_width, self.in_channels, kernel, kernel],
        )];
        norm(&mut tensors, "bn1", self.first_width);
        let mut channels = self.first_width;
        for (stage, num_blocks) in self.depth.num_blocks().into_iter().enumerate() {
            let width = self.first_width << stage;
            for index in 0..num_blocks {
                let block = format!("layer{}.{index}", stage + 1);
                self.block(&mut tensors, &block, channels, width);
                let out = width * self.expansion();
                if index == 0 && (stage > 0 || channels != out) {
                    let name = format!("{block}.downsample.0.weight");
                    tensors.push((name, vec![out, channels, 1, 1]));
                    norm(&mut tensors, &format!("{block}.downsample.1"), out);
                }
                channels = out;
            }
        }
        tensors
    }

    fn block(
        &self,
        tensors: &mut Vec<(String, Vec<usize>)>,
        block: &str,
        channels: usize,
        width: usize,
    ) {
        let convolutions: &[(usize, usize, usize)] = if self.depth.has_bottlenecks() {
            &[
                (channels, width, 1),
                (width, width, 3),
                (width, 4 * width, 1),
            ]
        } else {
            &[(channels, width, 3), (width, width, 3)]
        };
        for (place, &(from, to, kernel)) in (1..).zip(convolutions) {
            tensors.push((
                format!("{block}.conv{place}.weight"),
                vec![to, from, kernel, kernel],
            ));
            norm(tensors, &format!("{block}.bn{place}"), to);
        }
    }

    fn expansion(&self) -> usize {
        if self.depth.has_bottlenecks() { 4 } else { 1 }
    }

    fn detected(trunk: &Weights) -> Result<Self, WeightsError> {
        let unknown = |what| WeightsError::unknown(NetworkKind::ResNet, what);
        let conv1 = trunk
            .get("conv1.weight")
            .ok_or_else(|| unknown("no conv1.weight".to_owned()))?;
        let (first_width, in_channels, stem) = match *conv1.shape() {
            [width, channels, 7, 7] => (width, channels, Stem::Large),
            [width, channels, 3, 3] => (width, channels, Stem::Small),
            ref other => {
                return Err(unknown(format!(
                    "conv1.weight is {other:?}; expected width x channels x 7 x 7, or 3 x 3"
                )));
            }
        };
        if first_width == 0 || first_width > 1 << 16 {
            return Err(unknown(format!(
                "conv1.weight has {first_width} output channels"
            )));
        }
        let num_blocks = [1, 2, 3, 4].map(|layer| {
            let weight = |block: &usize| format!("layer{layer}.{block}.conv1.weight");
            let has_block = |block: &usize| trunk.get(&weight(block)).is_some();
            (0..).take_while(has_block).count()
        });
        let has_bottlenecks = trunk.get("layer1.0.conv3.weight").is_some();
        let is_depth = |depth: &Depth| {
            depth.num_blocks() == num_blocks && depth.has_bottlenecks() == has_bottlenecks
        };
        let depth = Depth::ALL.into_iter().find(is_depth).ok_or_else(|| {
            let kind = if has_bottlenecks {
                "bottlenecks"
            } else {
                "blocks"
            };
            unknown(format!("{num_blocks:?} {kind} in layer1 to layer4"))
        })?;
        Ok(Self {
            depth,
            first_width,
            in_channels,
            stem,
        })
    }
}

impl fmt::Display for ResNetArchitecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResNet-{}", self.depth.num_layers())?;
        if self.first_width != 64 {
            write!(f, " of width {}", self.first_width)?;
        }
        match self.stem {
            Stem::Large => Ok(()),
            Stem::Small => f.write_str(" with a 3 x 3 stem"),
        }
    }
}

fn norm(tensors: &mut Vec<(String, Vec<usize>)>, name: &str, channels: usize) {
    for part in ["weight", "bias", "running_mean", "running_var"] {
        tensors.push((format!("{name}.{part}"), vec![channels]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{ElementKind, HostTensor};

    fn network(depth: Depth, first_width: usize, stem: Stem) -> ResNetArchitecture {
        ResNetArchitecture {
            depth,
            first_width,
            in_channels: 3,
            stem,
        }
    }

    fn zeros(architecture: &ResNetArchitecture) -> Weights {
        let tensors = architecture.tensors().into_iter().map(|(name, shape)| {
            let bytes = vec![0; shape.iter().product()];
            (
                name,
                HostTensor::new(shape, ElementKind::U8, bytes).unwrap(),
            )
        });
        tensors.collect()
    }

    #[test]
    fn every_depth_width_and_stem_is_detected() {
        for depth in Depth::ALL {
            for (width, stem) in [(2, Stem::Large), (4, Stem::Small)] {
                let network = network(depth, width, stem);
                assert_eq!(ResNetArchitecture::of(&zeros(&network)).unwrap(), network);
            }
        }
    }

    #[test]
    fn the_numbers_of_parameters_are_those_of_the_published_networks() {
        // torchvision's resnet18, 34, 50, 101, 152 without fc.
        let published = [11_176_512, 21_284_672, 23_508_032, 42_500_160, 58_143_808];
        for (depth, expected) in Depth::ALL.into_iter().zip(published) {
            let tensors = network(depth, 64, Stem::Large).tensors();
            let parameters = tensors.iter().filter(|(name, _)| !name.contains("running"));
            let count: usize = parameters
                .map(|(_, shape)| shape.iter().product::<usize>())
                .sum();
            assert_eq!(count, expected, "{depth:?}");
        }
    }

    #[test]
    fn the_errors_for_a_missing_tensor_and_a_wrong_shape_state_its_name() {
        let network = network(Depth::R18, 2, Stem::Large);
        let without = zeros(&network)
            .into_iter()
            .filter(|(name, _)| name != "layer3.1.bn2.bias");
        let err = ResNetArchitecture::of(&without.collect()).unwrap_err();
        assert!(
            err.to_string().contains("layer3.1.bn2.bias is missing"),
            "{err}"
        );

        let mut wrong = zeros(&network);
        wrong.insert(
            "bn1.bias",
            HostTensor::new(vec![3], ElementKind::U8, vec![0; 3]).unwrap(),
        );
        let err = ResNetArchitecture::of(&wrong).unwrap_err();
        assert!(
            err.to_string().contains("bn1.bias is [3]; expected [2]"),
            "{err}"
        );
    }

    #[test]
    fn the_error_for_unknown_numbers_of_blocks_states_them() {
        let network = network(Depth::R18, 2, Stem::Small);
        let kept = zeros(&network)
            .into_iter()
            .filter(|(name, _)| !name.starts_with("layer4.1"));
        let err = ResNetArchitecture::of(&kept.collect()).unwrap_err();
        assert!(err.to_string().contains("[2, 2, 2, 1] blocks"), "{err}");
    }
}
