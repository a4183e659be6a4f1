//! One method with its optimiser: a step, and all the state that the next one needs.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};
use vidpairs_types::Seed;

use super::moco::{Moco, MocoConfig};
use super::pirl::{Pirl, PirlConfig};
use super::sgd::{Gradient, Sgd, SgdConfig};
use super::step::{Observed, StepInputs};
use super::supervised::{Supervised, SupervisedConfig};
use crate::model::{NamedTensors, ResNet};

/// What is learnt by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MethodConfig {
    /// Momentum contrast.
    Moco(MocoConfig),
    /// Jigsaw invariance.
    Pirl(PirlConfig),
    /// Labels.
    Supervised(SupervisedConfig),
}

/// How a run learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerConfig {
    /// By what.
    pub method: MethodConfig,
    /// How weights move.
    pub sgd: SgdConfig,
    /// Equal parts that a batch is computed in, to save memory. Batch norm sees the parts, the rest sees the batch.
    pub accumulate: i64,
}

/// Counts that a network's size depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataCounts {
    /// Records.
    pub records: i64,
    /// Different labels.
    pub labels: i64,
}

#[derive(Debug)]
enum Method {
    Moco(Box<Moco>),
    Pirl(Box<Pirl>),
    Supervised(Box<Supervised>),
}

/// A step's figures.
#[derive(Debug)]
pub struct StepReport {
    /// The loss, nats.
    pub loss: f64,
    /// Mean cosine of positives.
    pub positive_similarity: f64,
    /// Mean cosine of negatives.
    pub negative_similarity: f64,
    /// Euclidean length of the gradient.
    pub gradient_norm: f64,
    /// `N x E` unit vectors of the (last part of the) batch.
    pub queries: Tensor,
    /// Those that belong to them.
    pub keys: Tensor,
}

/// The loss or the gradient is infinite or no number. The weights are those from before the step: stop, and look at the
/// learning rate, the temperature and the precision.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the loss is {loss} and the length of the gradient {gradient_norm}")]
pub struct NotFinite {
    /// As it was computed.
    pub loss: f64,
    /// As it was computed.
    pub gradient_norm: f64,
}

/// Why a state does not belong to a learner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A tensor is not there.
    #[error("{name} is missing")]
    Missing {
        /// Of the tensor.
        name: String,
    },
    /// A tensor has another shape.
    #[error("{name} is {found:?} there and {expected:?} here")]
    Shape {
        /// Of the tensor.
        name: String,
        /// In the state.
        found: Vec<i64>,
        /// In the learner.
        expected: Vec<i64>,
    },
    /// The state has a tensor that the learner has not.
    #[error("{name} is there and not here")]
    Unknown {
        /// Of the tensor.
        name: String,
    },
}

/// A method and its optimiser.
#[derive(Debug)]
pub struct Learner {
    method: Method,
    sgd: Sgd,
    accumulate: i64,
}

impl Learner {
    /// New weights, drawn from `seed` on the CPU: the same on every device.
    pub fn new(config: &LearnerConfig, counts: DataCounts, seed: Seed, device: Device) -> Self {
        let method =
            match config.method {
                MethodConfig::Moco(moco) => Method::Moco(Box::new(Moco::new(moco, seed, device))),
                MethodConfig::Pirl(pirl) => {
                    Method::Pirl(Box::new(Pirl::new(pirl, counts.records, seed, device)))
                }
                MethodConfig::Supervised(supervised) => Method::Supervised(Box::new(
                    Supervised::new(supervised, counts.labels, seed, device),
                )),
            };
        Self {
            sgd: Sgd::new(method.trained(), config.sgd),
            method,
            accumulate: config.accumulate.max(1),
        }
    }

    /// The network without heads, as it is now.
    pub fn trunk(&self) -> &ResNet {
        match &self.method {
            Method::Moco(moco) => moco.query().trunk(),
            Method::Pirl(pirl) => pirl.trunk(),
            Method::Supervised(supervised) => supervised.trunk(),
        }
    }

    /// The share of the queue that holds keys of images; `None` for methods without a queue.
    pub fn queue_fill(&self) -> Option<f64> {
        match &self.method {
            Method::Moco(moco) => Some(moco.queue().fill()),
            _ => None,
        }
    }

