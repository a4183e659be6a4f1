//! Vision transformers, in evaluation.
//!
//! # Source
//! Dosovitskiy et al., ICLR 2021, as in timm's `vision_transformer.py`; Oquab et al., "DINOv2", and Darcet et al., "Vision
//! Transformers Need Registers", ICLR 2024; Siméoni et al., "DINOv3", 2025, as in timm's `eva.py`. Blocks have GELU without
//! approximation. LayerNorm has epsilon 1e-6 (timm, DINO, DINOv2) or 1e-5 (DINOv3).

mod block;

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};
use vidpairs_pipeline::StageName;
use vidpairs_weights::{Positions, VitArchitecture, WeightsError};

use self::block::{Block, Norm, Parts, Rotation};
use super::layers::Pass;
use super::readout::{FeatureNetwork, MapNetwork, Pooling, Readout};
use super::resnet::num_layers;

/// Stages after the stem: quarters of the blocks.
const NUM_STAGES: usize = 4;
/// Base of the periods of DINOv3's rotary positions.
const PERIOD_BASE: f64 = 100.0;
/// Tokens that pass through the network at a time, so that long sequences do not take all memory: 64 images of 224 px in patches of 16 px
/// have less than half as many.
const MAX_TOKENS: i64 = 1 << 15;

/// Vision transformer without classifier.
#[derive(Debug)]
pub struct Vit {
    patch_px: i64,
    patch_weight: Tensor,
    patch_bias: Tensor,
    /// Class token and registers, `1 x P x D`, with their positions.
    prefix: Tensor,
    places: Places,
    blocks: Vec<Block>,
    norm: Norm,
    has_fc_norm: bool,
}

/// Positions of patches.
#[derive(Debug)]
enum Places {
    /// `1 x D x grid x grid`, added to the tokens of the patches.
    Learned(Tensor),
    /// Periods of the angles by which queries and keys are rotated.
    Rotary(Tensor),
}

