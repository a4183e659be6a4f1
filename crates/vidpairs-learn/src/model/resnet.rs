//! ResNets under torchvision's names.
//!
//! # Source
//! He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the stride of a bottleneck is in its 3 x 3
//! convolution, as in torchvision.

use tch::{Device, Kind, Tensor};
use vidpairs_types::Seed;
use vidpairs_weights::{Depth, Stem};

use super::caught::{LibtorchError, caught};
use super::layers::{BatchNorm, Conv, Pass, Precision};
use super::stage::Stage;
use super::tensors::{Builder, NamedTensors};
use super::views::HostViews;

/// Which ResNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNetConfig {
    /// How many layers.
    pub depth: Depth,
    /// Channels of the first convolution; 64 in torchvision. All others grow with it.
    pub width: i64,
    /// What stands before the blocks.
    pub stem: Stem,
}

impl ResNetConfig {
    /// Units of the representation: 512 for ResNet-18 and 34, 2048 for ResNet-50 at width 64.
    pub fn num_features(&self) -> i64 {
        self.num_features_of(Stage::Pooled)
    }

    /// Units of the representation at `stage`: the channels of its map.
    pub fn num_features_of(&self, stage: Stage) -> i64 {
        match stage.num_layers() {
            0 => self.width,
            layers => (self.width << (layers - 1)) * expansion(self.depth),
        }
    }
}

/// Channels that a block gives over those that it works on.
fn expansion(depth: Depth) -> i64 {
    if depth.has_bottlenecks() { 4 } else { 1 }
}

/// The network up to global average pooling; no classifier.
#[derive(Debug)]
pub struct ResNet {
    conv1: Conv,
    bn1: BatchNorm,
    stem: Stem,
    /// `layer1` to `layer4`.
    layers: Vec<Vec<Block>>,
    tensors: NamedTensors,
}

impl ResNet {
    /// A network with new weights from `seed`.
    pub fn new(config: &ResNetConfig, seed: Seed, device: Device) -> Self {
        Self::built(config, Builder::new(Some(seed), device))
    }

    /// A network whose convolutions are 0: for weights that come from elsewhere.
    pub fn zeroed(config: &ResNetConfig, device: Device) -> Self {
        Self::built(config, Builder::new(None, device))
    }

    fn built(config: &ResNetConfig, mut builder: Builder) -> Self {
        let (side, stride) = match config.stem {
            Stem::Large => (7, 2),
            Stem::Small => (3, 1),
        };
        let conv1 = Conv::new(&mut builder, "conv1", [3, config.width], side, stride);
        let bn1 = BatchNorm::new(&mut builder, "bn1", config.width);
        let mut input = config.width;
        let mut layers = Vec::new();
        for (stage, num_blocks) in config.depth.num_blocks().into_iter().enumerate() {
            let mut blocks = Vec::new();
            let planes = config.width << stage;
            for block in 0..num_blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let name = format!("layer{}.{block}", stage + 1);
                let shape = BlockShape {
                    depth: config.depth,
                    input,
                    planes,
                    stride,
                };
                blocks.push(Block::new(&mut builder, &name, &shape));
                input = planes * expansion(config.depth);
            }
            layers.push(blocks);
        }
        Self {
            conv1,
            bn1,
            stem: config.stem,
            layers,
            tensors: builder.build(),
        }
    }

    /// Where it computes.
    pub fn device(&self) -> Device {
        self.conv1.device()
    }

    /// The weights and statistics, under torchvision's names and in its order.
    pub fn tensors(&self) -> &NamedTensors {
        &self.tensors
    }

    /// `N x 3 x H x W` normalised images to `N x D` features, f32.
    pub fn forward(&self, images: &Tensor, pass: Pass) -> Tensor {
        self.forward_to(images, Stage::Pooled, pass)
    }

    /// `N x 3 x H x W` normalised images to `N x D` features of `stage`, f32.
    pub fn forward_to(&self, images: &Tensor, stage: Stage, pass: Pass) -> Tensor {
        let mut maps = self.bn1.forward(&self.conv1.forward(images, pass), pass);
        maps = maps.relu_();
        if self.stem == Stem::Large {
            maps = maps.max_pool2d(3, 2, 1, 1, false);
        }
        for block in self.layers.iter().take(stage.num_layers()).flatten() {
            maps = block.forward(&maps, pass);
        }
        let maps = pass.precision().widened(&maps);
        maps.mean_dim([2i64, 3].as_slice(), false, None)
    }

    /// The features of `views` at `stage`, in evaluation: `N x D`, row-major.
    ///
    /// - `side_px`: of each view.
    ///
    /// # Errors
    /// [`LibtorchError`], for want of memory above all.
    pub fn encode(
        &self,
        views: &HostViews,
        side_px: u32,
        stage: Stage,
        precision: Precision,
    ) -> Result<Vec<f32>, LibtorchError> {
        caught(|| {
            let images = views.tensor(side_px).to_device(self.device());
            let pass = Pass::Evaluation { precision };
            let found = tch::no_grad(|| self.forward_to(&images, stage, pass));
            let found = (found.to_kind(Kind::Float).to_device(Device::Cpu)).contiguous();
            let mut features = vec![0.0; found.numel()];
            found.copy_data(&mut features, found.numel());
            features
        })
    }
}

struct BlockShape {
    depth: Depth,
    input: i64,
    planes: i64,
    stride: i64,
}

/// Two or three convolutions, and the way past them.
#[derive(Debug)]
struct Block {
    path: Vec<(Conv, BatchNorm)>,
    downsample: Option<(Conv, BatchNorm)>,
}

impl Block {
    fn new(builder: &mut Builder, name: &str, shape: &BlockShape) -> Self {
        let &BlockShape {
            depth,
            input,
            planes,
            stride,
        } = shape;
        let out = planes * expansion(depth);
        // Channels in and out, side and stride of each convolution.
        let convs: &[([i64; 2], i64, i64)] = match expansion(depth) {
            1 => &[([input, planes], 3, stride), ([planes, planes], 3, 1)],
            _ => &[
                ([input, planes], 1, 1),
                ([planes, planes], 3, stride),
                ([planes, out], 1, 1),
            ],
        };
        let path = (convs.iter().enumerate())
            .map(|(index, &(channels, side, stride))| {
                let (conv, bn) = (index + 1, index + 1);
                (
                    Conv::new(
                        builder,
                        &format!("{name}.conv{conv}"),
                        channels,
                        side,
                        stride,
                    ),
                    BatchNorm::new(builder, &format!("{name}.bn{bn}"), channels[1]),
                )
            })
            .collect();
        let downsample = (stride != 1 || input != out).then(|| {
            (
                Conv::new(
                    builder,
                    &format!("{name}.downsample.0"),
                    [input, out],
                    1,
                    stride,
                ),
                BatchNorm::new(builder, &format!("{name}.downsample.1"), out),
            )
        });
        Self { path, downsample }
    }

    fn forward(&self, maps: &Tensor, pass: Pass) -> Tensor {
        let mut through = maps.shallow_clone();
        for (index, (conv, bn)) in self.path.iter().enumerate() {
            through = bn.forward(&conv.forward(&through, pass), pass);
            if index + 1 < self.path.len() {
                through = through.relu_();
            }
        }
        let past = match &self.downsample {
            Some((conv, bn)) => bn.forward(&conv.forward(maps, pass), pass),
            None => maps.shallow_clone(),
        };
        through.g_add_(&past).relu_()
    }
}
