//! Figures of a batch of embeddings that reveal early when training goes wrong.

use std::fmt;

use super::rows::Rows;

/// Why a figure cannot be computed. A bug of the caller: stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// There are too few vectors.
    #[error("{num_rows} vectors; expected at least {expected}")]
    FewRows {
        /// Number of vectors given.
        num_rows: usize,
        /// Number of vectors needed.
        expected: usize,
    },
    /// Anchors and positives differ in shape.
    #[error(
        "{anchors:?} anchors, {positives:?} positives (vectors, dimensions); expected equal shapes"
    )]
    Unpaired {
        /// Vectors and dimensions of the anchors.
        anchors: (usize, usize),
        /// Vectors and dimensions of the positives.
        positives: (usize, usize),
    },
}

/// Alignment: mean squared distance between the two embeddings of a pair. Vectors are scaled to length 1.
///
/// It is 0 if the vectors of each pair coincide, 2 for unrelated directions, and 4 at most.
///
/// # Errors
/// [`WatchError`] if there is no pair, or the two differ in shape.
///
/// # Source
/// Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on
/// the Hypersphere", ICML 2020, with alpha = 2.
pub fn alignment(anchors: Rows<'_>, positives: Rows<'_>) -> Result<f64, WatchError> {
    let shape = |rows: Rows<'_>| (rows.num_rows(), rows.num_dims());
    if shape(anchors) != shape(positives) {
        return Err(WatchError::Unpaired {
            anchors: shape(anchors),
            positives: shape(positives),
        });
    }
    at_least(1, anchors)?;
    let sum = squared_distance(&anchors.to_unit(), &positives.to_unit());
    Ok(sum / anchors.num_rows() as f64)
}

/// Uniformity: `log(mean over pairs of exp(-2 d^2))` over all pairs of different vectors, scaled to length 1.
///
/// It is 0 if all vectors coincide, and about -4 if many are spread over a sphere of many dimensions: the lower, the better
/// spread. The cost is `N^2 D / 2` operations; a few hundred vectors suffice.
///
/// # Errors
/// [`WatchError`] if there are fewer than two vectors.
///
/// # Source
/// As [`alignment`], with t = 2.
pub fn uniformity(vectors: Rows<'_>) -> Result<f64, WatchError> {
    at_least(2, vectors)?;
    let unit = vectors.to_unit();
    let mut rest = unit.as_slice();
    let mut sum = 0.0;
    while let Some((row, others)) = rest.split_at_checked(vectors.num_dims()) {
        sum += (others.chunks_exact(vectors.num_dims()))
            .map(|other| (-2.0 * squared_distance(row, other)).exp())
            .sum::<f64>();
        rest = others;
    }
    let num_rows = vectors.num_rows() as f64;
    Ok((sum / (num_rows * (num_rows - 1.0) / 2.0)).ln())
}

/// Standard deviation of each dimension over the vectors, averaged over the dimensions. Vectors are scaled to length 1.
///
/// It is `1 / sqrt(D)` if the directions are uniform, and 0 if all vectors are the same, which means that training collapsed.
/// The deviation is that of a sample (over `N - 1`), as in `torch.std`.
///
/// # Errors
/// [`WatchError`] if there are fewer than two vectors.
///
/// # Source
/// Chen and He, "Exploring Simple Siamese Representation Learning", CVPR 2021, section 4.1.
pub fn mean_std(vectors: Rows<'_>) -> Result<f64, WatchError> {
    at_least(2, vectors)?;
    let (_, squares) = centred(vectors);
    let degrees = (vectors.num_rows() - 1) as f64;
    let sum: f64 = squares.iter().map(|square| (square / degrees).sqrt()).sum();
    Ok(sum / vectors.num_dims() as f64)
}

