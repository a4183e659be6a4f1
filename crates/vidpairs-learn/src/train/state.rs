//! State of a learner, as checkpoints hold it.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

use super::learner::Learner;
use super::method::Method;
use crate::model::NamedTensors;

/// Name of the place of the next key in the queue, and the number of keys so far.
const QUEUE_POSITION: &str = "queue.position";

/// Difference between a state and the learner that it should restore.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The state lacks a tensor.
    #[error("{name} is missing")]
    Missing {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor has another shape.
    #[error("{name} has the shape {found:?}; this model expects {expected:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape in the state.
        found: Vec<i64>,
        /// Shape in the learner.
        expected: Vec<i64>,
    },
    /// A tensor has numbers of another kind.
    #[error("{name} holds numbers of kind {found:?}; this model expects {expected:?}")]
    Kind {
        /// Name of the tensor.
        name: String,
        /// Kind in the state.
        found: Kind,
        /// Kind in the learner.
        expected: Kind,
    },
    /// The state has a tensor that the learner lacks.
    #[error("{name} is unknown to this model")]
    Unknown {
        /// Name of the tensor.
        name: String,
    },
    /// The position of the queue is impossible.
    #[error(
        "{QUEUE_POSITION} is [{next}, {num_enqueued}]; expected a row of the {len} keys, and a count"
    )]
    Position {
        /// Row of the next key.
        next: i64,
        /// Keys so far.
        num_enqueued: i64,
        /// Length of the queue.
        len: i64,
    },
}

