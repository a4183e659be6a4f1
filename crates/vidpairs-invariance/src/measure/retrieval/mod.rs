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
use ndarray::{Array2, ArrayViewMut1, Axis, s};
use vidpairs_types::{Condition, NearView};

use super::Features;
use candidates::Candidates;

/// Queries of a block.
const NUM_HELD: usize = 256;
/// Images that the queries of a block are multiplied with at a time.
const NUM_MET: usize = 1024;
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
/// The cosine of a row of zeros with any row is 0. A query of zeros counts as a miss. Among equally near images the first is found. Cosines
/// are computed in 32 bits: if two differ by less than about `1e-6`, their order may depend on the processor, but never on the division of
/// blocks between threads.
///
/// The features are neither stored nor copied as a whole: a block takes `(256 + 1024) x D x 4` bytes and 1 MiB.
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
        Ok(Self {
            inverse_lengths: features.images().map(inverse_length).collect(),
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
        for (unit, &query) in held.axis_iter_mut(Axis(0)).zip(queries) {
            let row = &features.values()[query * num_units..][..num_units];
            self.scale(row, query, unit);
        }
        let mut met = Array2::zeros((NUM_MET, num_units));
        let mut cosines = Array2::zeros((queries.len(), NUM_MET));
        let mut nearest = vec![(f32::NEG_INFINITY, None); queries.len()];
        let chunks = features.values().chunks(NUM_MET * num_units);
        for (chunk, rows) in chunks.enumerate() {
            let first = chunk * NUM_MET;
            let rows = rows.chunks_exact(num_units);
            let num_met = rows.len();
            for ((place, row), unit) in rows.enumerate().zip(met.axis_iter_mut(Axis(0))) {
                self.scale(row, first + place, unit);
            }
            let met = met.slice(s![..num_met, ..]);
            let mut cosines = cosines.slice_mut(s![.., ..num_met]);
            general_mat_mul(1.0, &held, &met.t(), 0.0, &mut cosines);
            let found = queries.iter().zip(&mut nearest);
            for (cosines, (&query, nearest)) in cosines.axis_iter(Axis(0)).zip(found) {
                for (image, &cosine) in (first..).zip(cosines) {
                    // The expensive check comes last: few images are nearer than the nearest so far.
                    if cosine > nearest.0 && self.candidates.may_find(query, image) {
                        *nearest = (cosine, Some(image));
                    }
                }
            }
        }
        nearest.into_iter().map(|(_, image)| image).collect()
    }

    /// Writes `row`, the features of image `image`, scaled to length 1.
    fn scale(&self, row: &[f32], image: usize, unit: ArrayViewMut1<'_, f32>) {
        let scale = self.inverse_lengths[image];
        for (unit, &value) in unit.into_iter().zip(row) {
            *unit = (f64::from(value) * scale) as f32;
        }
    }
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

/// 1 over the length of `row`, 0 for zeros. Squares of 32-bit numbers neither overflow nor underflow in 64 bits.
fn inverse_length(row: &[f32]) -> f64 {
    let energy: f64 = row.iter().map(|&value| f64::from(value).powi(2)).sum();
    if energy > 0.0 {
        energy.sqrt().recip()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
