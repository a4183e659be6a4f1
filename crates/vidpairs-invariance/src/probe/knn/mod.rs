//! Weighted k-nearest-neighbour classifier, which evaluates a representation without training.

mod election;
mod panels;

use std::ops::AddAssign;
use std::sync::Arc;

use super::answers::Answer;
use crate::measure::direction::{Centre, Direction};
use crate::measure::{Features, FeaturesError};
use election::Election;
use panels::Panels;

/// Queries of a block.
const BLOCK_QUERIES: usize = 256;
/// Queries whose products with the whole bank are in memory at once.
const CHUNK_QUERIES: usize = 32;

/// Options of the vote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnnOptions {
    /// Number of nearest neighbours that vote, at least 1; all of a smaller bank.
    pub num_neighbours: usize,
    /// Temperature: a neighbour of cosine similarity `s` votes with weight `exp(s / temperature)`.
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

/// Why the classifier cannot be built or evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KnnError {
    /// The vectors are empty, ragged or not finite. Stop.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// The numbers of labels and vectors differ. A bug of the caller: stop.
    #[error("{num_labels} labels for {num_vectors} vectors")]
    Labels {
        /// Number of labels.
        num_labels: usize,
        /// Number of vectors.
        num_vectors: usize,
    },
    /// Queries and bank differ in their dimensions. A bug of the caller: stop.
    #[error("the queries have {queries} dimensions and the bank {bank}")]
    Dims {
        /// Dimensions of the queries.
        queries: usize,
        /// Dimensions of the bank.
        bank: usize,
    },
    /// An option is out of range. Stop.
    #[error("{key} is {value}; expected {expected}")]
    Option {
        /// Name of the option.
        key: &'static str,
        /// Value given.
        value: f32,
        /// Accepted values.
        expected: &'static str,
    },
}

/// Counts of the answers to some queries. Tallies of several sets of queries can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnnTally {
    /// Number of queries.
    pub num_queries: u64,
    /// Queries whose label won the weighted vote of the neighbours.
    pub num_right: u64,
    /// Queries whose nearest neighbour has their label.
    pub num_nearest_right: u64,
    /// Queries with the most frequent label of the bank.
    pub num_majority: u64,
}

impl KnnTally {
    /// Accuracy of the vote, 0 to 1.
    pub fn top1(&self) -> f64 {
        self.share(self.num_right)
    }

    /// Accuracy of retrieval, 0 to 1: share of queries whose nearest neighbour has their label.
    pub fn nearest_top1(&self) -> f64 {
        self.share(self.num_nearest_right)
    }

    /// Accuracy of always answering with the most frequent label of the bank, 0 to 1.
    pub fn chance(&self) -> f64 {
        self.share(self.num_majority)
    }

    /// NaN without queries.
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

/// Labelled vectors of the weighted k-nearest-neighbour classifier.
///
/// Vectors count by their direction alone. The `k` neighbours of a query are the vectors of the greatest cosine similarity
/// `s`; each votes for its label with weight `exp(s / temperature)`, and the label with the greatest sum wins. Ties are
/// settled the same way everywhere: of equally similar vectors the first in the bank is nearer, and of labels with equal
/// sums (or equal frequency) the smaller wins. A vector of zeros has similarity 0 to all.
///
/// Products in 32 bits tell which vectors cannot be neighbours; similarities of the others are computed in 64 bits, so they tell
/// vectors apart that share a large part ([`direction`](crate::measure::direction)). Results depend neither on the
/// machine nor on the division of queries between calls; threads can share a bank. The bank shares the vectors and takes `N x D x 4` bytes
/// beside them, and each call about `168 x N` bytes: products of 32 queries, the direction of each vector, and a bound for each.
///
/// # Source
/// Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018, section 3.4.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use vidpairs_invariance::measure::Features;
/// use vidpairs_invariance::probe::knn::{KnnBank, KnnOptions};
///
/// let vectors = Arc::new(Features::new(vec![1.0, 0.0, 0.0, 1.0], 2)?);
/// let bank = KnnBank::new(&vectors, &[7, 8], &KnnOptions::default())?;
/// let tally = bank.evaluate(&Features::new(vec![0.9, 0.1], 2)?, &[7])?;
/// assert_eq!((tally.top1(), tally.nearest_top1()), (1.0, 1.0));
/// # Ok::<(), vidpairs_invariance::probe::knn::KnnError>(())
/// ```
#[derive(Debug, Clone)]
pub struct KnnBank<'a> {
    /// Vectors as given, `N x D`.
    vectors: Arc<Features<'a>>,
    centre: Centre,
    /// Difference of each direction from the centre, and its share of every chord.
    panels: Panels,
    shares: Vec<f32>,
    labels: Vec<u32>,
    /// Distinct labels, ascending.
    distinct: Vec<u32>,
    /// Most frequent label.
    majority: u32,
    options: KnnOptions,
}

impl<'a> KnnBank<'a> {
    /// Bank of `vectors` (`N x D`, of any length) and their labels (`N`, any numbers).
    ///
    /// # Errors
    /// [`KnnError`], except `Dims`.
    pub fn new(
        vectors: &Arc<Features<'a>>,
        labels: &[u32],
        options: &KnnOptions,
    ) -> Result<Self, KnnError> {
        check(options)?;
        check_labels(vectors, labels)?;
        let mut distinct = labels.to_vec();
        distinct.sort_unstable();
        // `max_by_key` takes the last of equal runs: from the back, that with the smallest label.
        let runs = distinct.chunk_by(|a, b| a == b).rev();
        let longest = runs.max_by_key(|run| run.len());
        let majority = longest.expect("a bank has labels")[0];
        distinct.dedup();
        let num_dims = vectors.num_units();
        let centre = Centre::of(vectors.images().map(Direction::of), num_dims);
        let mut shares = Vec::with_capacity(labels.len());
        let mut images = vectors.images();
        let panels = Panels::new(labels.len(), num_dims, |_, apart| {
            let vector = images.next().expect("a vector for each label");
            shares.push(centre.apart(&Direction::of(vector), apart));
        });
        Ok(Self {
            vectors: Arc::clone(vectors),
            centre,
            panels,
            shares,
            labels: labels.to_vec(),
            distinct,
            majority,
            options: *options,
        })
    }