/// Effective number of dimensions of the vectors, their participation ratio: `(sum of l)^2 / sum of l^2` over the eigenvalues
/// `l` of their covariance. Vectors are scaled to length 1.
///
/// It is `D` if all directions vary alike, 1 if all vectors lie on a line, 0 if all are the same, and `N - 1` at most. The
/// cost is `N^2 D / 2` operations.
///
/// # Errors
/// [`WatchError`] if there are fewer than two vectors.
///
/// # Source
/// Jing et al., "Understanding Dimensional Collapse in Contrastive Self-Supervised Learning", ICLR 2022, for the failure
/// that it reveals. The ratio needs no eigenvalues: their sum is the trace of the matrix of inner products, and the sum of
/// their squares is the sum of its squared entries.
pub fn effective_dimensions(vectors: Rows<'_>) -> Result<f64, WatchError> {
    at_least(2, vectors)?;
    let (centred, _) = centred(vectors);
    let (mut trace, mut squares) = (0.0, 0.0);
    let mut rest = centred.as_slice();
    while let Some((row, others)) = rest.split_at_checked(vectors.num_dims()) {
        let length = inner(row, row);
        trace += length;
        squares += length * length;
        for other in others.chunks_exact(vectors.num_dims()) {
            squares += 2.0 * inner(row, other).powi(2);
        }
        rest = others;
    }
    // Vectors that differ by rounding only count as the same.
    if trace <= 1e-12 * vectors.num_rows() as f64 {
        return Ok(0.0);
    }
    Ok(trace * trace / squares)
}

/// InfoNCE loss at chance, with all similarities equal: `ln(1 + K)` for `num_negatives` = `K` negatives.
///
/// # Source
/// van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018.
pub fn info_nce_chance(num_negatives: u64) -> f64 {
    (num_negatives as f64).ln_1p()
}

/// Detects that embeddings collapsed: their deviation stays below a share of the healthy one.
#[derive(Debug, Clone, PartialEq)]
pub struct CollapseWatch {
    min_share: f64,
    num_checks: u32,
    /// Consecutive checks below the share.
    num_below: u32,
}

/// Collapse of embeddings; its text is a warning for the user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collapse {
    /// [`mean_std`] of the last check.
    pub mean_std: f64,
    /// Deviation of uniform directions, `1 / sqrt(D)`.
    pub healthy: f64,
    /// Share of `healthy` that was not reached.
    pub min_share: f64,
    /// Consecutive checks below it.
    pub num_checks: u32,
}

impl CollapseWatch {
    /// Detector that takes `num_checks` (at least 1) consecutive [`mean_std`] below `min_share` of `1 / sqrt(D)` as a collapse.
    pub fn new(min_share: f64, num_checks: u32) -> Self {
        Self {
            min_share,
            num_checks: num_checks.max(1),
            num_below: 0,
        }
    }

    /// Takes the [`mean_std`] of the next check, of embeddings of `num_dims` dimensions. Reports a collapse once, and again only
    /// after a recovery. NaN counts as below.
    pub fn check(&mut self, mean_std: f64, num_dims: usize) -> Option<Collapse> {
        let healthy = 1.0 / (num_dims as f64).sqrt();
        if mean_std >= self.min_share * healthy {
            self.num_below = 0;
            return None;
        }
        self.num_below = self.num_below.saturating_add(1);
        (self.num_below == self.num_checks).then_some(Collapse {
            mean_std,
            healthy,
            min_share: self.min_share,
            num_checks: self.num_checks,
        })
    }
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = match self.num_checks {
            1 => "the last check".to_owned(),
            num => format!("{num} consecutive checks"),
        };
        write!(
            f,
            "the embeddings collapsed: in {checks} their mean deviation was below {} % of 1/sqrt(D) = \
             {:.4} (now {:.4}), so they are nearly the same for all images; further training learns nothing",
            self.min_share * 100.0,
            self.healthy,
            self.mean_std
        )
    }
}

fn at_least(expected: usize, vectors: Rows<'_>) -> Result<(), WatchError> {
    let num_rows = vectors.num_rows();
    if num_rows < expected {
        return Err(WatchError::FewRows { num_rows, expected });
    }
    Ok(())
}

/// Unit vectors minus their mean, and the sum of squares of each dimension.
fn centred(vectors: Rows<'_>) -> (Vec<f64>, Vec<f64>) {
    let num_dims = vectors.num_dims();
    let mut centred: Vec<f64> = vectors.to_unit().into_iter().map(f64::from).collect();
    let mut means = vec![0.0; num_dims];
    for row in centred.chunks_exact(num_dims) {
        means.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    let num_rows = vectors.num_rows() as f64;
    means.iter_mut().for_each(|sum| *sum /= num_rows);
    let mut squares = vec![0.0; num_dims];
    for row in centred.chunks_exact_mut(num_dims) {
        for ((x, mean), square) in row.iter_mut().zip(&means).zip(&mut squares) {
            *x -= mean;
            *square += *x * *x;
        }
    }
    (centred, squares)
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| f64::from(a - b));
    differences.map(|difference| difference * difference).sum()
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
