//! Measures retrieval accuracy across the transformation: whether the nearest neighbour under another condition shows the same target.
//!
//! **Takes** features, the target (object or class) and the [`Condition`] of each image, and which images are too near to a query to be
//! its neighbours ([`NearView`]). **Gives** the share of queries whose nearest neighbour by cosine similarity, near views excluded, shows
//! the query's target; the same for each target; and the share reached by guessing. **Fails** with [`RetrievalError`]. **Source**: nearest
//! neighbour classification (Cover and Hart, "Nearest neighbor pattern classification", 1967) without near views. The distance below which
//! a view is near is our choice for each data set.
//!
//! Near views are excluded whatever they show, also those of other targets. So every candidate lies across the transformation, and the
//! accuracy tells whether images of a target stay nearer to each other than to images of other targets. If near views of other targets were
//! candidates, they would be found because of their condition alone. The accuracy would then mix invariance with discriminability.

mod candidates;
mod tally;

pub use tally::{RetrievalTally, TargetTally};

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, s};
use vidpairs_types::{Condition, NearView};

use super::Features;
use super::direction::{Centre, Direction, UnitVector};
use candidates::Candidates;

/// Queries of a block.
const NUM_HELD: usize = 256;
/// Images that the queries of a block are multiplied with at a time.
const NUM_MET: usize = 1024;
/// Images that are checked side by side for one that may be nearer.
const NUM_AT_ONCE: usize = 32;
const ROWS_ARE_CONTIGUOUS: &str = "the rows of a new matrix are contiguous";
/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// An input with a wrong number of rows. A bug of the caller: stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} {what} for {num_images} images")]
pub struct RetrievalError {
    /// Input: `targets`, for example.
    pub what: &'static str,
    /// Number of rows.
    pub found: usize,
    /// Number of images.
    pub num_images: usize,
}

/// Options of retrieval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrievalOptions {
    /// Images excluded as neighbours.
    pub near: NearView,
    /// Maximum number of queries, spread evenly over the images; 0 for every image. All images are candidates.
    pub max_queries: usize,
}

impl RetrievalOptions {
    /// At most 10,000 queries: with another choice of queries the share then changes by at most one percentage point in 95 % of cases.
    pub fn new(near: NearView) -> Self {
        Self {
            near,
            max_queries: 10_000,
        }
    }
}

/// Search for the nearest neighbours of the queries among all images, in blocks of queries.
///
/// The cosine of a row of zeros with any row is 0. A query of zeros counts as a miss. Among equally near images the first is found.
///
/// A matrix product in 32 bits tells which images cannot be the nearest; the others are compared in 64 bits ([`direction`](super::direction)).
/// So the order of two images is right if their chords differ by more than the rounding of 64 bits, however much of their features all
/// images share, and it depends neither on the processor nor on the division of blocks between threads.
///
/// The features are neither stored nor copied as a whole: a block takes `(3 x 256 + 1024) x D x 4` bytes and 1 MiB.
///
/// # Examples
/// ```
/// use vidpairs_invariance::measure::Features;
/// use vidpairs_invariance::measure::retrieval::{Retrieval, RetrievalOptions};
/// use vidpairs_types::{Condition, NearView};
///
/// // Two objects, each seen from the front and from the back.
/// let features = Features::new(vec![1.0, 0.1, 0.9, 0.2, 0.1, 1.0, 0.2, 0.9], 2)?;
/// let view = |azimuth| Condition::View { azimuth, elevation: 0.0 };
/// let conditions = [view(0.0), view(180.0), view(0.0), view(180.0)];
/// let options = RetrievalOptions::new(NearView::Azimuth { under: 60.0 });
/// let retrieval = Retrieval::new(&features, &[0, 0, 1, 1], &conditions, options)?;
/// let tally = retrieval.ask_all(&features)?;
/// assert_eq!((tally.share(), tally.chance()), (Some(1.0), Some(0.5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Retrieval {
    /// Inverse length of each image's features; 0 for a row of zeros.
    inverse_lengths: Vec<f64>,
    centre: Centre,
    candidates: Candidates,
    /// Indices of images, ascending.
    queries: Vec<usize>,
}

