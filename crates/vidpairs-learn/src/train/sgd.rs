//! Stochastic gradient descent with momentum.

use tch::{Device, Kind, Tensor};

use crate::model::NamedTensors;

/// Values updated at once on a CPU. They stay in a core's cache with their gradient and velocity, whereas each operation on a
/// whole layer would pass through memory. A GPU updates a layer at once, as there each operation costs a launch.
const CHUNK_LEN: i64 = 1 << 16;

/// Parameters that weight decay applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecayOf {
    /// All parameters, as in MoCo.
    Everything,
    /// Parameters of more than one dimension, hence neither biases nor batch norm, as in PIRL.
    Matrices,
}

/// Settings of [`Sgd`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdConfig {
    /// Share of the velocity that stays from step to step.
    pub momentum: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Parameters with weight decay.
    pub decay_of: DecayOf,
}

/// Stochastic gradient descent as PyTorch's `SGD` without dampening: `v <- m v + (g + d w)`, `w <- w - lr v`.
#[derive(Debug)]
pub struct Sgd {
    momentum: f64,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    name: String,
    parameter: Tensor,
    velocity: Tensor,
    weight_decay: f64,
    /// Factor of the learning rate.
    rate: f64,
}

/// Gradient of a loss, one tensor for each parameter.
#[derive(Debug)]
pub struct Gradient(Vec<Tensor>);

impl Gradient {
    /// Adds the gradient of another loss.
    pub fn add(&mut self, other: &Self) {
        for (sum, other) in self.0.iter_mut().zip(&other.0) {
            let _ = sum.g_add_(other);
        }
    }

    /// Euclidean norm over all parameters.
    pub fn norm(&self) -> f64 {
        let squares: Vec<Tensor> = (self.0.iter())
            .map(|part| part.norm().to_kind(Kind::Double).square())
            .collect();
        let sum = Tensor::stack(&squares, 0).sum(Kind::Double);
        sum.sqrt().double_value(&[])
    }
}

impl Sgd {
    /// Optimiser of the parameters of `tensors`, with velocities of 0.
    pub fn new(tensors: &NamedTensors, config: SgdConfig) -> Self {
        let slots = tensors.parameters().map(|named| {
            let is_matrix = named.tensor.dim() > 1;
            let is_decayed = is_matrix || config.decay_of == DecayOf::Everything;
            Slot {
                name: named.name.clone(),
                parameter: named.tensor.shallow_clone(),
                velocity: tch::no_grad(|| named.tensor.zeros_like()),
                weight_decay: if is_decayed { config.weight_decay } else { 0.0 },
                rate: 1.0,
            }
        });
        Self {
            momentum: config.momentum,
            slots: slots.collect(),
        }
    }

    /// Multiplies the learning rate of the parameters of one part of the network, whose names start with `part.`.
    pub fn slow_down(&mut self, part: &str, factor: f64) {
        let prefix = format!("{part}.");
        for slot in &mut self.slots {
            if slot.name.starts_with(&prefix) {
                slot.rate = factor;
            }
        }
    }

    /// Gradient of `loss`, whose graph is freed.
    pub fn gradient(&self, loss: &Tensor) -> Gradient {
        let parameters: Vec<&Tensor> = self.slots.iter().map(|slot| &slot.parameter).collect();
        let parts = Tensor::run_backward(&[loss], &parameters, false, false);
        let ordered = (parts.into_iter().zip(parameters))
            .map(|(part, parameter)| in_layout_of(parameter, part));
        Gradient(ordered.collect())
    }

    /// Parts of `gradient` with the names of their parameters.
    pub fn by_name<'a>(
        &'a self,
        gradient: &'a Gradient,
    ) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
        let names = self.slots.iter().map(|slot| slot.name.as_str());
        names.zip(&gradient.0)
    }

    /// Takes one step along `gradient` at learning rate `lr`.
    pub fn step(&mut self, gradient: &Gradient, lr: f64) {
        tch::no_grad(|| {
            for (slot, gradient) in self.slots.iter().zip(&gradient.0) {
                let [parameter, velocity, gradient] =
                    [&slot.parameter, &slot.velocity, gradient].map(flat);
                let len = parameter.size()[0];
                let chunk_len = match parameter.device() {
                    Device::Cpu => CHUNK_LEN,
                    _ => len.max(1),
                };
                for start in (0..len).step_by(chunk_len as usize) {
                    let chunk = |flat: &Tensor| flat.narrow(0, start, chunk_len.min(len - start));
                    let (mut parameter, mut velocity) = (chunk(&parameter), chunk(&velocity));
                    let _ = velocity.g_mul_scalar_(self.momentum);
                    let _ = velocity.g_add_(&chunk(&gradient));
                    if slot.weight_decay != 0.0 {
                        let _ = velocity.g_add_(&(&parameter * slot.weight_decay));
                    }
                    let _ = parameter.g_sub_(&(&velocity * (lr * slot.rate)));
                }
            }
        });
    }

    /// Velocity of every parameter with its name, as checkpoints hold it.
    pub fn state(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.slots
            .iter()
            .map(|slot| (slot.name.as_str(), &slot.velocity))
    }
}

/// Reorders `gradient` in memory to the layout of `parameter`.
fn in_layout_of(parameter: &Tensor, gradient: Tensor) -> Tensor {
    if gradient.stride() == parameter.stride() {
        return gradient;
    }
    tch::no_grad(|| {
        let mut ordered = parameter.zeros_like();
        ordered.copy_(&gradient);
        ordered
    })
}

/// View of all values in the order of memory. The tensor must have no gaps.
fn flat(tensor: &Tensor) -> Tensor {
    tensor
        .detach()
        .as_strided([tensor.numel() as i64], [1], None)
}
