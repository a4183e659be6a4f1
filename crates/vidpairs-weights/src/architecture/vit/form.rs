//! Sizes of ViTs, and the forms in which files hold their parts.

/// Channels of a head of attention in every size. Weights do not show them.
pub(super) const HEAD_CHANNELS: usize = 64;

/// Size of a ViT. Attention has heads of 64 channels in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VitSize {
    /// 12 blocks, 192 channels, 3 heads.
    Tiny,
    /// 12 blocks, 384 channels, 6 heads.
    Small,
    /// 12 blocks, 768 channels, 12 heads.
    Base,
    /// 24 blocks, 1024 channels, 16 heads.
    Large,
}

impl VitSize {
    /// All sizes.
    pub const ALL: [Self; 4] = [Self::Tiny, Self::Small, Self::Base, Self::Large];

    /// Letters of the size, as in `ViT-S/16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "Ti",
            Self::Small => "S",
            Self::Base => "B",
            Self::Large => "L",
        }
    }

    /// Channels of a token.
    pub fn width(self) -> usize {
        match self {
            Self::Tiny => 192,
            Self::Small => 384,
            Self::Base => 768,
            Self::Large => 1024,
        }
    }

    /// Number of blocks.
    pub fn num_blocks(self) -> usize {
        match self {
            Self::Tiny | Self::Small | Self::Base => 12,
            Self::Large => 24,
        }
    }

    /// Number of heads of attention.
    pub fn num_heads(self) -> usize {
        self.width() / HEAD_CHANNELS
    }
}

/// How a ViT knows the place of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// A learned vector for each patch, added to its token: `pos_embed`.
    Learned {
        /// Patches along a side of the images of training.
        grid: usize,
        /// Whether the class token has a vector too, before those of the patches.
        has_class: bool,
    },
    /// Queries and keys of patches are rotated by angles that depend on their place (RoPE of DINOv3).
    Rotary {
        /// Whether the periods of the angles are in the file: `rope_embed.periods`.
        has_periods: bool,
    },
}

/// Form of the weights of queries, keys and values in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkvForm {
    /// `attn.qkv.weight` and `attn.qkv.bias`.
    Joint,
    /// `attn.qkv.weight` only.
    WithoutBias,
    /// `attn.qkv.bias` counts times `attn.qkv.bias_mask`, which is 0 for keys (DINOv3).
    MaskedBias,
    /// `attn.qkv.weight`, `attn.q_bias` and `attn.v_bias` (DINOv3 in timm).
    QueryValueBias,
    /// `weight` and `bias` of `attn.q_proj`, `attn.k_proj` and `attn.v_proj` (Hugging Face).
    Separate,
}

/// Form of the scales of a block's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerScale {
    /// None.
    Absent,
    /// `ls1.gamma` and `ls2.gamma`.
    Modules,
    /// `gamma_1` and `gamma_2`, as in timm's `eva.py`.
    Parameters,
}

impl LayerScale {
    /// Names of the scales of attention and MLP, in a block.
    pub fn names(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Absent => None,
            Self::Modules => Some(["ls1.gamma", "ls2.gamma"]),
            Self::Parameters => Some(["gamma_1", "gamma_2"]),
        }
    }
}