impl Learner {
    /// All tensors that the next step depends on, by name.
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
                let position = Tensor::from_slice(&[next, num_enqueued]);
                state.insert("queue.keys".to_owned(), moco.queue().keys().detach());
                state.insert(QUEUE_POSITION.to_owned(), position);
            }
            Method::Pirl(pirl) => {
                add("query", pirl.trained());
                state.insert("bank".to_owned(), pirl.bank().detach());
            }
            Method::Supervised(supervised) => add("query", supervised.trained()),
        }
        let velocities = self.sgd.state();
        state.extend(velocities.map(|(name, velocity)| (format!("sgd.{name}"), velocity.detach())));
        state
    }

    /// Names and shapes of the projection head; `None` for a method that learns from labels.
    pub fn contrast_head(&self) -> Option<Vec<(String, Vec<i64>)>> {
        if let Method::Supervised(_) = self.method {
            return None;
        }
        let tensors = self.method.trained().iter();
        let head = tensors.filter(|named| named.name.starts_with("head."));
        Some(
            head.map(|named| (named.name.clone(), named.tensor.size()))
                .collect(),
        )
    }

    /// Begins with these weights: copies each tensor over that of its name in the trained network, `backbone.conv1.weight`, and in the
    /// key encoder. Momentum, queue and memory bank stay as they are.
    ///
    /// # Errors
    /// [`StateError::Unknown`], [`StateError::Shape`]; nothing is changed then.
    pub fn begin_with(&mut self, weights: &BTreeMap<String, Tensor>) -> Result<(), StateError> {
        let networks = match &self.method {
            Method::Moco(moco) => vec![moco.query().tensors(), moco.key().tensors()],
            Method::Pirl(_) | Method::Supervised(_) => vec![self.method.trained()],
        };
        let mut copies = Vec::new();
        for (name, tensor) in weights {
            for network in &networks {
                let Some(own) = network.get(name) else {
                    return Err(StateError::Unknown { name: name.clone() });
                };
                if own.size() != tensor.size() {
                    return Err(StateError::Shape {
                        name: name.clone(),
                        found: tensor.size(),
                        expected: own.size(),
                    });
                }
                copies.push((own.shallow_clone(), tensor));
            }
        }
        tch::no_grad(|| {
            for (mut own, tensor) in copies {
                own.copy_(tensor);
            }
        });
        Ok(())
    }

    /// Name of the first tensor of the [`state`](Self::state) with a value that is not finite.
    pub fn first_not_finite(&self) -> Option<String> {
        let is_finite = |tensor: &Tensor| tensor.isfinite().all().int64_value(&[]) != 0;
        let mut state = self.state().into_iter();
        state
            .find(|(_, tensor)| !is_finite(tensor))
            .map(|(name, _)| name)
    }

    /// Restores a [`state`](Self::state).
    ///
    /// # Errors
    /// [`StateError`] if the state is one of another network or method; nothing is changed then.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), StateError> {
        let own = self.state();
        for (name, tensor) in &own {
            let Some(stored) = state.get(name) else {
                return Err(StateError::Missing { name: name.clone() });
            };
            if stored.size() != tensor.size() {
                return Err(StateError::Shape {
                    name: name.clone(),
                    found: stored.size(),
                    expected: tensor.size(),
                });
            }
            if stored.kind() != tensor.kind() {
                return Err(StateError::Kind {
                    name: name.clone(),
                    found: stored.kind(),
                    expected: tensor.kind(),
                });
            }
        }
        if let Some(name) = state.keys().find(|name| !own.contains_key(*name)) {
            return Err(StateError::Unknown { name: name.clone() });
        }
        if let Method::Moco(moco) = &mut self.method {
            let position = state[QUEUE_POSITION].to_device(Device::Cpu);
            let [next, num_enqueued] = [0, 1].map(|place| position.int64_value(&[place]));
            let len = moco.queue().len();
            if !(0..len).contains(&next) || num_enqueued < 0 {
                return Err(StateError::Position {
                    next,
                    num_enqueued,
                    len,
                });
            }
            moco.queue_mut().resume_at(next, num_enqueued);
        }
        tch::no_grad(|| {
            for (name, tensor) in own {
                tensor.shallow_clone().copy_(&state[&name]);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_types::Seed;

    use super::super::learner::tests::{config, difference, inputs, learner, learner_from};
    use super::super::method::MethodConfig;
    use super::*;

    #[test]
    fn a_restored_learner_takes_the_same_steps() {
        let mut first = learner(&config(2, 1));
        first.step(&inputs(), 0.1, Seed::of_run(0)).unwrap();
        let mut second = learner_from(&config(2, 1), Seed::of_run(99));
        let state = (first.state().into_iter())
            .map(|(name, tensor)| (name, tensor.copy()))
            .collect();
        second.restore(&state).unwrap();
        for learner in [&mut first, &mut second] {
            learner.step(&inputs(), 0.1, Seed::of_run(1)).unwrap();
        }
        assert_eq!(difference(&first, &second, |_| true), 0.0);
    }

    #[test]
    fn a_state_of_another_network_is_refused_with_the_name_of_the_tensor() {
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
    fn numbers_of_another_kind_are_refused_instead_of_rounded() {
        let mut learner = learner(&config(1, 1));
        let mut state = learner.state();
        let wide = state["queue.keys"].to_kind(Kind::Half);
        state.insert("queue.keys".to_owned(), wide);
        let err = learner.restore(&state).unwrap_err().to_string();
        assert!(
            err.starts_with("queue.keys holds numbers of kind Half"),
            "{err}"
        );
    }

    #[test]
    fn weights_to_begin_with_are_those_of_both_encoders_and_leave_the_queue() {
        let (mut first, second) = (
            learner(&config(1, 1)),
            learner_from(&config(1, 1), Seed::of_run(99)),
        );
        let queue = first.state()["queue.keys"].copy();
        let weights: BTreeMap<String, Tensor> = (second.state().into_iter())
            .filter_map(|(name, tensor)| Some((name.strip_prefix("query.")?.to_owned(), tensor)))
            .collect();
        first.begin_with(&weights).unwrap();
        assert_eq!(
            difference(&first, &second, |name| name.starts_with("query.")),
            0.0
        );
        assert_eq!(
            difference(&first, &second, |name| name.starts_with("key.")),
            0.0
        );
        assert!(first.state()["queue.keys"].equal(&queue));
        let unknown = BTreeMap::from([("backbone.fc.weight".to_owned(), queue)]);
        let err = first.begin_with(&unknown).unwrap_err();
        assert!(matches!(err, StateError::Unknown { .. }), "{err}");
    }

    #[test]
    fn a_queue_position_outside_the_queue_is_refused() {
        let mut learner = learner(&config(1, 1));
        for position in [[16i64, 32], [-1, 32], [0, -1]] {
            let mut state = learner.state();
            state.insert(QUEUE_POSITION.to_owned(), Tensor::from_slice(&position));
            let err = learner.restore(&state).unwrap_err();
            assert!(matches!(err, StateError::Position { len: 16, .. }), "{err}");
        }
    }
}
