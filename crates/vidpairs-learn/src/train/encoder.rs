//! A trunk and the head that it is trained with.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use crate::model::{Head, NamedTensors, Pass, ResNet, ResNetConfig, unit_rows};

/// The head of a contrastive encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKind {
    /// One layer: MoCo v1.
    Linear,
    /// Two layers: MoCo v2.
    Mlp,
}

/// Images to unit vectors.
#[derive(Debug)]
pub struct Encoder {
    trunk: ResNet,
    head: Head,
    tensors: NamedTensors,
}

impl Encoder {
    /// New weights from `seed`.
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

    /// The network without its head.
    pub fn trunk(&self) -> &ResNet {
        &self.trunk
    }

    /// All weights: `backbone.` and torchvision's names, `head.` and a `Sequential`'s.
    pub fn tensors(&self) -> &NamedTensors {
        &self.tensors
    }

    /// `N x 3 x H x W` to `N x E` unit vectors.
    pub fn embed(&self, images: &Tensor, pass: Pass) -> Tensor {
        unit_rows(&self.head.forward(&self.trunk.forward(images, pass), pass))
    }

    /// Moves every parameter towards `query`'s: `k <- m k + (1 - m) q`. Statistics of batch norm stay its own.
    ///
    /// # Source
    /// He et al. 2020, equation 2.
    pub fn follow(&self, query: &Self, momentum: f64) {
        tch::no_grad(|| {
            let pairs = self.tensors.parameters().zip(query.tensors.parameters());
            for (own, query) in pairs {
                // k + (1 - m) (q - k), in one pass over memory.
                let mut own = own.tensor.shallow_clone();
                let _ = own.lerp_(&query.tensor, 1.0 - momentum);
            }
        });
    }
}
