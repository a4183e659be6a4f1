//! Learner: a training method and its optimiser.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use super::method::{DataCounts, Method, MethodConfig};
use super::sgd::{Gradient, Sgd, SgdConfig};
use super::step::{Observed, StepInputs};
use crate::model::ResNet;

/// Settings of a [`Learner`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerConfig {
    /// Training method.
    pub method: MethodConfig,
    /// Optimiser.
    pub sgd: SgdConfig,
    /// Number of equal parts, at least 1, that a batch is computed in to save memory. Batch norm sees one part at a time;
    /// loss and gradient are those of the whole batch.
    pub accumulate: i64,
}

/// Figures of one step.
#[derive(Debug)]
pub struct StepReport {
    /// Loss, nats.
    pub loss: f64,
    /// Mean cosine of positives.
    pub positive_similarity: f64,
    /// Mean cosine of negatives.
    pub negative_similarity: f64,
    /// Euclidean norm of the gradient.
    pub gradient_norm: f64,
    /// Query embeddings of the last part of the batch, `N x E`, unit rows.
    pub queries: Tensor,
    /// Keys of these queries, `N x E`, unit rows.
    pub keys: Tensor,
}

/// The loss or the gradient is not finite; the weights are those before the step. Stop, and check the learning rate, the
/// temperature and the number format.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the loss is {loss} and the norm of the gradient {gradient_norm}")]
pub struct NotFinite {
    /// Computed loss.
    pub loss: f64,
    /// Computed norm of the gradient.
    pub gradient_norm: f64,
}

/// A training method and its optimiser.
#[derive(Debug)]
pub struct Learner {
    pub(super) method: Method,
    pub(super) sgd: Sgd,
    accumulate: i64,
}

impl Learner {
    /// New weights drawn from `seed` on the CPU: the same on every device.
    pub fn new(config: &LearnerConfig, counts: DataCounts, seed: Seed, device: Device) -> Self {
        let method = Method::new(config.method, counts, seed, device);
        Self {
            sgd: Sgd::new(method.trained(), config.sgd),
            method,
            accumulate: config.accumulate,
        }
    }

    /// Network without heads, in its present state.
    pub fn trunk(&self) -> &ResNet {
        self.method.trunk()
    }

    /// Share of the queue that holds keys of images; `None` for methods without a queue.
    pub fn queue_fill(&self) -> Option<f64> {
        match &self.method {
            Method::Moco(moco) => Some(moco.queue().fill()),
            _ => None,
        }
    }

    /// Takes one step at learning rate `lr`. All randomness of the step comes from `seed`.
    ///
    /// # Errors
    /// [`NotFinite`]; the weights are then unchanged.
    pub fn step(
        &mut self,
        inputs: &StepInputs,
        lr: f64,
        seed: Seed,
    ) -> Result<StepReport, NotFinite> {
        self.method.begin_step(&inputs.labels, self.accumulate);
        let part_len = inputs.num_records() / self.accumulate;
        let (mut observed, mut gradient) = self.part(&inputs.part(0, part_len), seed);
        for part in 1..self.accumulate {
            let seed = seed.for_step("part", &part.to_string());
            let next = self.part(&inputs.part(part * part_len, part_len), seed);
            observed = observed.plus(next.0);
            gradient.add(&next.1);
        }
        let report = StepReport {
            loss: observed.loss.double_value(&[]),
            positive_similarity: observed.positive_similarity.double_value(&[]),
            negative_similarity: observed.negative_similarity.double_value(&[]),
            gradient_norm: gradient.norm(),
            queries: observed.queries,
            keys: observed.keys,
        };
        if !report.loss.is_finite() || !report.gradient_norm.is_finite() {
            return Err(NotFinite {
                loss: report.loss,
                gradient_norm: report.gradient_norm,
            });
        }
        self.sgd.step(&gradient, lr);
        self.method.end_step();
        Ok(report)
    }

