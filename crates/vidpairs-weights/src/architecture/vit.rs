//! Vision transformers by the names and shapes of their tensors.
//!
//! **Source**: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, table 1, and Touvron et al., "Training
//! data-efficient image transformers", ICML 2021, table 1, for the sizes; timm's names.

mod form;

use std::fmt;

pub use form::{LayerScale, Positions, QkvForm, VitSize};

use self::form::HEAD_CHANNELS;
use super::{NetworkKind, check};
use crate::error::WeightsError;
use crate::tensor::HostTensor;
use crate::weights::Weights;

/// Weight of the convolution that makes a token of each patch.
pub(super) const FIRST_TENSOR: &str = "patch_embed.proj.weight";
/// Registers of every published DINOv3.
const DINOV3_REGISTERS: usize = 4;
/// Side of a patch of every published DINOv3, px.
const DINOV3_PATCH_PX: usize = 16;

/// Architecture of a ViT with pre-norm blocks, LayerNorm and GELU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VitArchitecture {
    /// Width, blocks and heads.
    pub size: VitSize,
    /// Side of a patch, px.
    pub patch_px: usize,
    /// Channels of an input image, usually 3.
    pub in_channels: usize,
    /// Whether there is a class token, `cls_token`.
    pub has_class_token: bool,
    /// Number of registers, `reg_token`: learned tokens between the class token and those of the patches.
    pub num_registers: usize,
    /// Positions.
    pub positions: Positions,
    /// Form of the weights of queries, keys and values.
    pub qkv: QkvForm,
    /// Scales of the outputs of attention and MLP, one for each channel.
    pub layer_scale: LayerScale,
    /// Whether the norm at the end comes after pooling (`fc_norm`: such networks were trained with mean pooling) instead of before it
    /// (`norm`).
    pub has_fc_norm: bool,
}

impl VitArchitecture {
    /// Detects the architecture of `trunk` (timm's names, no prefix) and checks that it has every tensor of the network with
    /// the right shape, and none besides.
    ///
    /// # Errors
    /// [`WeightsError::UnknownArchitecture`], [`WeightsError::MissingTensor`], [`WeightsError::Shape`] or
    /// [`WeightsError::ForeignTensor`].
    pub fn of(trunk: &Weights) -> Result<Self, WeightsError> {
        let architecture = Self::detected(trunk)?;
        check(
            trunk,
            &architecture.tensors(),
            NetworkKind::Vit,
            &architecture,
        )?;
        Ok(architecture)
    }

