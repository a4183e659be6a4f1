//! Retrieval across the transformation: does the nearest neighbour from afar show the same?
//!
//! **Takes** features, the target of each image (the object, or the class) and its
//! [`Condition`]; which images are too near to a query to be its neighbour ([`NearView`]). **Gives** the share of
//! queries whose nearest neighbour by cosine, among the images that are not too near, shows the query's target;
//! the same for each target; and the share that guessing would give. **Fails** with [`RetrievalError`] alone. **Source**: the
//! classifier by the one nearest neighbour (Cover and Hart, "Nearest neighbor pattern classification", 1967), with the
//! near views held out; how near is too near is ours, and each data set's own.
//!
//! Near views are left out whatever they show, those of other targets too. So every candidate, right or wrong, lies across the
//! transformation, and what is asked is whether the target's images stay nearer to each other than to others there. Were the other targets'
//! near views candidates, they would win by showing their side alone, and the figure would mix two things: what the features ignore, and how
//! much of all else they see.

mod candidates;
mod queries;
mod tally;

pub use tally::{RetrievalTally, TargetTally};

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, s};
use vidpairs_types::{Condition, NearView};

use super::Features;
use candidates::Candidates;

/// Queries of a block.
const NUM_HELD: usize = 256;
/// Images that the queries of a block are multiplied with at once.
const NUM_MET: usize = 1024;

/// Not one of something for each image. A bug of the caller: stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} {what} for {num_images} images")]
pub struct RetrievalError {
    /// Of what: `targets`, say.
    pub what: &'static str,
    /// How many were given.
    pub found: usize,
    /// How many images there are.
    pub num_images: usize,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrievalOptions {
    /// Which images are too near to be found.
    pub near: NearView,
    /// At most so many images are queries, spread evenly over all; all of them are candidates. 0: every image.
    pub max_queries: usize,
}

impl RetrievalOptions {
    /// With at most 10,000 queries: which images are asked about then moves the share by one percent point at most, 19 times of 20.
    pub fn new(near: NearView) -> Self {
        Self {
            near,
            max_queries: 10_000,
        }
    }
}

/// A search for the nearest neighbours of some images among all, cut into blocks of queries.
///
/// The cosine of a row of zeros with anything is 0. A query of zeros says nothing, and finds nothing: it counts as a miss.
/// Of equally near images the one that comes first is found. Cosines are computed in 32 bits:
/// where two differ by less than about `1e-6`, which one is greater may depend on the processor, but never on how
/// blocks are divided between threads.
///
/// The features are not kept, nor copied as a whole: a block takes `(256 + 1024) x D x 4` bytes and 1 MiB.
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
    /// Of each image's features; 0 for a row of zeros.
    inverse_lengths: Vec<f64>,
    candidates: Candidates,
    /// Places of images, ascending.
    queries: Vec<usize>,
}

impl Retrieval {
    /// Prepares the search.
    ///
    /// - `targets`, `conditions`: of each image, `N`.
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
            queries: queries::spread(num_images, options.max_queries).collect(),
        })
    }

    /// Images in all, each a candidate.
    pub fn num_images(&self) -> usize {
        self.inverse_lengths.len()
    }

    /// Images whose features are all 0.
    pub fn num_zeros(&self) -> usize {
        let zeros = self.inverse_lengths.iter().filter(|&&it| it == 0.0);
        zeros.count()
    }

    /// Images that are asked about.
    pub fn num_queries(&self) -> usize {
        self.queries.len()
    }

    /// Blocks that the queries come in.
    pub fn num_blocks(&self) -> usize {
        self.queries.len().div_ceil(NUM_HELD)
    }

    /// Asks about the queries of one block, `0..num_blocks()`; of a block beyond, nothing.
    ///
    /// - `features`: those of [`new`](Self::new) again.
    ///
    /// # Errors
    /// [`RetrievalError`] if they are of another number of images.
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
            let is_zero = self.inverse_lengths.get(query) == Some(&0.0);
            let found = nearest.filter(|_| !is_zero);
            tally.count(counting.of(query), is_zero, |target| {
                found.and_then(|found| self.candidates.target(found)) == Some(target)
            });
        }
        Ok(tally)
    }

    /// Asks about all queries, on this thread.
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

    /// The image nearest to each of `queries` among its candidates; `None` where it has none.
    fn nearest(&self, features: &Features<'_>, queries: &[usize]) -> Vec<Option<usize>> {
        let num_units = features.num_units();
        let mut held = Array2::zeros((queries.len(), num_units));
        for (unit, &query) in held.axis_iter_mut(Axis(0)).zip(queries) {
            let row = features.images().nth(query);
            self.scale(row.unwrap_or_default(), query, unit);
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
                    // Asked last: few images are nearer than the nearest so far.
                    if cosine > nearest.0 && self.candidates.may_find(query, image) {
                        *nearest = (cosine, Some(image));
                    }
                }
            }
        }
        nearest.into_iter().map(|(_, image)| image).collect()
    }

    /// The features of image `image`, scaled to length 1.
    fn scale(&self, row: &[f32], image: usize, unit: ndarray::ArrayViewMut1<'_, f32>) {
        let scale = self.inverse_lengths.get(image).copied().unwrap_or_default();
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

/// In 64 bits no square of a number of 32 is lost or infinite.
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
