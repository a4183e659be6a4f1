//! Heads: small networks on top of a trunk during training.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use super::layers::{Linear, Pass};
use super::tensors::{Builder, NamedTensors};

/// Standard deviation of the first weights of a classifier.
const CLASSIFIER_STD: f64 = 0.01;

/// Fully connected layers with a ReLU after each but the last.
#[derive(Debug)]
pub struct Head {
    layers: Vec<Linear>,
    tensors: NamedTensors,
}

impl Head {
    /// Layers of `sizes[i]` inputs and `sizes[i + 1]` outputs, with weights drawn from `seed`. Tensors are named as those of a
    /// PyTorch `Sequential` of linear layers and ReLUs: `0.weight`, `0.bias`, `2.weight` ...
    pub fn new(sizes: &[i64], seed: Seed, device: Device) -> Self {
        let mut builder = Builder::new(Some(seed), device);
        let layers = (sizes.windows(2).enumerate())
            .map(|(index, pair)| {
                Linear::new(&mut builder, &(2 * index).to_string(), [pair[0], pair[1]])
            })
            .collect();
        Self {
            layers,
            tensors: builder.build(),
        }
    }

    /// Head of MoCo v1: D to `embedding` (He et al. 2020).
    pub fn linear(num_features: i64, embedding: i64, seed: Seed, device: Device) -> Self {
        Self::new(&[num_features, embedding], seed, device)
    }

    /// Head of MoCo v2: D to D, ReLU, D to `embedding`, no batch norm (Chen et al. 2020).
    pub fn mlp(num_features: i64, embedding: i64, seed: Seed, device: Device) -> Self {
        Self::new(&[num_features, num_features, embedding], seed, device)
    }

    /// Linear classifier of D features and `num_classes` classes: weights from N(0, 0.01^2), biases 0, as in MoCo's evaluation
    /// (He et al. 2020).
    pub fn classifier(num_features: i64, num_classes: i64, seed: Seed, device: Device) -> Self {
        let mut builder = Builder::new(Some(seed), device);
        let shape = [num_classes, num_features];
        let weight = builder.normal("0.weight".to_owned(), &shape, CLASSIFIER_STD);
        let bias = builder.filled("0.bias".to_owned(), num_classes, 0.0);
        Self {
            layers: vec![Linear::of(weight, Some(bias))],
            tensors: builder.build(),
        }
    }

    /// Weights and biases.
    pub fn tensors(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Maps features, `N x D`, to embeddings, `N x E`, f32.
    pub fn forward(&self, features: &Tensor, pass: Pass) -> Tensor {
        let mut out = features.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                out = out.relu();
            }
            out = layer.forward(&out, pass);
        }
        pass.widened(&out)
    }
}

/// Scales rows to length 1: `x / max(|x|, 1e-12)`, as PyTorch's `normalize`.
pub fn unit_rows(rows: &Tensor) -> Tensor {
    let lengths = rows.norm_scalaropt_dim(2.0, [-1i64].as_slice(), true);
    rows / lengths.clamp_min(1e-12)
}
