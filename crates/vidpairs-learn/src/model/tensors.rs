//! Named tensors of a network: parameters, and statistics of batch norm.

use tch::{Device, Kind, Tensor};
use vidpairs_types::Seed;

use super::draw;

/// Tensor of a network, and its name.
#[derive(Debug)]
pub struct NamedTensor {
    /// Name in PyTorch's form, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// Values; shares storage with the layer.
    pub tensor: Tensor,
    /// Whether training learns it; otherwise it is a running statistic of batch norm.
    pub is_parameter: bool,
}

/// Tensors of a network in PyTorch's order. Layers share their storage, so values must be changed in place.
#[derive(Debug, Default)]
pub struct NamedTensors(Vec<NamedTensor>);

impl NamedTensors {
    /// All tensors.
    pub fn iter(&self) -> impl Iterator<Item = &NamedTensor> {
        self.0.iter()
    }

    /// Tensors that training learns.
    pub fn parameters(&self) -> impl Iterator<Item = &NamedTensor> {
        self.0.iter().filter(|tensor| tensor.is_parameter)
    }

    /// Tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        let named = self.0.iter().find(|named| named.name == name)?;
        Some(&named.tensor)
    }

    /// Excludes all tensors from the computation of gradients.
    pub fn freeze(&self) {
        for named in &self.0 {
            let _ = named.tensor.set_requires_grad(false);
        }
    }

    /// Keeps the tensors whose names `is_kept`.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.retain(|named| is_kept(&named.name));
    }

    /// Appends the tensors of a part of the network, with `prefix.` before their names.
    pub fn extend(&mut self, prefix: &str, part: &Self) {
        self.0.extend(part.0.iter().map(|named| NamedTensor {
            name: format!("{prefix}.{}", named.name),
            tensor: named.tensor.shallow_clone(),
            is_parameter: named.is_parameter,
        }));
    }
}

/// Creates the tensors of a network one after the other.
#[derive(Debug)]
pub(super) struct Builder {
    tensors: NamedTensors,
    seed: Option<Seed>,
    device: Device,
}

impl Builder {
    /// A builder without tensors. It draws each tensor on the CPU from `seed` and the tensor's name, and moves it to `device`,
    /// so that a seed gives the same network on every device. Without a seed these tensors are 0, to be overwritten.
    pub(super) fn new(seed: Option<Seed>, device: Device) -> Self {
        Self {
            tensors: NamedTensors::default(),
            seed,
            device,
        }
    }

    /// Weight of a convolution, `out x in x side x side`, channels last, drawn from N(0, 2 / fan-out) (He et al. 2015).
    pub(super) fn conv(&mut self, name: String, out: i64, input: i64, side: i64) -> Tensor {
        let std = (2.0 / (out * side * side) as f64).sqrt();
        let drawn = self.drawn(draw::normal, &name, &[out, input, side, side]) * std;
        self.parameter(name, channels_last(&drawn))
    }

    /// Parameter of `shape`, drawn uniformly from -`bound` to `bound`.
    pub(super) fn uniform(&mut self, name: String, shape: &[i64], bound: f64) -> Tensor {
        let drawn = self.drawn(draw::uniform, &name, shape) * bound;
        self.parameter(name, drawn)
    }

    /// Parameter of `shape`, drawn from N(0, `std`^2).
    pub(super) fn normal(&mut self, name: String, shape: &[i64], std: f64) -> Tensor {
        let drawn = self.drawn(draw::normal, &name, shape) * std;
        self.parameter(name, drawn)
    }

    /// Parameter vector whose values are all `value`.
    pub(super) fn filled(&mut self, name: String, len: i64, value: f64) -> Tensor {
        let vector = Tensor::full([len], value, (Kind::Float, self.device));
        self.parameter(name, vector)
    }

    /// Running statistic of batch norm.
    pub(super) fn statistic(&mut self, name: String, tensor: Tensor) -> Tensor {
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

    fn parameter(&mut self, name: String, tensor: Tensor) -> Tensor {
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

/// Copy of images, `N x C x H x W`, in the memory format channels-last, the fastest for libtorch's convolutions.
pub fn channels_last(images: &Tensor) -> Tensor {
    images
        .permute([0, 2, 3, 1])
        .contiguous()
        .permute([0, 3, 1, 2])
}
