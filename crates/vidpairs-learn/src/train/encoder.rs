//! Encoder of a contrastive method: a trunk and its head.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use crate::model::{Head, NamedTensors, Pass, ResNet, ResNetConfig, unit_rows};

/// Head of a contrastive encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKind {
    /// One layer, as in MoCo v1.
    Linear,
    /// Two layers, as in MoCo v2.
    Mlp,
}

/// Network that maps images to unit vectors.
#[derive(Debug)]
pub struct Encoder {
    trunk: ResNet,
    head: Head,
    tensors: NamedTensors,
}

impl Encoder {
    /// New weights drawn from `seed`; embeddings have `embedding` dimensions.
    pub fn new(
        network: &ResNetConfig,
        head: HeadKind,
        embedding: i64,
        seed: Seed,
        device: Device,
    ) -> Self {
        let trunk = ResNet::new(network, seed.for_step("backbone", ""), device);
        let seed = seed.for_step("head", "");
        let features = network.num_features();
        let head = match head {
            HeadKind::Linear => Head::linear(features, embedding, seed, device),
            HeadKind::Mlp => Head::mlp(features, embedding, seed, device),
        };
        let mut tensors = NamedTensors::default();
        tensors.extend("backbone", trunk.tensors());
        tensors.extend("head", head.tensors());
        Self {
            trunk,
            head,
            tensors,
        }
    }

    /// Network without its head.
    pub fn trunk(&self) -> &ResNet {
        &self.trunk
    }

    /// All tensors: `backbone.` and torchvision's names, `head.` and the names of a PyTorch `Sequential`.
    pub fn tensors(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Maps images, `N x 3 x H x W`, to embeddings, `N x E`, unit rows.
    pub fn embed(&self, images: &Tensor, pass: Pass) -> Tensor {
        unit_rows(&self.head.forward(&self.trunk.forward(images, pass), pass))
    }

    /// Moves every parameter towards that of `query`: `k <- m k + (1 - m) q`. Batch norm keeps its own statistics.
    ///
    /// # Source
    /// He et al. 2020, equation 2.
    pub fn follow(&self, query: &Self, momentum: f64) {
        tch::no_grad(|| {
            for (own, query) in self.tensors.parameters().zip(query.tensors.parameters()) {
                // Computes k + (1 - m) (q - k) in one pass over memory.
                let mut own = own.tensor.shallow_clone();
                let _ = own.lerp_(&query.tensor, 1.0 - momentum);
            }
        });
    }
}
