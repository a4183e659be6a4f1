//! Input and result of one training step.

use tch::Tensor;

/// A batch, or a part of one.
#[derive(Debug)]
pub struct StepInputs {
    /// Indices of the records, `N`, i64.
    pub records: Tensor,
    /// Indices of their labels, `N`, i64; -1 for a record without label.
    pub labels: Tensor,
    /// Views that the method needs, each `N x 3 x S x S`; a jigsaw is `9 N x 3 x P x P`, the nine patches of a record adjacent.
    pub views: Vec<Tensor>,
}

impl StepInputs {
    /// Records `start .. start + len`.
    pub fn part(&self, start: i64, len: i64) -> Self {
        let num_records = self.num_records();
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

    /// Number of records, `N`.
    pub fn num_records(&self) -> i64 {
        self.records.size()[0]
    }
}

/// Loss of a batch, and the figures that monitor training. They are tensors, so that nothing waits for the device before
/// their values are needed.
#[derive(Debug)]
pub struct Observed {
    /// Loss, nats; differentiable.
    pub loss: Tensor,
    /// Mean cosine of positives.
    pub positive_similarity: Tensor,
    /// Mean cosine of negatives.
    pub negative_similarity: Tensor,
    /// Query embeddings, `N x E`, unit rows; of the last term if there are several.
    pub queries: Tensor,
    /// Keys of these queries, `N x E`, unit rows.
    pub keys: Tensor,
}

impl Observed {
    /// Multiplies loss and similarities by `factor`.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            loss: self.loss * factor,
            positive_similarity: self.positive_similarity * factor,
            negative_similarity: self.negative_similarity * factor,
            ..self
        }
    }

    /// Detaches loss and embeddings from their graph.
    pub fn detached(self) -> Self {
        Self {
            loss: self.loss.detach(),
            queries: self.queries.detach(),
            keys: self.keys.detach(),
            ..self
        }
    }

    /// Sum of two terms, with the embeddings of `other`.
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
