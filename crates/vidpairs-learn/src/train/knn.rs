//! Weighted k-nearest-neighbour classifier, which evaluates a representation without training.

mod panels;

use std::ops::AddAssign;

use vidpairs_invariance::measure::direction::{Centre, Direction};

use super::rows::{Rows, RowsError};
use panels::Panels;

/// Queries whose products with the whole bank are in memory at once.
const CHUNK_QUERIES: usize = 32;

/// Settings of the vote.
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
    /// The vectors are ragged or not finite. Stop.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// Bank or queries are empty. Stop.
    #[error("no vectors in the {0}")]
    Empty(&'static str),
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
/// vectors apart that share a large part ([`direction`](vidpairs_invariance::measure::direction)). Results depend neither on the
/// machine nor on the division of queries between calls; threads can share a bank. It takes `2 x N x D x 4` bytes, and a call
/// `32 x N x 4` more.
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
/// let tally = bank.evaluate(Rows::new(&[0.9, 0.1], 2)?, &[7])?;
/// assert_eq!((tally.top1(), tally.nearest_top1()), (1.0, 1.0));
/// # Ok::<(), vidpairs_learn::train::KnnError>(())
/// ```
#[derive(Debug, Clone)]
pub struct KnnBank {
    /// Vectors as given, `N x D`.
    vectors: Vec<f32>,
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

impl KnnBank {
    /// Bank of `vectors` (`N x D`, of any length) and their labels (`N`, any numbers).
    ///
    /// # Errors
    /// [`KnnError`], except `Dims`.
    pub fn new(vectors: Rows<'_>, labels: &[u32], options: &KnnOptions) -> Result<Self, KnnError> {
        check(options)?;
        check_labels("bank", vectors, labels)?;
        let mut distinct = labels.to_vec();
        distinct.sort_unstable();
        // `max_by_key` takes the last of equal runs: from the back, that with the smallest label.
        let runs = distinct.chunk_by(|a, b| a == b).rev();
        let longest = runs.max_by_key(|run| run.len());
        let majority = longest.expect("a bank has labels")[0];
        distinct.dedup();
        let num_dims = vectors.num_dims();
        let centre = Centre::of(vectors.vectors().map(Direction::of), num_dims);
        let (apart, shares) = apart(&centre, vectors);
        Ok(Self {
            vectors: vectors.vectors().flatten().copied().collect(),
            centre,
            panels: Panels::new(&apart, num_dims),
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
    pub fn evaluate(&self, queries: Rows<'_>, labels: &[u32]) -> Result<KnnTally, KnnError> {
        check_labels("queries", queries, labels)?;
        let (num_dims, padded) = (self.panels.num_dims(), self.panels.num_padded());
        if queries.num_dims() != num_dims {
            return Err(KnnError::Dims {
                queries: queries.num_dims(),
                bank: num_dims,
            });
        }
        let (apart, shares) = apart(&self.centre, queries);
        let mut products = vec![0.0; CHUNK_QUERIES * padded];
        let mut election = Election::new(self);
        let mut tally = KnnTally::default();
        let mut answers = queries.vectors().zip(shares).zip(labels);
        for apart in apart.chunks(CHUNK_QUERIES * num_dims) {
            self.panels.multiply(apart, &mut products);
            let answers = answers.by_ref().take(CHUNK_QUERIES);
            for (products, ((query, share), &label)) in products.chunks_exact(padded).zip(answers) {
                let (nearest, winner) = election.hold(Direction::of(query), share, products);
                tally += KnnTally {
                    num_queries: 1,
                    num_right: u64::from(winner == label),
                    num_nearest_right: u64::from(nearest == label),
                    num_majority: u64::from(self.majority == label),
                };
            }
        }
        Ok(tally)
    }
}

/// Difference of each direction from `centre`, `N x D`, and the shares of chords.
fn apart(centre: &Centre, vectors: Rows<'_>) -> (Vec<f32>, Vec<f32>) {
    let num_dims = vectors.num_dims();
    let mut apart = vec![0.0; vectors.num_rows() * num_dims];
    let rows = vectors.vectors().zip(apart.chunks_exact_mut(num_dims));
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

fn check_labels(owner: &'static str, vectors: Rows<'_>, labels: &[u32]) -> Result<(), KnnError> {
    if labels.len() != vectors.num_rows() {
        return Err(KnnError::Labels {
            num_labels: labels.len(),
            num_vectors: vectors.num_rows(),
        });
    }
    if labels.is_empty() {
        return Err(KnnError::Empty(owner));
    }
    Ok(())
}

/// Vote on one query, with buffers for the next.
struct Election<'a> {
    bank: &'a KnnBank,
    directions: Vec<Direction<'a>>,
    /// Lower bound of the squared chord, without the query's share, and place in the bank of each vector.
    bounds: Vec<(f32, usize)>,
    /// Squared chord and place in the bank of each neighbour.
    nearest: Vec<(f64, usize)>,
    /// Sum of votes of each distinct label.
    votes: Vec<f64>,
}

impl<'a> Election<'a> {
    fn new(bank: &'a KnnBank) -> Self {
        let vectors = bank.vectors.chunks_exact(bank.panels.num_dims());
        Self {
            bank,
            directions: vectors.map(Direction::of).collect(),
            bounds: Vec::with_capacity(bank.labels.len()),
            nearest: Vec::new(),
            votes: vec![0.0; bank.distinct.len()],
        }
    }

    /// Label of the nearest vector, and label that wins the vote.
    ///
    /// - `share`: the query's share of its chords; `products`: of the differences from the centre.
    fn hold(&mut self, query: Direction<'_>, share: f32, products: &[f32]) -> (u32, u32) {
        self.find(query, share, products);
        let KnnBank {
            labels,
            distinct,
            options,
            ..
        } = self.bank;
        let (shortest, first) = self.nearest[0];
        self.votes.fill(0.0);
        for &(squared_chord, place) in &self.nearest {
            let index = distinct
                .binary_search(&labels[place])
                .expect("`distinct` holds every label");
            // Weights are relative to that of the nearest, so that no temperature overflows. A cosine is 1 less half the squared chord.
            let exponent = (shortest - squared_chord) / 2.0 / f64::from(options.temperature);
            self.votes[index] += exponent.exp();
        }
        let sums = self.votes.iter().zip(distinct).rev();
        let winner = sums.max_by(|a, b| a.0.total_cmp(b.0));
        (labels[first], *winner.expect("a bank has labels").1)
    }

    /// Finds the neighbours, the nearest first.
    fn find(&mut self, query: Direction<'_>, share: f32, products: &[f32]) {
        let num_neighbours = self.bank.options.num_neighbours.min(self.directions.len());
        self.bounds.clear();
        // Products beyond the shares belong to the padding.
        let bounds = products.iter().zip(&self.bank.shares);
        let bounds = bounds.map(|(product, &vector)| match vector {
            // A vector of zeros has a squared chord of 2.
            f32::NEG_INFINITY => (2.0 - share).next_down(),
            vector => vector - 2.0 * product,
        });
        self.bounds.extend(bounds.zip(0..));
        if num_neighbours < self.bounds.len() {
            self.bounds
                .select_nth_unstable_by(num_neighbours, |a, b| a.0.total_cmp(&b.0));
        }
        let (first, others) = self.bounds.split_at(num_neighbours);
        let query = query.unit();
        let measured = |&(_, place): &(f32, usize)| {
            let chord = query.squared_chord(&self.directions[place]);
            (chord, place)
        };
        self.nearest.clear();
        self.nearest.extend(first.iter().map(measured));
        // No neighbour is farther than the farthest of these; only vectors that may be nearer are measured too.
        let farthest = self.nearest.iter().fold(0.0, |far, it| it.0.max(far));
        let limit = ((farthest - f64::from(share)) as f32).next_up();
        let others = others.iter().filter(|bound| bound.0 <= limit);
        self.nearest.extend(others.map(measured));
        // Sorted, so that sums of weights are rounded the same way everywhere.
        self.nearest
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.nearest.truncate(num_neighbours);
    }
}

#[cfg(test)]
mod tests;
