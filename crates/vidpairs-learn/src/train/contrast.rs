//! InfoNCE, the contrastive loss of MoCo and PIRL.

use tch::{Kind, Reduction, Tensor};

/// A contrastive loss, and the mean similarities that it compares.
#[derive(Debug)]
pub(super) struct Contrast {
    /// Mean loss over the batch, nats; differentiable.
    pub loss: Tensor,
    /// Mean cosine of query and key.
    pub positive: Tensor,
    /// Mean cosine of query and negative.
    pub negative: Tensor,
}

/// InfoNCE: `-log( exp(q.k/T) / (exp(q.k/T) + sum_i exp(q.n_i/T)) )`, averaged over the batch.
///
/// - `queries`, `keys`: `N x E`, unit rows.
/// - `negatives`: `K x E`, unit rows, the same for all queries.
/// - `excluded`: `N x K` booleans, true where a negative does not count for a query.
///
/// # Source
/// van den Oord et al. 2018; He et al. 2020, equation 1: cross-entropy over 1 + K logits with label 0.
pub(super) fn info_nce(
    queries: &Tensor,
    keys: &Tensor,
    negatives: &Tensor,
    excluded: Option<&Tensor>,
    temperature: f64,
) -> Contrast {
    let positive = (queries * keys).sum_dim_intlist([1i64].as_slice(), true, None);
    let negative = queries.matmul(&negatives.tr());
    let counted = match excluded {
        Some(excluded) => negative.masked_fill(excluded, f64::NEG_INFINITY),
        None => negative.shallow_clone(),
    };
    let logits = Tensor::cat(&[&positive, &counted], 1) / temperature;
    let labels = Tensor::zeros([queries.size()[0]], (Kind::Int64, queries.device()));
    Contrast {
        loss: logits.cross_entropy_loss(&labels, None::<Tensor>, Reduction::Mean, -100, 0.0),
        positive: positive.detach().mean(None),
        negative: negative.detach().mean(None),
    }
}