impl Retrieval {
    /// Prepares the search.
    ///
    /// - `targets`, `conditions`: target and condition of each image, `N`.
    ///
    /// # Errors
    /// [`RetrievalError`].
    pub fn new(
        features: &Features<'_>,
        targets: &[u32],
        conditions: &[Condition],
        options: RetrievalOptions,
    ) -> Result<Self, RetrievalError> {
        let num_images = features.num_images();
        check("targets", targets.len(), num_images)?;
        check("conditions", conditions.len(), num_images)?;
        let directions = features.images().map(Direction::of);
        let inverse_lengths: Vec<f64> = directions
            .map(|direction| direction.inverse_length())
            .collect();
        let rows = features.images().zip(&inverse_lengths);
        let directions = rows.map(|(row, &inverse)| Direction::with_inverse_length(row, inverse));
        Ok(Self {
            centre: Centre::of(directions, features.num_units()),
            inverse_lengths,
            candidates: Candidates::new(targets, conditions, options.near),
            queries: spread(num_images, options.max_queries).collect(),
        })
    }

    /// Number of images; all are candidates.
    pub fn num_images(&self) -> usize {
        self.inverse_lengths.len()
    }

    /// Number of queries.
    pub fn num_queries(&self) -> usize {
        self.queries.len()
    }

    /// Number of blocks of queries.
    pub fn num_blocks(&self) -> usize {
        self.queries.len().div_ceil(NUM_HELD)
    }

    /// Answers the queries of one block, `0..num_blocks()`. The tally of any other block is empty.
    ///
    /// - `features`: the features given to [`new`](Self::new).
    ///
    /// # Errors
    /// [`RetrievalError`] if the number of images differs.
    pub fn ask(
        &self,
        features: &Features<'_>,
        block: usize,
    ) -> Result<RetrievalTally, RetrievalError> {
        check("rows of features", features.num_images(), self.num_images())?;
        let Some(queries) = self.queries.chunks(NUM_HELD).nth(block) else {
            return Ok(RetrievalTally::default());
        };
        let nearest = self.nearest(features, queries);
        let mut counting = self.candidates.counting();
        let mut tally = RetrievalTally::default();
        for (&query, nearest) in queries.iter().zip(nearest) {
            let is_zero = self.inverse_lengths[query] == 0.0;
            let found = nearest.filter(|_| !is_zero);
            let is_found = found.is_some_and(|found| {
                self.candidates.target(found) == self.candidates.target(query)
            });
            tally.count(counting.of(query), is_zero, is_found);
        }
        Ok(tally)
    }

