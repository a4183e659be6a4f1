//! ResNets with torchvision's tensor names.
//!
//! # Source
//! He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. As in torchvision, the 3 x 3 convolution of a
//! bottleneck has its stride.

use tch::{Device, Tensor};
use vidpairs_pipeline::StageName;
use vidpairs_types::Seed;
use vidpairs_weights::{Depth, ResNetArchitecture, Stem};

use super::layers::{BatchNorm, Conv, Dilation, Pass};
use super::readout::{FeatureNetwork, MapNetwork, Readout};
use super::tensors::{Builder, NamedTensors};

/// Architecture of a ResNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNetConfig {
    /// Number of layers.
    pub depth: Depth,
    /// Output channels of the first convolution, 64 in torchvision. Those of all others are proportional to it.
    pub width: i64,
    /// Layers before the residual blocks.
    pub stem: Stem,
}

impl ResNetConfig {
    /// Number of output features: at width 64, 512 for ResNet-18 and 34, 2048 for ResNet-50.
    pub fn num_features(&self) -> i64 {
        self.num_features_of(StageName::Layer4)
    }

    /// Number of features at `stage`: the channels of its map.
    pub fn num_features_of(&self, stage: StageName) -> i64 {
        match num_layers(stage) {
            0 => self.width,
            layers => (self.width << (layers - 1)) * expansion(self.depth),
        }
    }
}

impl From<ResNetArchitecture> for ResNetConfig {
    fn from(architecture: ResNetArchitecture) -> Self {
        Self {
            depth: architecture.depth,
            width: architecture.first_width as i64,
            stem: architecture.stem,
        }
    }
}

/// How many of the four layers `layer1` to `layer4` images pass through up to `stage`, 0 to 4.
pub fn num_layers(stage: StageName) -> usize {
    match stage {
        StageName::Stem => 0,
        StageName::Layer1 => 1,
        StageName::Layer2 => 2,
        StageName::Layer3 => 3,
        StageName::Layer4 => 4,
    }
}

/// Greatest output stride of the maps that a dense prediction is made of: px of the image for each place.
const MAX_MAP_STRIDE: i64 = 8;

/// Output channels of a block over the channels of its 3 x 3 convolutions.
fn expansion(depth: Depth) -> i64 {
    if depth.has_bottlenecks() { 4 } else { 1 }
}

/// ResNet up to global average pooling, without classifier.
#[derive(Debug)]
pub struct ResNet {
    stem: ConvNorm,
    has_pooling: bool,
    /// `layer1` to `layer4`.
    layers: Vec<Vec<Block>>,
    tensors: NamedTensors,
}

impl ResNet {
    /// New network with weights drawn from `seed`.
    pub fn new(config: &ResNetConfig, seed: Seed, device: Device) -> Self {
        Self::built(config, Builder::new(Some(seed), device))
    }

    /// New network whose convolutions are 0, to be overwritten.
    pub fn zeroed(config: &ResNetConfig, device: Device) -> Self {
        Self::built(config, Builder::new(None, device))
    }

    fn built(config: &ResNetConfig, mut builder: Builder) -> Self {
        let (side, stride) = match config.stem {
            Stem::Large => (7, 2),
            Stem::Small => (3, 1),
        };
        let names = ["conv1", "bn1"].map(str::to_owned);
        let stem = ConvNorm::new(&mut builder, &names, [3, config.width], side, stride);
        let mut input = config.width;
        let mut layers = Vec::new();
        for (stage, num_blocks) in config.depth.num_blocks().into_iter().enumerate() {
            let planes = config.width << stage;
            let blocks = (0..num_blocks).map(|block| {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let name = format!("layer{}.{block}", stage + 1);
                let channels = [input, planes];
                input = planes * expansion(config.depth);
                Block::new(&mut builder, &name, config.depth, channels, stride)
            });
            layers.push(blocks.collect());
        }
        Self {
            stem,
            has_pooling: config.stem == Stem::Large,
            layers,
            tensors: builder.build(),
        }
    }

