//! What goes into a step of training, and what is seen of it.

use tch::{Device, Kind, Tensor};

/// A batch, or a part of one.
#[derive(Debug)]
pub struct StepInputs {
    /// Numbers of the records, `N`, i64.
    pub records: Tensor,
    /// Numbers of their labels, `N`, i64; -1 where there is none.
    pub labels: Tensor,
    /// What the method asked for, each `N x 3 x S x S`; a jigsaw's is `9 N x 3 x P x P`, the nine of a record together.
    pub views: Vec<Tensor>,
}

impl StepInputs {
    /// Rows `start .. start + len`.
    pub fn part(&self, start: i64, len: i64) -> Self {
        let num_records = self.records.size()[0].max(1);
        let views = self.views.iter().map(|view| {
            let per_record = view.size()[0] / num_records;
            view.narrow(0, start * per_record, len * per_record)
        });
        Self {
            records: self.records.narrow(0, start, len),
            labels: self.labels.narrow(0, start, len),
            views: views.collect(),
        }
    }

    /// How many records.
    pub fn len(&self) -> i64 {
        self.records.size()[0]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a step's loss was, and what training is watched by. Tensors, so that nothing waits for the device before it is
/// looked at.
#[derive(Debug)]
pub struct Observed {
    /// The loss, nats; differentiable.
    pub loss: Tensor,
    /// Mean cosine of positives.
    pub positive_similarity: Tensor,
    /// Mean cosine of negatives.
    pub negative_similarity: Tensor,
    /// `N x E` unit vectors, of the last term where there are several.
    pub queries: Tensor,
    /// Those that belong to them.
    pub keys: Tensor,
}

impl Default for Observed {
    fn default() -> Self {
        let zero = || Tensor::zeros([0i64; 0], (Kind::Float, Device::Cpu));
        let none = || Tensor::zeros([0, 1], (Kind::Float, Device::Cpu));
        Self {
            loss: zero(),
            positive_similarity: zero(),
            negative_similarity: zero(),
            queries: none(),
            keys: none(),
        }
    }
}

impl Observed {
    /// The figures times `factor`.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            loss: self.loss * factor,
            positive_similarity: self.positive_similarity * factor,
            negative_similarity: self.negative_similarity * factor,
            ..self
        }
    }

    /// The same, no longer differentiable.
    pub fn detached(self) -> Self {
        Self {
            loss: self.loss.detach(),
            queries: self.queries.detach(),
            keys: self.keys.detach(),
            ..self
        }
    }

    /// The sum of two terms; the vectors are those of `other`.
    pub fn plus(self, other: Self) -> Self {
        Self {
            loss: self.loss + other.loss,
            positive_similarity: self.positive_similarity + other.positive_similarity,
            negative_similarity: self.negative_similarity + other.negative_similarity,
            queries: other.queries,
            keys: other.keys,
        }
    }
}
