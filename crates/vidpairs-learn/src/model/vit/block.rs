//! Blocks of vision transformers, made of named tensors.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use tch::{Device, Kind, Tensor};
use vidpairs_weights::{Positions, QkvForm, VitArchitecture, WeightsError};

use crate::model::layers::{Linear, Pass};

/// Tensors of the network while it is made.
pub(super) struct Parts<'a> {
    pub architecture: &'a VitArchitecture,
    pub tensors: &'a BTreeMap<String, Tensor>,
    pub device: Device,
}

impl Parts<'_> {
    pub fn get(&self, name: &str) -> Result<Tensor, WeightsError> {
        let tensor = self.tensors.get(name);
        let tensor = tensor.ok_or_else(|| WeightsError::MissingTensor {
            name: name.to_owned(),
            architecture: self.architecture.to_string(),
        })?;
        Ok(tensor.to_device(self.device))
    }

    fn linear(&self, name: &str) -> Result<Linear, WeightsError> {
        let [weight, bias] = ["weight", "bias"].map(|part| self.get(&format!("{name}.{part}")));
        Ok(Linear::of(weight?, Some(bias?)))
    }

    pub fn norm(&self, name: &str) -> Result<Norm, WeightsError> {
        Ok(Norm {
            weight: self.get(&format!("{name}.weight"))?,
            bias: self.get(&format!("{name}.bias"))?,
            epsilon: match self.architecture.positions {
                Positions::Learned { .. } => 1e-6,
                Positions::Rotary { .. } => 1e-5,
            },
        })
    }

    /// One layer for queries, keys and values, in this order.
    fn qkv(&self, attention: &str) -> Result<Linear, WeightsError> {
        let get = |part: &str| self.get(&format!("{attention}.{part}"));
        let all = |part: &str| -> Result<Tensor, WeightsError> {
            let three = ["q_proj", "k_proj", "v_proj"].map(|name| get(&format!("{name}.{part}")));
            let three: Vec<Tensor> = three.into_iter().collect::<Result<_, _>>()?;
            Ok(Tensor::cat(&three, 0))
        };
        Ok(match self.architecture.qkv {
            QkvForm::Joint => Linear::of(get("qkv.weight")?, Some(get("qkv.bias")?)),
            QkvForm::WithoutBias => Linear::of(get("qkv.weight")?, None),
            QkvForm::MaskedBias => {
                let bias = get("qkv.bias")? * get("qkv.bias_mask")?;
                Linear::of(get("qkv.weight")?, Some(bias))
            }
            QkvForm::QueryValueBias => {
                let (queries, values) = (get("q_bias")?, get("v_bias")?);
                let bias = Tensor::cat(&[&queries, &queries.zeros_like(), &values], 0);
                Linear::of(get("qkv.weight")?, Some(bias))
            }
            QkvForm::Separate => Linear::of(all("weight")?, Some(all("bias")?)),
        })
    }
}

/// Layer normalisation over channels.
#[derive(Debug)]
pub(super) struct Norm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl Norm {
    pub fn forward(&self, tokens: &Tensor) -> Tensor {
        let (weight, bias) = (Some(&self.weight), Some(&self.bias));
        tokens.layer_norm(self.weight.size(), weight, bias, self.epsilon, true)
    }
}

/// Pre-norm block: attention and MLP, each with a shortcut past it.
#[derive(Debug)]
pub(super) struct Block {
    norms: [Norm; 2],
    qkv: Linear,
    projection: Linear,
    mlp: [Linear; 2],
    /// Scales of the outputs of attention and MLP.
    scales: Option<[Tensor; 2]>,
    num_heads: i64,
}

