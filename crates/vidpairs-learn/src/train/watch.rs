//! What training is watched by: figures of a batch of embeddings that say early whether it goes wrong.

use std::fmt;

use super::Rows;

/// Why a figure cannot be computed. A bug of the caller: stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// Too few vectors to say anything.
    #[error("{num_rows} vectors; expected at least {expected}")]
    FewRows {
        /// Given.
        num_rows: usize,
        /// Needed.
        expected: usize,
    },
    /// Positives that do not pair with the anchors.
    #[error("{anchors:?} anchors, {positives:?} positives (vectors, dimensions); expected as many")]
    Unpaired {
        /// Vectors and dimensions of the anchors.
        anchors: (usize, usize),
        /// Vectors and dimensions of the positives.
        positives: (usize, usize),
    },
}

/// Alignment: the mean squared distance between the two embeddings of a pair. Vectors are scaled to length 1.
///
/// 0 where positives fall together, 2 for unrelated directions, 4 at most.
///
/// # Errors
/// [`WatchError`], where there is no pair or the two differ in shape.
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
/// 0 where all fall together, about -4 where many are spread over a sphere of many dimensions: the lower,
/// the better spread. It takes `N^2 D / 2` steps; a few hundred vectors say it well enough.
///
/// # Errors
/// [`WatchError`] where there are fewer than two vectors.
///
/// # Source
/// As [`alignment`], with t = 2.
pub fn uniformity(vectors: Rows<'_>) -> Result<f64, WatchError> {
    at_least(2, vectors)?;
    let unit = vectors.to_unit();
    let mut rest = unit.as_slice();
    let mut sum = 0.0;
    while let Some((row, others)) = rest.split_at_checked(vectors.num_dims()) {
        let others_rows = others.chunks_exact(vectors.num_dims());
        sum += others_rows
            .map(|other| (-2.0 * squared_distance(row, other)).exp())
            .sum::<f64>();
        rest = others;
    }
    let num_rows = vectors.num_rows() as f64;
    Ok((sum / (num_rows * (num_rows - 1.0) / 2.0)).ln())
}

/// The standard deviation of each dimension over the vectors, averaged over the dimensions. Vectors are
/// scaled to length 1.
///
/// `1 / sqrt(D)` where they point everywhere alike, 0 where all are the same: training collapsed. The
/// deviation is that of a sample (over `N - 1`), as `torch.std` has it.
///
/// # Errors
/// [`WatchError`] where there are fewer than two vectors.
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

/// How many dimensions the vectors make use of: `(sum of l)^2 / sum of l^2` over the eigenvalues `l` of their
/// covariance, the participation ratio. Vectors are scaled to length 1.
///
/// `D` where all directions vary alike, 1 where all lie on a line; 0 where all are the same. It cannot
/// exceed `N - 1`. It takes `N^2 D / 2` steps.
///
/// # Errors
/// [`WatchError`] where there are fewer than two vectors.
///
/// # Source
/// For the failure it shows: Jing et al., "Understanding Dimensional Collapse in Contrastive
/// Self-Supervised Learning", ICLR 2022. The ratio needs no eigenvalues: their sum and the sum of their
/// squares are the trace of the matrix of inner products and the sum of its squared entries.
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
    // Vectors that differ by rounding alone do not differ.
    if trace <= 1e-12 * vectors.num_rows() as f64 {
        return Ok(0.0);
    }
    Ok(trace * trace / squares)
}

/// The InfoNCE loss of an encoder that knows nothing: `ln(1 + K)` for `num_negatives` = `K` negatives.
///
/// # Source
/// van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018.
pub fn info_nce_chance(num_negatives: u64) -> f64 {
    (num_negatives as f64).ln_1p()
}

/// Says when embeddings collapsed: when their deviation stayed below a share of the healthy one.
#[derive(Debug, Clone, PartialEq)]
pub struct CollapseWatch {
    min_share: f64,
    num_checks: u32,
    /// Checks in a row that were below.
    num_below: u32,
}

/// Embeddings collapsed; shown, it says so in words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collapse {
    /// The last [`mean_std`].
    pub mean_std: f64,
    /// `1 / sqrt(D)`.
    pub healthy: f64,
    /// The share of it that was not reached.
    pub min_share: f64,
    /// Checks in a row.
    pub num_checks: u32,
}

impl CollapseWatch {
    /// Calls it a collapse when `num_checks` (at least 1) [`mean_std`]s in a row are below `min_share` of `1 / sqrt(D)`.
    pub fn new(min_share: f64, num_checks: u32) -> Self {
        Self {
            min_share,
            num_checks: num_checks.max(1),
            num_below: 0,
        }
    }

    /// Takes the next check, of embeddings of `num_dims` dimensions; says so once, when it has been
    /// `num_checks` in a row, and again only after it got better and worse. NaN is below.
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
            num => format!("{num} checks in a row"),
        };
        write!(
            f,
            "the embeddings collapsed: in {checks} their mean deviation was below {} % of 1/sqrt(D) = \
             {:.4} (now {:.4}), so they are nearly the same for all images; what follows learns nothing",
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

/// The unit vectors less their mean, and the sum of squares of each dimension.
fn centred(vectors: Rows<'_>) -> (Vec<f64>, Vec<f64>) {
    let num_dims = vectors.num_dims();
    let mut centred: Vec<f64> = vectors.to_unit().into_iter().map(f64::from).collect();
    let mut means = vec![0.0; num_dims];
    for row in centred.chunks_exact(num_dims) {
        means.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    means
        .iter_mut()
        .for_each(|sum| *sum /= vectors.num_rows() as f64);
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
