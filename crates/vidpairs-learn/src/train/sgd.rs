//! Stochastic gradient descent with momentum.

use tch::{Device, Kind, Tensor};

use crate::model::NamedTensors;

/// Values that are updated at once on a CPU: with their gradient and velocity they stay in a core's cache from one
/// operation to the next, where whole layers would go through memory for each. A GPU takes a layer at once: there every
/// operation costs a launch.
const CHUNK_LEN: i64 = 1 << 16;

/// Which parameters weight decay pulls at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecayOf {
    /// All, as MoCo does.
    Everything,
    /// Those of more than one dimension: neither biases nor batch norm, as PIRL does.
    Matrices,
}

/// How [`Sgd`] descends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdConfig {
    /// Share of the last step that is taken again.
    pub momentum: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// What it is added to.
    pub decay_of: DecayOf,
}

/// `v <- m v + (g + d w)`, `w <- w - lr v`: PyTorch's `SGD` without dampening.
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
}

/// The gradient of a loss, in the order of the parameters.
#[derive(Debug)]
pub struct Gradient(Vec<Tensor>);

impl Gradient {
    /// Adds that of another loss.
    pub fn add(&mut self, other: &Self) {
        for (sum, other) in self.0.iter_mut().zip(&other.0) {
            let _ = sum.g_add_(other);
        }
    }

    /// Euclidean length.
    pub fn norm(&self) -> f64 {
        let squares = self.0.iter();
        let squares: Vec<Tensor> = squares
            .map(|part| part.norm().to_kind(Kind::Double).square())
            .collect();
        if squares.is_empty() {
            return 0.0;
        }
        let sum = Tensor::stack(&squares, 0).sum(Kind::Double);
        sum.sqrt().double_value(&[])
    }
}

impl Sgd {
    /// At rest.
    pub fn new(tensors: &NamedTensors, config: SgdConfig) -> Self {
        let slots = tensors.parameters().map(|named| {
            let is_matrix = named.tensor.dim() > 1;
            let is_decayed = is_matrix || config.decay_of == DecayOf::Everything;
            Slot {
                name: named.name.clone(),
                parameter: named.tensor.shallow_clone(),
                velocity: tch::no_grad(|| named.tensor.zeros_like()),
                weight_decay: if is_decayed { config.weight_decay } else { 0.0 },
            }
        });
        Self {
            momentum: config.momentum,
            slots: slots.collect(),
        }
    }

    /// The gradient of `loss`, which is spent then.
    pub fn gradient(&self, loss: &Tensor) -> Gradient {
        let parameters: Vec<&Tensor> = self.slots.iter().map(|slot| &slot.parameter).collect();
        let parts = Tensor::run_backward(&[loss], &parameters, false, false);
        let parts = parts.into_iter().zip(&self.slots);
        Gradient(
            parts
                .map(|(part, slot)| in_layout_of(&slot.parameter, part))
                .collect(),
        )
    }

    /// The parts of `gradient` under the names of the parameters.
    pub fn by_name<'a>(
        &'a self,
        gradient: &'a Gradient,
    ) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
        let names = self.slots.iter().map(|slot| slot.name.as_str());
        names.zip(&gradient.0)
    }

    /// One step down `gradient` at learning rate `lr`.
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
                    let _ = parameter.g_sub_(&(&velocity * lr));
                }
            }
        });
    }

    /// What a checkpoint needs: the velocity of every parameter, under its name.
    pub fn state(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.slots
            .iter()
            .map(|slot| (slot.name.as_str(), &slot.velocity))
    }
}

/// `gradient` with its values in the order in memory that those of `parameter` have.
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

/// All values as they lie in memory, without gaps.
fn flat(tensor: &Tensor) -> Tensor {
    tensor
        .detach()
        .as_strided([tensor.numel() as i64], [1], None)
}