    /// Answers all queries on the calling thread.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn ask_all(&self, features: &Features<'_>) -> Result<RetrievalTally, RetrievalError> {
        let mut tally = RetrievalTally::default();
        for block in 0..self.num_blocks() {
            tally += self.ask(features, block)?;
        }
        Ok(tally)
    }

    /// The nearest candidate of each of `queries`; `None` if it has no candidate.
    fn nearest(&self, features: &Features<'_>, queries: &[usize]) -> Vec<Option<usize>> {
        let num_units = features.num_units();
        let mut held = Array2::zeros((queries.len(), num_units));
        let mut nearest: Vec<Nearest> = Vec::new();
        for (apart, &query) in held.rows_mut().into_iter().zip(queries) {
            let apart = apart.into_slice().expect(ROWS_ARE_CONTIGUOUS);
            let direction = self.direction(features, query);
            let share = self.centre.apart(&direction, apart);
            nearest.push(Nearest::none(direction.unit(), share));
        }
        let mut met = Array2::zeros((NUM_MET, num_units));
        let mut shares = vec![0.0f32; NUM_MET];
        let mut products = Array2::zeros((queries.len(), NUM_MET));
        for first in (0..self.num_images()).step_by(NUM_MET) {
            let images = first..(first + NUM_MET).min(self.num_images());
            let num_met = images.len();
            let rows = met.rows_mut().into_iter().zip(&mut shares);
            for (image, (apart, share)) in images.zip(rows) {
                let apart = apart.into_slice().expect(ROWS_ARE_CONTIGUOUS);
                *share = self.centre.apart(&self.direction(features, image), apart);
            }
            let met = met.slice(s![..num_met, ..]);
            let mut products = products.slice_mut(s![.., ..num_met]);
            general_mat_mul(-2.0, &held, &met.t(), 0.0, &mut products);
            let found = queries.iter().zip(&mut nearest);
            for (products, (&query, nearest)) in products.rows().into_iter().zip(found) {
                let products = products.to_slice().expect(ROWS_ARE_CONTIGUOUS);
                let parts = products.chunks(NUM_AT_ONCE).zip(shares.chunks(NUM_AT_ONCE));
                for (first, (products, shares)) in (first..).step_by(NUM_AT_ONCE).zip(parts) {
                    if !any_below(products, shares, nearest.limit) {
                        continue;
                    }
                    for (image, (product, share)) in (first..).zip(products.iter().zip(shares)) {
                        // The expensive checks come last: few images may be nearer than the nearest so far.
                        if product + share < nearest.limit && self.candidates.may_find(query, image)
                        {
                            nearest.meet(image, &self.direction(features, image));
                        }
                    }
                }
            }
        }
        nearest.into_iter().map(|nearest| nearest.image).collect()
    }

    fn direction<'a>(&self, features: &'a Features<'_>, image: usize) -> Direction<'a> {
        let num_units = features.num_units();
        let row = &features.values()[image * num_units..][..num_units];
        Direction::with_inverse_length(row, self.inverse_lengths[image])
    }
}

/// Nearest image of a query so far.
struct Nearest {
    query: UnitVector,
    image: Option<usize>,
    squared_chord: f64,
    /// Query's share of its chords.
    share: f32,
    /// An image whose own share and product sum to this or more is no nearer.
    limit: f32,
}

impl Nearest {
    fn none(query: UnitVector, share: f32) -> Self {
        // A query of zeros is a miss whatever it finds.
        let limit = match share {
            f32::NEG_INFINITY => f32::NEG_INFINITY,
            _ => f32::INFINITY,
        };
        Self {
            query,
            image: None,
            squared_chord: f64::INFINITY,
            share,
            limit,
        }
    }

    /// Replaces the nearest image by `image` if that is nearer.
    fn meet(&mut self, image: usize, direction: &Direction<'_>) {
        let squared_chord = self.query.squared_chord(direction);
        if squared_chord < self.squared_chord {
            self.image = Some(image);
            self.squared_chord = squared_chord;
            self.limit = match squared_chord {
                0.0 => f32::NEG_INFINITY,
                // Rounded up, so that no nearer image is missed.
                _ => ((squared_chord - f64::from(self.share)) as f32).next_up(),
            };
        }
    }
}

/// Whether any sum is below `limit`. Without a branch, so that it compiles to vector instructions.
fn any_below(products: &[f32], shares: &[f32], limit: f32) -> bool {
    let sums = products.iter().zip(shares);
    sums.fold(false, |any, (product, share)| {
        any | (product + share < limit)
    })
}

fn check(what: &'static str, found: usize, num_images: usize) -> Result<(), RetrievalError> {
    if found == num_images {
        Ok(())
    } else {
        Err(RetrievalError {
            what,
            found,
            num_images,
        })
    }
}

/// At most `max` of the indices `0..len`, ascending; all if `max` is 0.
///
/// One index of each of `max` equal stretches. Its position within the stretch advances by the golden ratio: the middles would be a fixed
/// number of images apart, and of 72 views per object always the same few views.
fn spread(len: usize, max: usize) -> impl Iterator<Item = usize> {
    let num = if max == 0 { len } else { max.min(len) };
    let (len, wide) = (len as u128, num as u128);
    (0..num as u64).map(move |stretch| {
        let bound = |stretch: u64| u128::from(stretch) * len / wide;
        let (start, end) = (bound(stretch), bound(stretch + 1));
        let inside = u128::from(stretch.wrapping_mul(GOLDEN)) * (end - start);
        (start + (inside >> 64)) as usize
    })
}

#[cfg(test)]
mod tests;