impl Block {
    pub fn new(parts: &Parts<'_>, index: usize) -> Result<Self, WeightsError> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let scales = parts.architecture.layer_scale.names();
        let scales = scales.map(|scales| scales.map(|scale| parts.get(&name(scale))));
        Ok(Self {
            norms: [parts.norm(&name("norm1"))?, parts.norm(&name("norm2"))?],
            qkv: parts.qkv(&name("attn"))?,
            projection: parts.linear(&name("attn.proj"))?,
            mlp: [
                parts.linear(&name("mlp.fc1"))?,
                parts.linear(&name("mlp.fc2"))?,
            ],
            scales: match scales {
                Some([attention, mlp]) => Some([attention?, mlp?]),
                None => None,
            },
            num_heads: parts.architecture.size.num_heads() as i64,
        })
    }

    pub fn forward(&self, tokens: &Tensor, rotation: Option<&Rotation>, pass: Pass) -> Tensor {
        let scaled = |output: Tensor, part: usize| match &self.scales {
            Some(scales) => output * &scales[part],
            None => output,
        };
        let [before_attention, before_mlp] = &self.norms;
        let attended = self.attend(&before_attention.forward(tokens), rotation, pass);
        let tokens = tokens + scaled(attended, 0);
        let [widening, narrowing] = &self.mlp;
        let hidden = widening.forward(&before_mlp.forward(&tokens), pass);
        let mapped = narrowing.forward(&hidden.gelu("none"), pass);
        &tokens + scaled(mapped, 1)
    }

    fn attend(&self, tokens: &Tensor, rotation: Option<&Rotation>, pass: Pass) -> Tensor {
        let [num_images, num_tokens, width] = [0, 1, 2].map(|dim| tokens.size()[dim]);
        let channels = width / self.num_heads;
        let qkv = (self.qkv.forward(tokens, pass))
            .view([num_images, num_tokens, 3, self.num_heads, channels])
            .permute([2, 0, 3, 1, 4]);
        let [mut queries, mut keys, values] = [0, 1, 2].map(|part| qkv.select(0, part));
        if let Some(rotation) = rotation {
            queries = rotation.applied(&queries);
            keys = rotation.applied(&keys);
        }
        let attended = Tensor::scaled_dot_product_attention(
            &queries,
            &keys,
            &values,
            None::<Tensor>,
            0.0,
            false,
            None,
            false,
        );
        let attended = attended
            .transpose(1, 2)
            .reshape([num_images, num_tokens, width]);
        self.projection.forward(&attended, pass)
    }
}

/// Rotation of the queries and keys of patches by angles that depend on their row and column.
#[derive(Debug)]
pub(super) struct Rotation {
    /// `patches x channels of a head`.
    sines: Tensor,
    cosines: Tensor,
}

impl Rotation {
    /// - `periods`: a quarter as many as channels of a head. A row or column from -1 to 1 is turned by `2 pi / period`.
    pub fn new(periods: &Tensor, [height, width]: [i64; 2]) -> Self {
        let options = (Kind::Float, periods.device());
        let centres =
            |count: i64| (Tensor::arange(count, options) + 0.5) / count as f64 * 2.0 - 1.0;
        let grid = [height, width];
        let rows = centres(height).view([-1, 1]).expand(grid, false);
        let columns = centres(width).view([1, -1]).expand(grid, false);
        let places = Tensor::stack(&[rows, columns], -1).view([-1, 2, 1]);
        let angles = (places * TAU / periods.view([1, 1, -1])).flatten(1, 2);
        let angles = Tensor::cat(&[&angles, &angles], 1);
        Self {
            sines: angles.sin(),
            cosines: angles.cos(),
        }
    }

    /// Rotates the vectors of patches, the last ones of `vectors`, `N x heads x T x channels`.
    fn applied(&self, vectors: &Tensor) -> Tensor {
        let num_prefix = vectors.size()[2] - self.sines.size()[0];
        let prefix = vectors.narrow(2, 0, num_prefix);
        let patches = vectors.narrow(2, num_prefix, self.sines.size()[0]);
        let halves = patches.chunk(2, -1);
        let turned = Tensor::cat(&[&-&halves[1], &halves[0]], -1);
        let rotated = &patches * &self.cosines + turned * &self.sines;
        Tensor::cat(&[prefix, rotated.to_kind(vectors.kind())], 2)
    }
}
