//! The named tensors of a network: what is learnt, and what is only kept.

use tch::{Device, Kind, Tensor};
use vidpairs_types::Seed;

use super::draw;

/// A tensor of a network, under its name.
#[derive(Debug)]
pub struct NamedTensor {
    /// `layer1.0.conv1.weight`.
    pub name: String,
    /// The values.
    pub tensor: Tensor,
    /// Whether it is learnt; else it is a statistic that batch norm keeps.
    pub is_parameter: bool,
}

/// The tensors of a network in the order in which PyTorch lists them. Layers hold shallow copies of the same
/// storage, so values are changed in place and never replaced.
#[derive(Debug, Default)]
pub struct NamedTensors(Vec<NamedTensor>);

impl NamedTensors {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &NamedTensor> {
        self.0.iter()
    }

    /// Those that are learnt.
    pub fn parameters(&self) -> impl Iterator<Item = &NamedTensor> {
        self.0.iter().filter(|tensor| tensor.is_parameter)
    }

    /// The one called `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        let found = self.0.iter().find(|tensor| tensor.name == name);
        found.map(|found| &found.tensor)
    }

    /// Takes the parameters out of what gradients are computed for.
    pub fn freeze(&self) {
        for tensor in &self.0 {
            let _ = tensor.tensor.set_requires_grad(false);
        }
    }

    /// Appends the tensors of another part, `prefix.` before their names.
    pub fn extend(&mut self, prefix: &str, part: &Self) {
        self.0.extend(part.0.iter().map(|tensor| NamedTensor {
            name: format!("{prefix}.{}", tensor.name),
            tensor: tensor.tensor.shallow_clone(),
            is_parameter: tensor.is_parameter,
        }));
    }
}

/// Makes the tensors of a network one after the other.
#[derive(Debug)]
pub(super) struct Builder {
    tensors: NamedTensors,
    seed: Option<Seed>,
    device: Device,
}

impl Builder {
    /// Nothing yet. Each tensor is drawn on the CPU from `seed` and its name and moved to `device`, so that the same seed gives
    /// the same network everywhere. Without a seed those that would be drawn are 0: for weights that come from elsewhere.
    pub(super) fn new(seed: Option<Seed>, device: Device) -> Self {
        Self {
            tensors: NamedTensors::default(),
            seed,
            device,
        }
    }

    /// A convolution's weight, `out x in x side x side`, channels last: N(0, 2 / fan-out), as He et al. 2015 draw it.
    pub(super) fn conv(&mut self, name: String, out: i64, input: i64, side: i64) -> Tensor {
        let std = (2.0 / (out * side * side) as f64).sqrt();
        let drawn = self.drawn(draw::normal, &name, &[out, input, side, side]) * std;
        self.learnt(name, channels_last(&drawn))
    }

    /// A tensor of `shape`, uniform between -`bound` and `bound`.
    pub(super) fn uniform(&mut self, name: String, shape: &[i64], bound: f64) -> Tensor {
        let drawn = self.drawn(draw::uniform, &name, shape) * bound;
        self.learnt(name, drawn)
    }

    /// A learnt vector of one value.
    pub(super) fn filled(&mut self, name: String, len: i64, value: f64) -> Tensor {
        let vector = Tensor::full([len], value, (Kind::Float, self.device));
        self.learnt(name, vector)
    }

    /// A statistic that is kept, not learnt.
    pub(super) fn kept(&mut self, name: String, tensor: Tensor) -> Tensor {
        self.push(name, tensor.to_device(self.device), false)
    }

    pub(super) fn build(self) -> NamedTensors {
        self.tensors
    }

    fn drawn(&self, draw: impl Fn(Seed, &[i64]) -> Tensor, name: &str, shape: &[i64]) -> Tensor {
        match self.seed {
            Some(seed) => draw(seed.for_step("weights", name), shape).to_device(self.device),
            None => Tensor::zeros(shape, (Kind::Float, self.device)),
        }
    }

    fn learnt(&mut self, name: String, tensor: Tensor) -> Tensor {
        self.push(name, tensor.set_requires_grad(true), true)
    }

    fn push(&mut self, name: String, tensor: Tensor, is_parameter: bool) -> Tensor {
        self.tensors.0.push(NamedTensor {
            name,
            tensor: tensor.shallow_clone(),
            is_parameter,
        });
        tensor
    }
}

/// The same `N x C x H x W` values with the channels next to each other in memory, which libtorch's convolutions are
/// fastest on.
pub fn channels_last(images: &Tensor) -> Tensor {
    images
        .permute([0, 2, 3, 1])
        .contiguous()
        .permute([0, 3, 1, 2])
}