impl Vit {
    /// Network of `architecture` with `tensors`, which are f32, on `device`.
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`] if one of [`VitArchitecture::tensors`] is missing.
    pub fn new(
        architecture: &VitArchitecture,
        tensors: &BTreeMap<String, Tensor>,
        device: Device,
    ) -> Result<Self, WeightsError> {
        let parts = Parts {
            architecture,
            tensors,
            device,
        };
        let width = architecture.size.width() as i64;
        let mut prefix = Vec::new();
        if architecture.has_class_token {
            prefix.push(parts.get("cls_token")?);
        }
        if architecture.num_registers > 0 {
            prefix.push(parts.get("reg_token")?);
        }
        let places = match architecture.positions {
            Positions::Learned { grid, has_class } => {
                let mut positions = parts.get("pos_embed")?;
                if let Some(class_token) = prefix.first_mut().filter(|_| has_class) {
                    *class_token = &*class_token + positions.narrow(1, 0, 1);
                    positions = positions.narrow(1, 1, positions.size()[1] - 1);
                }
                let grid = grid as i64;
                Places::Learned(positions.view([1, grid, grid, width]).permute([0, 3, 1, 2]))
            }
            Positions::Rotary { has_periods: true } => {
                Places::Rotary(parts.get("rope_embed.periods")?)
            }
            Positions::Rotary { has_periods: false } => {
                let channels = width / architecture.size.num_heads() as i64;
                let exponents = Tensor::arange(channels / 4, (Kind::Float, device));
                let base = Tensor::from_slice(&[PERIOD_BASE as f32]).to_device(device);
                Places::Rotary(base.pow(&(exponents * 2.0 / (channels / 2) as f64)))
            }
        };
        let blocks = 0..architecture.size.num_blocks();
        let norm = if architecture.has_fc_norm {
            "fc_norm"
        } else {
            "norm"
        };
        Ok(Self {
            patch_px: architecture.patch_px as i64,
            patch_weight: parts.get("patch_embed.proj.weight")?,
            patch_bias: parts.get("patch_embed.proj.bias")?,
            prefix: match prefix.is_empty() {
                true => Tensor::zeros([1, 0, width], (Kind::Float, device)),
                false => Tensor::cat(&prefix, 1),
            },
            places,
            blocks: blocks
                .map(|index| Block::new(&parts, index))
                .collect::<Result<_, _>>()?,
            norm: parts.norm(norm)?,
            has_fc_norm: architecture.has_fc_norm,
        })
    }

    /// Tokens before the first block, `N x T x D`, and the rotation of queries and keys.
    fn embed(&self, images: &Tensor, pass: Pass) -> (Tensor, Option<Rotation>) {
        let (weight, bias) = (pass.cast(&self.patch_weight), pass.cast(&self.patch_bias));
        let mut patches =
            pass.widened(
                &pass
                    .cast(images)
                    .conv2d(&weight, Some(&bias), self.patch_px, 0, 1, 1),
            );
        let size = patches.size();
        let (num_images, grid) = (size[0], [size[2], size[3]]);
        let mut rotation = None;
        match &self.places {
            Places::Learned(positions) => patches += resized(positions, grid),
            Places::Rotary(periods) => rotation = Some(Rotation::new(periods, grid)),
        }
        let patches = patches.flatten(2, 3).transpose(1, 2);
        let prefix = self.prefix.expand([num_images, -1, -1], false);
        (Tensor::cat(&[prefix, patches], 1), rotation)
    }

    fn features_of_few(&self, images: &Tensor, readouts: &[Readout], pass: Pass) -> Vec<Tensor> {
        let (mut tokens, rotation) = self.embed(images, pass);
        let depth = |readout: &Readout| num_layers(readout.stage) * self.blocks.len() / NUM_STAGES;
        let last = readouts.iter().map(depth).max().unwrap_or(0);
        let mut pooled: Vec<Option<Tensor>> = readouts.iter().map(|_| None).collect();
        for num_blocks in 0..=last {
            if let Some(block) = num_blocks.checked_sub(1).and_then(|at| self.blocks.get(at)) {
                tokens = block.forward(&tokens, rotation.as_ref(), pass);
            }
            for (readout, pooled) in readouts.iter().zip(&mut pooled) {
                if depth(readout) == num_blocks {
                    *pooled = Some(self.pooled(&tokens, *readout));
                }
            }
        }
        let pooled = pooled
            .into_iter()
            .map(|pooled| pooled.expect("every depth was passed"));
        pooled.collect()
    }

    /// The tokens of a stage, normalised if they are the output of the network.
    fn finished(&self, tokens: &Tensor, stage: StageName) -> Tensor {
        match stage == StageName::Layer4 && !self.has_fc_norm {
            true => self.norm.forward(tokens),
            false => tokens.shallow_clone(),
        }
    }

    /// The tokens of the patches, without class token and registers.
    fn patches(&self, tokens: &Tensor) -> Tensor {
        let num_prefix = self.prefix.size()[1];
        tokens.narrow(1, num_prefix, tokens.size()[1] - num_prefix)
    }

    fn map_of_few(&self, images: &Tensor, stage: StageName, pass: Pass) -> Tensor {
        let (mut tokens, rotation) = self.embed(images, pass);
        let depth = num_layers(stage) * self.blocks.len() / NUM_STAGES;
        for block in self.blocks.iter().take(depth) {
            tokens = block.forward(&tokens, rotation.as_ref(), pass);
        }
        let patches = self.patches(&self.finished(&tokens, stage));
        let grid = images.size()[2] / self.patch_px;
        patches.transpose(1, 2).unflatten(2, [grid, -1])
    }

    /// Applies `compute` to few images at a time, so that their tokens fit in memory.
    fn in_parts<T>(&self, images: &Tensor, compute: impl Fn(&Tensor) -> T) -> Vec<T> {
        let size = images.size();
        let num_tokens = (size[2] / self.patch_px) * (size[3] / self.patch_px);
        let num_images = (MAX_TOKENS / num_tokens.max(1)).max(1);
        images.split(num_images, 0).iter().map(compute).collect()
    }

    /// Features of the `tokens` at the stage of `readout`.
    fn pooled(&self, tokens: &Tensor, readout: Readout) -> Tensor {
        let is_output = readout.stage == StageName::Layer4;
        let tokens = self.finished(tokens, readout.stage);
        let pooled = match readout.pooling {
            Pooling::ClassToken => tokens.select(1, 0),
            Pooling::Mean => self
                .patches(&tokens)
                .mean_dim([1i64].as_slice(), false, None),
        };
        match is_output && self.has_fc_norm {
            true => self.norm.forward(&pooled),
            false => pooled,
        }
    }
}

impl FeatureNetwork for Vit {
    fn device(&self) -> Device {
        self.patch_weight.device()
    }

    /// The stages `layer1` to `layer4` are the tokens after each quarter of the blocks, and `stem` those before the first one. Only
    /// `layer4`, the output of the network, is normalised. As in timm's `forward_intermediates`, other stages are not.
    fn features(&self, images: &Tensor, readouts: &[Readout], pass: Pass) -> Vec<Tensor> {
        let parts = self.in_parts(images, |few| self.features_of_few(few, readouts, pass));
        let whole = |at: usize| {
            let parts: Vec<&Tensor> = parts.iter().filter_map(|part| part.get(at)).collect();
            Tensor::cat(&parts, 0)
        };
        (0..readouts.len()).map(whole).collect()
    }
}

impl MapNetwork for Vit {
    /// The tokens of the patches at their places, of the stages of [`features`](FeatureNetwork::features).
    fn map(&self, images: &Tensor, stage: StageName, pass: Pass) -> Tensor {
        let parts = self.in_parts(images, |few| self.map_of_few(few, stage, pass));
        Tensor::cat(&parts, 0)
    }

    fn map_stride(&self, _: StageName) -> i64 {
        self.patch_px
    }
}

/// Positions for another grid. timm resizes them by antialiased bicubic interpolation. So do DINOv2's models with registers; its others do
/// not antialias and scale by `(grid + 0.1) / old`.
fn resized(positions: &Tensor, grid: [i64; 2]) -> Tensor {
    match positions.size()[2..] == grid {
        true => positions.shallow_clone(),
        false => positions.internal_upsample_bicubic2d_aa(grid, false, None, None),
    }
}
