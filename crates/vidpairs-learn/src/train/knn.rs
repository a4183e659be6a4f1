//! What a representation is worth without training anything on it: its nearest neighbours' labels.

mod panels;

use std::cmp::Ordering;
use std::ops::AddAssign;

use super::{Rows, RowsError};
use panels::Panels;

/// Queries whose similarities to the whole bank are held at once.
const NUM_HELD: usize = 32;

/// How neighbours vote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnnOptions {
    /// How many of the nearest vote, at least 1; all of the bank where it holds fewer.
    pub num_neighbours: usize,
    /// A neighbour of cosine similarity `s` votes with weight `exp(s / temperature)`.
    pub temperature: f32,
}

impl Default for KnnOptions {
    /// 200 neighbours and 0.07, as in the paper.
    fn default() -> Self {
        Self {
            num_neighbours: 200,
            temperature: 0.07,
        }
    }
}

/// Why neighbours cannot be asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KnnError {
    /// The vectors are ragged or not finite. Stop.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// There is nobody to ask, or nothing to ask about. Stop.
    #[error("no vectors in the {0}")]
    Empty(&'static str),
    /// Not one label for each vector. A bug of the caller: stop.
    #[error("{num_labels} labels for {num_vectors} vectors")]
    Labels {
        /// Labels given.
        num_labels: usize,
        /// Vectors given.
        num_vectors: usize,
    },
    /// Queries of another length than the bank. A bug of the caller: stop.
    #[error("queries of {queries} dimensions, a bank of {bank}")]
    Dims {
        /// Of the queries.
        queries: usize,
        /// Of the bank.
        bank: usize,
    },
    /// An option is out of range. Stop.
    #[error("{key} is {value}; expected {expected}")]
    Option {
        /// Its name.
        key: &'static str,
        /// As it was given.
        value: f32,
        /// What is accepted.
        expected: &'static str,
    },
}

/// The answers to a number of queries; those of more queries can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnnTally {
    /// Queries asked.
    pub num_queries: u64,
    /// Those whose label won the weighted vote of the neighbours.
    pub num_right: u64,
    /// Those whose nearest neighbour has their label.
    pub num_nearest_right: u64,
    /// Those that have the most frequent label of the bank.
    pub num_majority: u64,
}

impl KnnTally {
    /// Accuracy of the vote, 0 to 1.
    pub fn top1(&self) -> f64 {
        self.share(self.num_right)
    }

    /// Accuracy of retrieval: how often the one nearest neighbour has the query's label, 0 to 1.
    pub fn nearest_top1(&self) -> f64 {
        self.share(self.num_nearest_right)
    }

    /// Accuracy of knowing nothing: of the bank's most frequent label as the answer to everything.
    pub fn chance(&self) -> f64 {
        self.share(self.num_majority)
    }

    /// NaN where nothing was asked.
    fn share(&self, count: u64) -> f64 {
        count as f64 / self.num_queries as f64
    }
}

impl AddAssign for KnnTally {
    fn add_assign(&mut self, other: Self) {
        self.num_queries += other.num_queries;
        self.num_right += other.num_right;
        self.num_nearest_right += other.num_nearest_right;
        self.num_majority += other.num_majority;
    }
}

/// Labelled vectors that vote on others: the weighted k-nearest-neighbour classifier.
///
/// Vectors are scaled to length 1 here. A query's `k` neighbours are those of the greatest cosine
/// similarity `s`; each votes for its label with weight `exp(s / temperature)`, and the label with the greatest
/// sum wins. Ties are settled the same way everywhere: of equally similar vectors the one that comes
/// first in the bank is nearer, of labels with equal sums the smaller wins (also as the most frequent label).
/// A vector of zeros is as similar to all: 0.
///
/// Answers do not depend on the machine, nor on how queries are divided between calls; a bank can be
/// shared by threads. It takes `N x D x 4` bytes, and a call `32 x N x 4` more.
///
/// # Source
/// Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018, section 3.4.
///
/// # Examples
/// ```
/// use vidpairs_learn::train::{KnnBank, KnnOptions, Rows};
///
/// let bank = Rows::new(&[1.0, 0.0, 0.0, 1.0], 2)?;
/// let bank = KnnBank::new(bank, &[7, 8], &KnnOptions::default())?;
/// let tally = bank.ask(Rows::new(&[0.9, 0.1], 2)?, &[7])?;
/// assert_eq!((tally.top1(), tally.nearest_top1()), (1.0, 1.0));
/// # Ok::<(), vidpairs_learn::train::KnnError>(())
/// ```
#[derive(Debug, Clone)]
pub struct KnnBank {
    /// Of unit vectors.
    panels: Panels,
    labels: Vec<u32>,
    /// Each label once, ascending.
    distinct: Vec<u32>,
    majority: u32,
    options: KnnOptions,
}