    /// Classifies `queries` (`M x D`) and compares with their true `labels` (`M`). A query whose label is not in the bank
    /// counts as wrong.
    ///
    /// # Errors
    /// [`KnnError`], except `Option`.
    pub fn evaluate(&self, queries: &Features<'_>, labels: &[u32]) -> Result<KnnTally, KnnError> {
        self.check_queries(queries, labels)?;
        let mut tally = KnnTally::default();
        self.hold(queries.values(), |election, place| {
            let label = labels[place];
            let [winner] = election.vote([self.options.num_neighbours], label);
            tally += KnnTally {
                num_queries: 1,
                num_right: u64::from(winner.rank == Some(0)),
                num_nearest_right: u64::from(self.labels[election.nearest[0].1] == label),
                num_majority: u64::from(self.majority == label),
            };
        });
        Ok(tally)
    }

    /// Number of blocks of [`answers`](Self::answers) to `num_queries` queries.
    pub fn num_blocks(num_queries: usize) -> usize {
        num_queries.div_ceil(BLOCK_QUERIES)
    }

    /// Answers to the queries of one block by the votes of several numbers of neighbours: for each number, an answer for each query. The
    /// labels are ranked by their votes; a label without a vote is no answer.
    ///
    /// - `queries`, `labels`: all queries (`M x D`) and their true labels (`M`).
    /// - `num_neighbours`: numbers of neighbours, ascending, each at most [`KnnOptions::num_neighbours`].
    /// - `block`: `0..num_blocks(M)`; any other block has no queries.
    ///
    /// # Errors
    /// [`KnnError`].
    pub fn answers<const N: usize>(
        &self,
        queries: &Features<'_>,
        labels: &[u32],
        num_neighbours: [usize; N],
        block: usize,
    ) -> Result<[Vec<Answer>; N], KnnError> {
        self.check_queries(queries, labels)?;
        let most = num_neighbours.into_iter().max().unwrap_or(1);
        let is_in_range = num_neighbours.iter().all(|&num| num > 0)
            && most <= self.options.num_neighbours
            && num_neighbours.is_sorted();
        if !is_in_range {
            return Err(KnnError::Option {
                key: "num_neighbours",
                value: most as f32,
                expected: "ascending numbers from 1 up to those of the bank",
            });
        }
        let block_len = BLOCK_QUERIES * queries.num_units();
        let values = queries.values().chunks(block_len).nth(block);
        let labels = labels.chunks(BLOCK_QUERIES).nth(block).unwrap_or_default();
        let mut answers = [const { Vec::new() }; N];
        self.hold(values.unwrap_or_default(), |election, place| {
            let votes = election.vote(num_neighbours, labels[place]);
            for (answers, answer) in answers.iter_mut().zip(votes) {
                answers.push(answer);
            }
        });
        Ok(answers)
    }

    /// Finds the neighbours of each of the rows `queries`, and gives the election and the place of the query to `take`.
    fn hold(&self, queries: &[f32], mut take: impl FnMut(&mut Election<'_>, usize)) {
        let (num_dims, padded) = (self.panels.num_dims(), self.panels.num_padded());
        let (apart, shares) = apart(&self.centre, queries, num_dims);
        let mut products = vec![0.0; CHUNK_QUERIES * padded];
        let mut election = Election::new(self);
        let mut asked = queries.chunks_exact(num_dims).zip(shares).enumerate();
        for apart in apart.chunks(CHUNK_QUERIES * num_dims) {
            self.panels.multiply(apart, &mut products);
            let asked = asked.by_ref().take(CHUNK_QUERIES);
            for (products, (place, (query, share))) in products.chunks_exact(padded).zip(asked) {
                election.find(Direction::of(query), share, products);
                take(&mut election, place);
            }
        }
    }

    fn check_queries(&self, queries: &Features<'_>, labels: &[u32]) -> Result<(), KnnError> {
        check_labels(queries, labels)?;
        if queries.num_units() != self.panels.num_dims() {
            return Err(KnnError::Dims {
                queries: queries.num_units(),
                bank: self.panels.num_dims(),
            });
        }
        Ok(())
    }
}

/// Difference of each direction from `centre`, `N x D`, and the shares of chords.
fn apart(centre: &Centre, vectors: &[f32], num_dims: usize) -> (Vec<f32>, Vec<f32>) {
    let mut apart = vec![0.0; vectors.len()];
    let rows = vectors
        .chunks_exact(num_dims)
        .zip(apart.chunks_exact_mut(num_dims));
    let shares = rows.map(|(vector, apart)| centre.apart(&Direction::of(vector), apart));
    let shares = shares.collect();
    (apart, shares)
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

fn check_labels(vectors: &Features<'_>, labels: &[u32]) -> Result<(), KnnError> {
    if labels.len() != vectors.num_images() {
        return Err(KnnError::Labels {
            num_labels: labels.len(),
            num_vectors: vectors.num_images(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
