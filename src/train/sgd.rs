//! Stochastic gradient descent with momentum.

use tch::{Kind, Tensor};

use crate::model::NamedTensors;

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
    config: SgdConfig,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    name: String,
    parameter: Tensor,
    velocity: Tensor,
    weight_decay: f64,
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
            config,
            slots: slots.collect(),
        }
    }

    /// Euclidean length of the gradient over all parameters.
    pub fn gradient_norm(&self) -> f64 {
        let squares = self.slots.iter().filter_map(|slot| {
            let gradient = slot.parameter.grad();
            gradient
                .defined()
                .then(|| gradient.norm().to_kind(Kind::Double).square())
        });
        let squares: Vec<Tensor> = squares.collect();
        if squares.is_empty() {
            return 0.0;
        }
        Tensor::stack(&squares, 0)
            .sum(Kind::Double)
            .sqrt()
            .double_value(&[])
    }

    /// One step at learning rate `lr`; the gradients are zero afterwards.
    pub fn step(&mut self, lr: f64) {
        tch::no_grad(|| {
            for slot in &mut self.slots {
                let mut gradient = slot.parameter.grad();
                if !gradient.defined() {
                    continue;
                }
                if slot.weight_decay != 0.0 {
                    let _ = gradient.g_add_(&(&slot.parameter * slot.weight_decay));
                }
                let _ = slot.velocity.g_mul_scalar_(self.config.momentum);
                let _ = slot.velocity.g_add_(&gradient);
                let _ = slot.parameter.g_sub_(&(&slot.velocity * lr));
                let _ = gradient.zero_();
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