    /// Names and shapes of all tensors of the trunk, in the order of the network.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let width = self.size.width();
        let mut tensors: Vec<(String, Vec<usize>)> = Vec::new();
        let mut add = |name: String, shape: &[usize]| tensors.push((name, shape.to_vec()));
        if self.has_class_token {
            add("cls_token".to_owned(), &[1, 1, width]);
        }
        if self.num_registers > 0 {
            add("reg_token".to_owned(), &[1, self.num_registers, width]);
        }
        match self.positions {
            Positions::Learned { grid, has_class } => {
                let num_positions = grid * grid + usize::from(has_class);
                add("pos_embed".to_owned(), &[1, num_positions, width]);
            }
            Positions::Rotary { has_periods: true } => {
                // Sines of rows and of columns, each with its cosine.
                add("rope_embed.periods".to_owned(), &[HEAD_CHANNELS / 4]);
            }
            Positions::Rotary { has_periods: false } => {}
        }
        let patch = [width, self.in_channels, self.patch_px, self.patch_px];
        add(FIRST_TENSOR.to_owned(), &patch);
        add("patch_embed.proj.bias".to_owned(), &[width]);
        for index in 0..self.size.num_blocks() {
            for (part, shape) in self.block() {
                add(format!("blocks.{index}.{part}"), &shape);
            }
        }
        let norm = if self.has_fc_norm { "fc_norm" } else { "norm" };
        add(format!("{norm}.weight"), &[width]);
        add(format!("{norm}.bias"), &[width]);
        tensors
    }

    /// Names and shapes of the tensors of a block.
    fn block(&self) -> Vec<(&'static str, Vec<usize>)> {
        let width = self.size.width();
        let (vector, square) = (vec![width], vec![width, width]);
        let joint = ("attn.qkv.weight", vec![3 * width, width]);
        let mut block = vec![
            ("norm1.weight", vector.clone()),
            ("norm1.bias", vector.clone()),
        ];
        match self.qkv {
            QkvForm::Joint => block.extend([joint, ("attn.qkv.bias", vec![3 * width])]),
            QkvForm::WithoutBias => block.push(joint),
            QkvForm::MaskedBias => block.extend([
                joint,
                ("attn.qkv.bias", vec![3 * width]),
                ("attn.qkv.bias_mask", vec![3 * width]),
            ]),
            QkvForm::QueryValueBias => block.extend([
                ("attn.q_bias", vector.clone()),
                ("attn.v_bias", vector.clone()),
                joint,
            ]),
            QkvForm::Separate => block.extend([
                ("attn.q_proj.weight", square.clone()),
                ("attn.q_proj.bias", vector.clone()),
                ("attn.k_proj.weight", square.clone()),
                ("attn.k_proj.bias", vector.clone()),
                ("attn.v_proj.weight", square.clone()),
                ("attn.v_proj.bias", vector.clone()),
            ]),
        }
        block.extend([
            ("attn.proj.weight", square),
            ("attn.proj.bias", vector.clone()),
        ]);
        let scales = self.layer_scale.names();
        if let Some([attention, _]) = scales {
            block.push((attention, vector.clone()));
        }
        block.extend([
            ("norm2.weight", vector.clone()),
            ("norm2.bias", vector.clone()),
            ("mlp.fc1.weight", vec![4 * width, width]),
            ("mlp.fc1.bias", vec![4 * width]),
            ("mlp.fc2.weight", vec![width, 4 * width]),
            ("mlp.fc2.bias", vector.clone()),
        ]);
        if let Some([_, mlp]) = scales {
            block.push((mlp, vector));
        }
        block
    }

    fn detected(trunk: &Weights) -> Result<Self, WeightsError> {
        let (width, in_channels, patch_px) = match trunk.get(FIRST_TENSOR).map(HostTensor::shape) {
            Some(&[width, channels, height, side]) if height == side => (width, channels, side),
            other => {
                return Err(unknown(format!(
                    "{FIRST_TENSOR} is {other:?}; expected width x channels x side x side"
                )));
            }
        };
        let is_size = |size: &VitSize| size.width() == width;
        let size = VitSize::ALL.into_iter().find(is_size).ok_or_else(|| {
            unknown(format!(
                "its width is {width} channels, for which the number of heads is not known; expected 192, 384, 768 or 1024 \
                 (ViT-Ti, S, B, L)"
            ))
        })?;
        let num_blocks = trunk.names().filter_map(block_index).max().unwrap_or(0) + 1;
        if num_blocks != size.num_blocks() {
            return Err(unknown(format!(
                "its last block is blocks.{}; expected blocks.{} at a width of {width}",
                num_blocks - 1,
                size.num_blocks() - 1
            )));
        }
        let has = |name: &str| trunk.get(name).is_some();
        let registers = trunk.get("reg_token").map(HostTensor::shape);
        let first = |part: &str| has(&format!("blocks.0.{part}"));
        let mut architecture = Self {
            size,
            patch_px,
            in_channels,
            has_class_token: has("cls_token"),
            num_registers: registers.map_or(0, |shape| shape.get(1).copied().unwrap_or(0)),
            positions: Positions::Rotary {
                has_periods: has("rope_embed.periods"),
            },
            qkv: match () {
                () if first("attn.q_proj.weight") => QkvForm::Separate,
                () if first("attn.q_bias") => QkvForm::QueryValueBias,
                () if first("attn.qkv.bias_mask") => QkvForm::MaskedBias,
                () if first("attn.qkv.bias") => QkvForm::Joint,
                () => QkvForm::WithoutBias,
            },
            layer_scale: match () {
                () if first("ls1.gamma") => LayerScale::Modules,
                () if first("gamma_1") => LayerScale::Parameters,
                () => LayerScale::Absent,
            },
            has_fc_norm: has("fc_norm.weight"),
        };
        match trunk.get("pos_embed") {
            Some(_) if architecture.layer_scale == LayerScale::Parameters => {
                return Err(unknown(
                    "it has gamma_1 and pos_embed: a network that rotates queries too, such as timm's vit_*_rope_ape_*, has the \
                     same tensors; if it does not, rename gamma_1 and gamma_2 to ls1.gamma and ls2.gamma"
                        .to_owned(),
                ));
            }
            Some(positions) => {
                architecture.positions = learned(positions.shape(), architecture.has_class_token)?;
            }
            None if architecture.is_dinov3() => {}
            None => {
                return Err(unknown(
                    "it has no pos_embed, and is not a DINOv3 (rope_embed.periods, or a class token, 4 registers, patches of \
                     16 px and LayerScale)"
                        .to_owned(),
                ));
            }
        }
        Ok(architecture)
    }

    /// Whether a network without learned positions is a DINOv3. Networks with other rotary positions, such as timm's `vit_*_rope_*`,
    /// do not store their periods either, but have other tokens.
    fn is_dinov3(&self) -> bool {
        let is_published = self.has_class_token
            && self.num_registers == DINOV3_REGISTERS
            && self.patch_px == DINOV3_PATCH_PX
            && self.layer_scale != LayerScale::Absent
            && !self.has_fc_norm;
        self.positions == Positions::Rotary { has_periods: true } || is_published
    }
}

