//! Scores random features of the same shape: the control that a score is compared with.

use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_types::Seed;

use super::blocks::{BlockCrew, in_blocks};
use super::scoring::score_features;
use crate::measure::control::{FeatureMoments, GaussianControl, shuffled_units};
use crate::measure::{Features, FeaturesError, Plan, Score};

/// Units of a block of shuffling.
const NUM_UNITS: usize = 64;
/// Images of a block of drawing.
const NUM_IMAGES: usize = 1024;

/// Scores of random features.
#[derive(Debug)]
pub(super) struct Controls {
    /// Scores of Gaussian features with the same mean and covariance.
    pub gaussian: Vec<Score>,
    /// Scores of the same features with each unit shuffled over the images.
    pub shuffled: Vec<Score>,
    /// Number of dimensions that the features use: the rank of their covariance.
    pub rank: usize,
}

/// Makes both controls of `features` and scores them by `plan` on the threads of `crew`. Takes as much memory as the features.
///
/// # Errors
/// [`RunError`], as [`score_features`].
pub(super) fn controls(
    features: &Arc<Features<'static>>,
    plan: &Arc<Plan>,
    seed: Seed,
    crew: BlockCrew<'_>,
) -> Result<Controls, RunError> {
    let (gaussian, rank) = gaussian(features, seed, crew)?;
    let gaussian = score_features(&Arc::new(gaussian), plan, crew)?;
    let shuffled = shuffled(features, seed, crew)?;
    let shuffled = score_features(&Arc::new(shuffled), plan, crew)?;
    Ok(Controls {
        gaussian,
        shuffled,
        rank,
    })
}

fn gaussian(
    features: &Arc<Features<'static>>,
    seed: Seed,
    crew: BlockCrew<'_>,
) -> Result<(Features<'static>, usize), RunError> {
    let moments = Arc::new(FeatureMoments::of(features));
    let mut sum = None;
    let products = {
        let (features, moments) = (Arc::clone(features), Arc::clone(&moments));
        move |block| moments.products(&features, block)
    };
    in_blocks(
        "the covariance of the features",
        moments.num_blocks(),
        crew,
        products,
        |products| match &mut sum {
            None => sum = Some(products),
            Some(sum) => *sum += products,
        },
    )?;
    let products = sum.expect("features have at least one image, so at least one block");
    let control = Arc::new(GaussianControl::new(&moments, products));
    let (num_images, num_units) = (features.num_images(), features.num_units());
    let rank = control.rank();
    let mut values = Vec::with_capacity(num_images * num_units);
    let draw = move |block: usize| {
        let first = block * NUM_IMAGES;
        let mut rows = vec![0.0; NUM_IMAGES.min(num_images - first) * num_units];
        control.fill(seed, first, &mut rows);
        rows
    };
    let num_blocks = num_images.div_ceil(NUM_IMAGES);
    in_blocks("the Gaussian control", num_blocks, crew, draw, |rows| {
        values.extend(rows);
    })?;
    let drawn = Features::new(values, num_units).map_err(not_finite)?;
    Ok((drawn, rank))
}

fn shuffled(
    features: &Arc<Features<'static>>,
    seed: Seed,
    crew: BlockCrew<'_>,
) -> Result<Features<'static>, RunError> {
    let (num_images, num_units) = (features.num_images(), features.num_units());
    let shuffle = {
        let features = Arc::clone(features);
        move |block: usize| {
            let first = block * NUM_UNITS;
            let units = first..(first + NUM_UNITS).min(num_units);
            shuffled_units(&features, units, seed)
        }
    };
    let mut values = vec![0.0; num_images * num_units];
    let mut first = 0;
    let num_blocks = num_units.div_ceil(NUM_UNITS);
    in_blocks("the shuffled control", num_blocks, crew, shuffle, |found| {
        let columns = found.chunks_exact(num_images);
        let num_columns = columns.len();
        for (unit, column) in (first..).zip(columns) {
            let places = values.iter_mut().skip(unit).step_by(num_units);
            places.zip(column).for_each(|(to, &value)| *to = value);
        }
        first += num_columns;
    })?;
    Features::new(values, num_units).map_err(not_finite)
}

/// The error of controls of features whose squares overflow.
fn not_finite(err: FeaturesError) -> RunError {
    RunError::Lost {
        what: "a control of the features",
        reason: err.to_string(),
    }
}