impl KnnBank {
    /// A bank of `vectors` (`N x D`, any length) and their labels (`N`, any numbers).
    ///
    /// # Errors
    /// [`KnnError`], but not its `Dims`.
    pub fn new(vectors: Rows<'_>, labels: &[u32], options: &KnnOptions) -> Result<Self, KnnError> {
        check(options)?;
        check_labels("bank", vectors, labels)?;
        let mut distinct = labels.to_vec();
        distinct.sort_unstable();
        let runs = distinct.chunk_by(|a, b| a == b);
        // The last of equal maxima wins: so from the back.
        let majority = runs.rev().max_by_key(|run| run.len());
        let majority = majority.and_then(|run| run.first()).copied();
        distinct.dedup();
        Ok(Self {
            panels: Panels::new(&vectors.to_unit(), vectors.num_dims()),
            labels: labels.to_vec(),
            distinct,
            majority: majority.unwrap_or_default(),
            options: *options,
        })
    }

    /// Asks about `queries` (`M x D`), whose true labels are `labels` (`M`). A label that the bank does
    /// not have is never answered, and so counts as wrong.
    ///
    /// # Errors
    /// [`KnnError`], but not its `Option`.
    pub fn ask(&self, queries: Rows<'_>, labels: &[u32]) -> Result<KnnTally, KnnError> {
        check_labels("queries", queries, labels)?;
        let (num_dims, padded) = (self.panels.num_dims(), self.panels.num_padded());
        if queries.num_dims() != num_dims {
            return Err(KnnError::Dims {
                queries: queries.num_dims(),
                bank: num_dims,
            });
        }
        let unit = queries.to_unit();
        let mut similarities = vec![0.0; NUM_HELD * padded];
        let mut election = Election::new(self);
        let mut tally = KnnTally::default();
        let held = unit.chunks(NUM_HELD * num_dims);
        for (queries, labels) in held.zip(labels.chunks(NUM_HELD)) {
            self.panels.multiply(queries, &mut similarities);
            for (similarities, &label) in similarities.chunks_exact(padded).zip(labels) {
                let (nearest, winner) = election.hold(similarities);
                tally += KnnTally {
                    num_queries: 1,
                    num_right: u64::from(winner == Some(label)),
                    num_nearest_right: u64::from(nearest == Some(label)),
                    num_majority: u64::from(self.majority == label),
                };
            }
        }
        Ok(tally)
    }
}

fn check(options: &KnnOptions) -> Result<(), KnnError> {
    let KnnOptions {
        num_neighbours,
        temperature,
    } = *options;
    if num_neighbours == 0 {
        return Err(KnnError::Option {
            key: "num_neighbours",
            value: 0.0,
            expected: "at least 1",
        });
    }
    if !(temperature.is_finite() && temperature > 0.0) {
        return Err(KnnError::Option {
            key: "temperature",
            value: temperature,
            expected: "a finite number > 0",
        });
    }
    Ok(())
}

fn check_labels(whose: &'static str, vectors: Rows<'_>, labels: &[u32]) -> Result<(), KnnError> {
    if labels.len() != vectors.num_rows() {
        return Err(KnnError::Labels {
            num_labels: labels.len(),
            num_vectors: vectors.num_rows(),
        });
    }
    if labels.is_empty() {
        return Err(KnnError::Empty(whose));
    }
    Ok(())
}

/// The votes on one query after another, with the memory they need.
struct Election<'a> {
    bank: &'a KnnBank,
    /// Similarity and place in the bank.
    nearest: Vec<(f32, usize)>,
    /// Of each distinct label.
    votes: Vec<f64>,
}

impl<'a> Election<'a> {
    fn new(bank: &'a KnnBank) -> Self {
        Self {
            bank,
            nearest: Vec::with_capacity(bank.labels.len()),
            votes: vec![0.0; bank.distinct.len()],
        }
    }

    /// The label of the nearest vector, and the label that wins.
    fn hold(&mut self, similarities: &[f32]) -> (Option<u32>, Option<u32>) {
        let KnnBank {
            labels,
            distinct,
            options,
            ..
        } = self.bank;
        self.nearest.clear();
        // The labels end where the padding begins.
        let found = similarities.iter().copied().zip(0..labels.len());
        self.nearest.extend(found);
        if options.num_neighbours < self.nearest.len() {
            self.nearest
                .select_nth_unstable_by(options.num_neighbours, nearer_first);
            self.nearest.truncate(options.num_neighbours);
        }
        // Sorted, so that sums of weights are rounded the same way everywhere.
        self.nearest.sort_unstable_by(nearer_first);
        let label = |&(_, place): &(f32, usize)| labels.get(place).copied();
        let highest = self.nearest.first().map_or(0.0, |nearest| nearest.0);
        self.votes.fill(0.0);
        for neighbour in &self.nearest {
            let at = label(neighbour).and_then(|label| distinct.binary_search(&label).ok());
            if let Some(votes) = at.and_then(|at| self.votes.get_mut(at)) {
                // All divided by the weight of the nearest: no temperature overflows.
                let above = f64::from(neighbour.0 - highest) / f64::from(options.temperature);
                *votes += above.exp();
            }
        }
        let won = self.votes.iter().zip(distinct).rev();
        let won = won.max_by(|a, b| a.0.total_cmp(b.0));
        (
            self.nearest.first().and_then(label),
            won.map(|(_, &label)| label),
        )
    }
}

fn nearer_first(a: &(f32, usize), b: &(f32, usize)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests;