impl fmt::Display for VitArchitecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViT-{}/{}", self.size.name(), self.patch_px)?;
        let mut parts = Vec::new();
        match self.num_registers {
            0 => {}
            1 => parts.push("1 register".to_owned()),
            several => parts.push(format!("{several} registers")),
        }
        if let Positions::Rotary { .. } = self.positions {
            parts.push("rotary positions".to_owned());
        }
        if !parts.is_empty() {
            write!(f, " with {}", parts.join(" and "))?;
        }
        if !self.has_class_token {
            f.write_str(", no class token")?;
        }
        Ok(())
    }
}

/// Refuses a network whose heads are known to have other than 64 channels.
///
/// # Errors
/// [`WeightsError::UnknownArchitecture`] for MoCo v3's ViT-S, which has 12 heads of 32 channels. Only its prefix shows it.
pub(crate) fn check_heads(prefix: &str, trunk: &Weights) -> Result<(), WeightsError> {
    let is_moco_v3 = ["base_encoder.", "momentum_encoder."]
        .iter()
        .any(|encoder| prefix.ends_with(encoder));
    let width = trunk
        .get(FIRST_TENSOR)
        .and_then(|weight| weight.shape().first());
    if is_moco_v3 && width == Some(&VitSize::Small.width()) {
        return Err(unknown(
            "a ViT-S of MoCo v3 has 12 heads of 32 channels; only heads of 64 channels are supported"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Index of the block that a tensor belongs to.
fn block_index(name: &str) -> Option<usize> {
    let (index, _) = name.strip_prefix("blocks.")?.split_once('.')?;
    index.parse().ok()
}

/// Positions of a `pos_embed` of this shape.
fn learned(shape: &[usize], has_class_token: bool) -> Result<Positions, WeightsError> {
    let &[1, num_positions, _] = shape else {
        return Err(unknown(format!(
            "pos_embed is {shape:?}; expected 1 x positions x width"
        )));
    };
    for has_class in [false, true] {
        let num_patches = num_positions.saturating_sub(usize::from(has_class));
        let grid = num_patches.isqrt();
        if grid > 0 && grid * grid == num_patches && (has_class_token || !has_class) {
            return Ok(Positions::Learned { grid, has_class });
        }
    }
    let expected = match has_class_token {
        true => "a square, or a square and one for the class token",
        false => "a square, as there is no class token",
    };
    Err(unknown(format!(
        "pos_embed has {num_positions} positions; expected {expected}"
    )))
}

fn unknown(what: String) -> WeightsError {
    WeightsError::unknown(NetworkKind::Vit, what)
}