    /// Weights and statistics, with torchvision's names and in its order.
    pub fn tensors(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Maps normalised images, `N x 3 x H x W`, to output features, `N x D`, f32.
    pub fn forward(&self, images: &Tensor, pass: Pass) -> Tensor {
        self.forward_to(images, StageName::Layer4, pass)
    }

    /// Maps normalised images, `N x 3 x H x W`, to features of `stage`, `N x D`, f32: the mean of each channel of its map
    /// over the places of the image (global average pooling). Those of `layer4` are the output of the network.
    pub fn forward_to(&self, images: &Tensor, stage: StageName, pass: Pass) -> Tensor {
        let mut features = self.forward_stages(images, &[stage], pass);
        features.remove(0)
    }

    /// Features of `images` at each of `stages`, as by [`Self::forward_to`], in one pass through the network.
    pub fn forward_stages(&self, images: &Tensor, stages: &[StageName], pass: Pass) -> Vec<Tensor> {
        let mut maps = self.pass_stem(images, pass);
        let last = stages.iter().map(|&stage| num_layers(stage)).max();
        let mut of_layers = Vec::new();
        for layer in 0..=last.unwrap_or(0) {
            maps = self.pass_layer(layer, maps, pass, None);
            let is_wanted = stages.iter().any(|&stage| num_layers(stage) == layer);
            of_layers.push(is_wanted.then(|| {
                let mean = [2i64, 3].as_slice();
                pass.widened(&maps).mean_dim(mean, false, None)
            }));
        }
        let features = stages.iter().map(|&stage| {
            let of_layer = of_layers.get(num_layers(stage)).and_then(Option::as_ref);
            of_layer
                .expect("the layer of every stage was passed")
                .shallow_clone()
        });
        features.collect()
    }

    fn pass_stem(&self, images: &Tensor, pass: Pass) -> Tensor {
        let maps = self.stem.forward(images, pass, None).relu_();
        match self.has_pooling {
            true => maps.max_pool2d(3, 2, 1, 1, false),
            false => maps,
        }
    }

    /// The output of the layer with this number from 1 on, or `maps` if there is none.
    fn pass_layer(
        &self,
        layer: usize,
        mut maps: Tensor,
        pass: Pass,
        dilation: Option<Dilation>,
    ) -> Tensor {
        let blocks = layer
            .checked_sub(1)
            .and_then(|index| self.layers.get(index));
        for block in blocks.into_iter().flatten() {
            maps = block.forward(&maps, pass, dilation);
        }
        maps
    }

    /// Output stride of the layers from the stem to `stage`, and their dilations, where no stride is above [`MAX_MAP_STRIDE`].
    fn dilations(&self, stage: StageName) -> (i64, Vec<Option<Dilation>>) {
        let (mut stride, mut dilation) = (if self.has_pooling { 4 } else { 1 }, 1);
        let dilations = (0..=num_layers(stage)).map(|layer| match layer {
            0 | 1 => None,
            _ if 2 * stride <= MAX_MAP_STRIDE => {
                stride *= 2;
                None
            }
            _ => {
                dilation *= 2;
                Some(Dilation {
                    of_strided: dilation / 2,
                    of_others: dilation,
                })
            }
        });
        let dilations = dilations.collect();
        (stride, dilations)
    }

    /// A network of the same weights and statistics with tensors of its own, whose weights have gradients.
    ///
    /// - `config`: that of this network.
    pub fn copied(&self, config: &ResNetConfig) -> Self {
        let copy = Self::zeroed(config, self.stem.conv.device());
        tch::no_grad(|| {
            for (to, from) in copy.tensors.iter().zip(self.tensors.iter()) {
                to.tensor.shallow_clone().copy_(&from.tensor);
            }
        });
        copy
    }
}

impl FeatureNetwork for ResNet {
    fn device(&self) -> Device {
        self.stem.conv.device()
    }

    /// A ResNet has means only.
    fn features(&self, images: &Tensor, readouts: &[Readout], pass: Pass) -> Vec<Tensor> {
        let stages: Vec<StageName> = readouts.iter().map(|readout| readout.stage).collect();
        self.forward_stages(images, &stages, pass)
    }
}

impl MapNetwork for ResNet {
    /// Layers that would make the output stride more than 8 are dilated instead: `layer3` and `layer4` behind the 7 x 7 stem, as in
    /// CSAILVision's segmentation and torchvision's `replace_stride_with_dilation=[False, True, True]`.
    fn map(&self, images: &Tensor, stage: StageName, pass: Pass) -> Tensor {
        let mut maps = self.pass_stem(images, pass);
        let (_, dilations) = self.dilations(stage);
        for (layer, dilation) in dilations.into_iter().enumerate() {
            maps = self.pass_layer(layer, maps, pass, dilation);
        }
        pass.widened(&maps)
    }

    fn map_stride(&self, stage: StageName) -> i64 {
        self.dilations(stage).0
    }
}

/// Residual block: two or three convolutions, and a shortcut past them.
#[derive(Debug)]
struct Block {
    path: Vec<ConvNorm>,
    downsample: Option<ConvNorm>,
}

impl Block {
    fn new(
        builder: &mut Builder,
        name: &str,
        depth: Depth,
        [input, planes]: [i64; 2],
        stride: i64,
    ) -> Self {
        let out = planes * expansion(depth);
        // Input and output channels, side and stride of each convolution.
        let convs: &[([i64; 2], i64, i64)] = if depth.has_bottlenecks() {
            &[
                ([input, planes], 1, 1),
                ([planes, planes], 3, stride),
                ([planes, out], 1, 1),
            ]
        } else {
            &[([input, planes], 3, stride), ([planes, planes], 3, 1)]
        };
        let path = (1..)
            .zip(convs)
            .map(|(place, &(channels, side, stride))| {
                let names = ["conv", "bn"].map(|part| format!("{name}.{part}{place}"));
                ConvNorm::new(builder, &names, channels, side, stride)
            })
            .collect();
        let downsample = (stride != 1 || input != out).then(|| {
            let names = [0, 1].map(|part| format!("{name}.downsample.{part}"));
            ConvNorm::new(builder, &names, [input, out], 1, stride)
        });
        Self { path, downsample }
    }

    fn forward(&self, maps: &Tensor, pass: Pass, dilation: Option<Dilation>) -> Tensor {
        let mut residual = maps.shallow_clone();
        for (index, layer) in self.path.iter().enumerate() {
            if index > 0 {
                residual = residual.relu_();
            }
            residual = layer.forward(&residual, pass, dilation);
        }
        let shortcut = match &self.downsample {
            Some(layer) => layer.forward(maps, pass, dilation),
            None => maps.shallow_clone(),
        };
        residual.g_add_(&shortcut).relu_()
    }
}

/// Convolution followed by batch norm.
#[derive(Debug)]
struct ConvNorm {
    conv: Conv,
    norm: BatchNorm,
}

impl ConvNorm {
    fn new(
        builder: &mut Builder,
        [conv, norm]: &[String; 2],
        channels: [i64; 2],
        side: i64,
        stride: i64,
    ) -> Self {
        Self {
            conv: Conv::new(builder, conv, channels, side, stride),
            norm: BatchNorm::new(builder, norm, channels[1]),
        }
    }

    fn forward(&self, maps: &Tensor, pass: Pass, dilation: Option<Dilation>) -> Tensor {
        let maps = self.conv.forward(maps, pass, dilation);
        self.norm.forward(&maps, pass)
    }
}