    /// One step at learning rate `lr`. Everything that is drawn by lot comes from `seed`.
    ///
    /// # Errors
    /// [`NotFinite`]; the weights did not move then.
    pub fn step(
        &mut self,
        inputs: &StepInputs,
        lr: f64,
        seed: Seed,
    ) -> Result<StepReport, NotFinite> {
        self.method.begin_step(inputs, self.accumulate);
        let part_len = inputs.len() / self.accumulate;
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

    /// The share of one part of the batch in loss and gradient.
    fn part(&mut self, inputs: &StepInputs, seed: Seed) -> (Observed, Gradient) {
        let observed = self.method.loss(inputs, seed);
        let observed = observed.scaled(1.0 / self.accumulate as f64);
        let gradient = self.sgd.gradient(&observed.loss);
        (observed.detached(), gradient)
    }

    /// Every tensor that the next step depends on, under its name.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let mut state = BTreeMap::new();
        let mut add = |prefix: &str, tensors: &NamedTensors| {
            for named in tensors.iter() {
                let name = format!("{prefix}.{}", named.name);
                state.insert(name, named.tensor.detach());
            }
        };
        match &self.method {
            Method::Moco(moco) => {
                add("query", moco.query().tensors());
                add("key", moco.key().tensors());
                let (next, num_enqueued) = moco.queue().position();
                let position = [next, i64::try_from(num_enqueued).unwrap_or(i64::MAX)];
                state.insert("queue.keys".to_owned(), moco.queue().keys().detach());
                state.insert("queue.position".to_owned(), Tensor::from_slice(&position));
            }
            Method::Pirl(pirl) => {
                add("query", pirl.trained());
                state.insert("bank".to_owned(), pirl.bank().detach());
            }
            Method::Supervised(supervised) => add("query", supervised.trained()),
        }
        for (name, velocity) in self.sgd.state() {
            state.insert(format!("sgd.{name}"), velocity.detach());
        }
        state
    }

    /// The first tensor of the [`state`](Self::state) that holds an infinite number or one that is none.
    pub fn first_not_finite(&self) -> Option<String> {
        let state = self.state();
        let mut found = state.into_iter().filter(|(_, tensor)| {
            let is_finite = tensor.isfinite().all();
            is_finite.int64_value(&[]) == 0
        });
        found.next().map(|(name, _)| name)
    }

    /// Goes on from a state that [`state`](Self::state) gave.
    ///
    /// # Errors
    /// [`StateError`]: the state of another network or method; nothing is changed then.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), StateError> {
        let own = self.state();
        for (name, tensor) in &own {
            let Some(found) = state.get(name) else {
                return Err(StateError::Missing { name: name.clone() });
            };
            if found.size() != tensor.size() {
                return Err(StateError::Shape {
                    name: name.clone(),
                    found: found.size(),
                    expected: tensor.size(),
                });
            }
        }
        if let Some(name) = state.keys().find(|name| !own.contains_key(*name)) {
            return Err(StateError::Unknown { name: name.clone() });
        }
        tch::no_grad(|| {
            for (name, tensor) in own {
                if let Some(found) = state.get(&name) {
                    tensor.shallow_clone().copy_(found);
                }
            }
        });
        if let (Method::Moco(moco), Some(position)) =
            (&mut self.method, state.get("queue.position"))
        {
            let position = position.to_kind(Kind::Int64).to_device(Device::Cpu);
            let num_enqueued = u64::try_from(position.int64_value(&[1])).unwrap_or(0);
            moco.queue_mut()
                .resume_at(position.int64_value(&[0]), num_enqueued);
        }
        Ok(())
    }
}

impl Method {
    fn trained(&self) -> &NamedTensors {
        match self {
            Self::Moco(moco) => moco.trained(),
            Self::Pirl(pirl) => pirl.trained(),
            Self::Supervised(supervised) => supervised.trained(),
        }
    }

    fn begin_step(&mut self, inputs: &StepInputs, num_parts: i64) {
        match self {
            Self::Moco(moco) => moco.begin_step(),
            Self::Pirl(_) => {}
            Self::Supervised(supervised) => supervised.begin_step(&inputs.labels, num_parts),
        }
    }

    fn loss(&mut self, inputs: &StepInputs, seed: Seed) -> Observed {
        match self {
            Self::Moco(moco) => moco.loss(inputs, seed),
            Self::Pirl(pirl) => pirl.loss(inputs, seed),
            Self::Supervised(supervised) => supervised.loss(inputs),
        }
    }