    /// Share of one part of the batch in the loss, and its gradient.
    fn part(&mut self, inputs: &StepInputs, seed: Seed) -> (Observed, Gradient) {
        let share = 1.0 / self.accumulate as f64;
        let observed = self.method.loss(inputs, seed).scaled(share);
        let gradient = self.sgd.gradient(&observed.loss);
        (observed.detached(), gradient)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use tch::Kind;

    use super::super::{DecayOf, HeadKind, MocoConfig, SupervisedConfig};
    use super::*;
    use crate::model::{Depth, NumberFormat, ResNetConfig, Stem};

    pub fn config(groups: i64, accumulate: i64) -> LearnerConfig {
        LearnerConfig {
            method: MethodConfig::Moco(MocoConfig {
                network: ResNetConfig {
                    depth: Depth::R18,
                    width: 4,
                    stem: Stem::Small,
                },
                head: HeadKind::Mlp,
                embedding: 8,
                queue: 16,
                temperature: 0.2,
                key_momentum: 0.9,
                groups,
                is_shuffled: false,
                is_symmetric: true,
                region_weight: 0.5,
                precision: NumberFormat::F32,
            }),
            sgd: SgdConfig {
                momentum: 0.9,
                weight_decay: 1e-4,
                decay_of: DecayOf::Everything,
            },
            accumulate,
        }
    }

    pub fn learner(config: &LearnerConfig) -> Learner {
        learner_from(config, Seed::of_run(3))
    }

    pub fn learner_from(config: &LearnerConfig, seed: Seed) -> Learner {
        let counts = DataCounts {
            records: 8,
            labels: 3,
        };
        Learner::new(config, counts, seed, Device::Cpu)
    }

    pub fn inputs() -> StepInputs {
        let images = |scale: f64| {
            let waves = Tensor::arange(8 * 3 * 16 * 16, (Kind::Float, Device::Cpu)) * scale;
            waves.sin().view([8, 3, 16, 16])
        };
        StepInputs {
            records: Tensor::arange(8, (Kind::Int64, Device::Cpu)),
            labels: Tensor::zeros([8], (Kind::Int64, Device::Cpu)),
            views: vec![images(0.37), images(0.41)],
        }
    }

    /// Greatest difference between two states, over the tensors whose name `is_compared`.
    pub fn difference(a: &Learner, b: &Learner, is_compared: impl Fn(&str) -> bool) -> f64 {
        let (a, b) = (a.state(), b.state());
        a.iter()
            .filter(|(name, _)| is_compared(name))
            .map(|(name, tensor)| {
                let (tensor, other) = (tensor.to_kind(Kind::Float), b[name].to_kind(Kind::Float));
                (tensor - other).abs().max().double_value(&[])
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn a_batch_in_parts_updates_the_weights_as_a_whole_batch_in_groups_does() {
        let (mut whole, mut parts) = (learner(&config(2, 1)), learner(&config(1, 2)));
        let seed = Seed::of_run(0);
        for learner in [&mut whole, &mut parts] {
            learner.step(&inputs(), 0.1, seed).unwrap();
        }
        let is_compared = |name: &str| {
            name.starts_with("query") && name.ends_with("weight") || name == "queue.position"
        };
        assert!(difference(&whole, &parts, is_compared) < 1e-5);
    }

    #[test]
    fn a_labelled_record_has_the_same_weight_in_every_part_of_a_batch() {
        let supervised = |groups: i64, accumulate: i64| {
            let moco = config(groups, accumulate);
            let MethodConfig::Moco(MocoConfig { network, .. }) = moco.method else {
                unreachable!("it is MoCo")
            };
            let config = LearnerConfig {
                method: MethodConfig::Supervised(SupervisedConfig {
                    network,
                    groups,
                    precision: NumberFormat::F32,
                }),
                ..moco
            };
            learner(&config)
        };
        let (mut whole, mut parts) = (supervised(2, 1), supervised(1, 2));
        let inputs = StepInputs {
            labels: Tensor::from_slice(&[-1i64, 2, -1, -1, 0, 1, 2, 0]),
            views: vec![inputs().views.remove(0)],
            ..inputs()
        };
        let reports = [&mut whole, &mut parts].map(|learner| {
            let report = learner.step(&inputs, 0.1, Seed::of_run(0)).unwrap();
            (report.loss, report.positive_similarity)
        });
        assert!((reports[0].0 - reports[1].0).abs() < 1e-5, "{reports:?}");
        assert!((reports[0].1 - reports[1].1).abs() < 1e-5, "{reports:?}");
        let is_compared = |name: &str| name.starts_with("query") && name.ends_with("weight");
        assert!(difference(&whole, &parts, is_compared) < 1e-5);
    }

    #[test]
    fn a_loss_that_is_not_finite_leaves_the_weights_unchanged() {
        let mut learner = learner(&config(1, 1));
        let before: BTreeMap<_, _> = (learner.state().into_iter())
            .map(|(name, tensor)| (name, tensor.copy()))
            .collect();
        let mut inputs = inputs();
        inputs.views[0] = &inputs.views[0] * f64::NAN;
        let err = learner.step(&inputs, 0.1, Seed::of_run(0)).unwrap_err();
        assert!(err.loss.is_nan());
        for (name, tensor) in learner.state() {
            if name.starts_with("query") && name.ends_with("weight") {
                assert!(tensor.equal(&before[&name]), "{name}");
            }
        }
    }
}