    fn end_step(&mut self) {
        match self {
            Self::Moco(moco) => moco.end_step(),
            Self::Pirl(pirl) => pirl.end_step(),
            Self::Supervised(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DecayOf, HeadKind};
    use super::*;
    use crate::model::{Depth, Precision, ResNetConfig, Stem};

    fn config(groups: i64, accumulate: i64) -> LearnerConfig {
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
                precision: Precision::F32,
            }),
            sgd: SgdConfig {
                momentum: 0.9,
                weight_decay: 1e-4,
                decay_of: DecayOf::Everything,
            },
            accumulate,
        }
    }

    fn learner(config: &LearnerConfig) -> Learner {
        let counts = DataCounts {
            records: 8,
            labels: 0,
        };
        Learner::new(config, counts, Seed::of_run(3), Device::Cpu)
    }

    fn inputs() -> StepInputs {
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

    fn difference(a: &Learner, b: &Learner, is_meant: impl Fn(&str) -> bool) -> f64 {
        let (a, b) = (a.state(), b.state());
        let of_both = a.iter().filter(|(name, _)| is_meant(name));
        let differences = of_both.map(|(name, tensor)| {
            let (tensor, other) = (tensor.to_kind(Kind::Float), b[name].to_kind(Kind::Float));
            (tensor - other).abs().max().double_value(&[])
        });
        differences.fold(0.0, f64::max)
    }

    #[test]
    fn a_batch_in_parts_moves_the_weights_as_a_whole_one_in_groups_does() {
        let (mut whole, mut parts) = (learner(&config(2, 1)), learner(&config(1, 2)));
        let seed = Seed::of_run(0);
        for learner in [&mut whole, &mut parts] {
            learner.step(&inputs(), 0.1, seed).unwrap();
        }
        let is_meant = |name: &str| {
            name.starts_with("query") && name.ends_with("weight") || name == "queue.position"
        };
        assert!(difference(&whole, &parts, is_meant) < 1e-5);
    }

    #[test]
    fn a_labelled_record_counts_the_same_whichever_part_it_is_in() {
        let supervised = |groups: i64, accumulate: i64| {
            let moco = config(groups, accumulate);
            let MethodConfig::Moco(MocoConfig { network, .. }) = moco.method else {
                unreachable!("it is MoCo")
            };
            let config = LearnerConfig {
                method: MethodConfig::Supervised(SupervisedConfig {
                    network,
                    groups,
                    precision: Precision::F32,
                }),
                ..moco
            };
            let counts = DataCounts {
                records: 8,
                labels: 3,
            };
            Learner::new(&config, counts, Seed::of_run(3), Device::Cpu)
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
        let is_meant = |name: &str| name.starts_with("query") && name.ends_with("weight");
        assert!(difference(&whole, &parts, is_meant) < 1e-5);
    }

    #[test]
    fn a_restored_learner_takes_the_same_steps() {
        let mut first = learner(&config(2, 1));
        first.step(&inputs(), 0.1, Seed::of_run(0)).unwrap();
        let mut second = Learner::new(
            &config(2, 1),
            DataCounts {
                records: 8,
                labels: 0,
            },
            Seed::of_run(99),
            Device::Cpu,
        );
        let state = first.state();
        let state = state
            .into_iter()
            .map(|(name, tensor)| (name, tensor.copy()));
        second.restore(&state.collect()).unwrap();
        for learner in [&mut first, &mut second] {
            learner.step(&inputs(), 0.1, Seed::of_run(1)).unwrap();
        }
        assert_eq!(difference(&first, &second, |_| true), 0.0);
    }

    #[test]
    fn a_state_of_another_network_is_refused_by_the_name_of_what_differs() {
        let mut narrow = learner(&config(1, 1));
        let mut wide = config(1, 1);
        if let MethodConfig::Moco(moco) = &mut wide.method {
            moco.network.width = 8;
        }
        let mut state = learner(&wide).state();
        let err = narrow.restore(&state).unwrap_err();
        assert!(matches!(err, StateError::Shape { .. }), "{err}");
        state.remove("queue.keys");
        let err = learner(&wide).restore(&state).unwrap_err();
        assert_eq!(err.to_string(), "queue.keys is missing");
    }

    #[test]
    fn a_loss_that_is_no_number_leaves_the_weights_as_they_were() {
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
