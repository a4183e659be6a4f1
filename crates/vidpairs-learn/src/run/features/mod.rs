//! Computes features of the images of a data set by an encoder, or reads them from the cache.
//!
//! Worker threads decode images and make batches of views in order (`parallel::run_ordered`); the caller's thread encodes them. Memory
//! holds the features, twice while they are put in the order of the sets, and at most [`MAX_BATCHES_BYTES`] of views.

mod cache;
mod encode;
mod engine;
mod error;
mod load;
mod parts;
mod picture;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use engine::LibtorchEncoders;
pub use error::FeatureError;
pub use vidpairs_invariance::run::{FeatureSpeed, ImageFeatures};

use vidpairs_run::{Control, Progress, RunError, Unit, stopped};
use vidpairs_types::ImageSets;
use vidpairs_types::parallel::{Broken, Crew, run_ordered};

pub(super) use self::encode::{Encoded, is_too_many};
pub(super) use self::parts::{Part, Parts};

use self::cache::Cache;
use self::encode::Encoding;
use self::load::{BATCH, Loader};
use crate::model::{
    FeatureNetwork, NumberFormat, PoolName, Readout, StageName, TrainedEncoder, use_cores,
};

/// Time without progress after which a batch is given up; an image takes a second at most.
const PATIENCE: Duration = Duration::from_secs(300);
/// Maximum size of the views in memory, bytes: with many cores each would hold a batch.
const MAX_BATCHES_BYTES: usize = 4 << 30;

/// Options of the features.
#[derive(Debug, Clone)]
pub struct FeatureOptions {
    /// Stage of the network.
    pub stage: StageName,
    /// Pooling of the stage.
    pub pool: PoolName,
    /// Number format of the network.
    pub precision: NumberFormat,
    /// Output folder: features are cached in its folder `features`. `None` for no cache.
    pub out: Option<PathBuf>,
    /// Threads that decode (on the CPU libtorch computes with as many), verbosity, and the signal to stop: incomplete features are
    /// not cached.
    pub control: Control,
}

/// Computation of the features of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Protocol {
    pub readout: Readout,
    pub precision: NumberFormat,
    /// Side of a view, px.
    pub side_px: u32,
    pub view: View,
}

/// How the view of an image is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum View {
    /// Of the box of an image, whose decoded pixels are resized once.
    Exact,
    /// Of the whole image, decoded at a reduced size where that is faster.
    Reduced,
}

/// Features of all images of `sets` by `encoder`: the box of an image (the whole image without one), resized to a square without
/// keeping its aspect, in evaluation mode.
///
/// Images that cannot be read, or on which a decoder makes no progress, are left out. With [`FeatureOptions::out`] the features are read
/// from its cache if it has those of the same weights, images and protocol, and stored there otherwise. A box of an image is encoded
/// once, and data sets with the same images share a file.
///
/// # Errors
/// [`FeatureError`] if the network has no such features, no image can be read or more than a tenth cannot, libtorch refuses, or a feature is no number; [`RunError::File`] or
/// [`RunError::DiskFull`] if they cannot be kept; [`RunError::Interrupted`], or [`RunError::Stopped`] without a cache.
pub fn image_features(
    encoder: &TrainedEncoder,
    sets: &ImageSets,
    options: &FeatureOptions,
) -> Result<ImageFeatures, RunError> {
    let parts = Arc::new(Parts::of(&sets.images));
    let FeatureOptions { stage, pool, .. } = *options;
    let readout = Readout::of(&encoder.architecture, stage, pool, sets.side_px);
    let protocol = Protocol {
        readout: readout.map_err(FeatureError::from)?,
        precision: options.precision,
        side_px: sets.side_px,
        view: View::Exact,
    };
    let cache = (options.out.as_ref()).map(|out| Cache::new(out, encoder, &protocol, &parts));
    if let Some(found) = cache.as_ref().and_then(|cache| cache.read(&parts)) {
        return Ok(found.in_order(&parts, None, cache.map(|cache| cache.path)));
    }
    let made = encode(encoder, &parts, &protocol, options)?;
    if let Some(cache) = cache.as_ref().filter(|_| made.rows.is_lasting()) {
        cache.write(&made.rows, &parts, sets)?;
    }
    let file = cache.filter(|_| made.rows.is_lasting());
    Ok(made
        .rows
        .in_order(&parts, Some(made.speed), file.map(|cache| cache.path)))
}

fn encode(
    encoder: &TrainedEncoder,
    parts: &Arc<Parts>,
    protocol: &Protocol,
    options: &FeatureOptions,
) -> Result<Encoded, RunError> {
    let network = encoder.network.as_features();
    use_cores(network.device(), options.control.workers);
    let encoded = encode_parts(network, parts, protocol, &options.control);
    encoded.map_err(|end| match (end, &options.out) {
        (Broken::Cancelled, Some(out)) => RunError::Interrupted {
            out: out.clone(),
            safe: "features that were complete".to_owned(),
        },
        (end, _) => stopped(end),
    })
}

/// Rows of `parts` by `network`.
///
/// A batch that is lost, because a decoder panics or makes no progress on one of its images, is tried again image by image.
///
/// # Errors
/// [`Broken`], with the [`FeatureError`] of [`image_features`].
pub(super) fn encode_parts(
    network: &dyn FeatureNetwork,
    parts: &Arc<Parts>,
    protocol: &Protocol,
    control: &Control,
) -> Result<Encoded, Broken<FeatureError>> {
    let num_images = parts.all.len();
    let unit = Unit::Things("image");
    let progress = Progress::new(unit, num_images as u64, 0, control.verbosity);
    let mut encoding = Encoding::new(network, parts, *protocol, progress);
    let mut batch = BATCH;
    let mut places: Vec<usize> = (0..num_images).collect();
    while !places.is_empty() {
        let loader = Loader {
            parts: Arc::clone(parts),
            places,
            batch,
            protocol: *protocol,
            viewers: Mutex::default(),
        };
        let workers = control.workers.max(1);
        let crew = Crew {
            workers,
            // One batch in preparation for each thread, and one that waits.
            window: (workers + 1).min(MAX_BATCHES_BYTES / loader.batch_bytes().max(1)),
            patience: PATIENCE,
            cancel: Arc::clone(&control.cancel),
        };
        let num_batches = loader.places.len().div_ceil(batch);
        run_ordered(0..num_batches, Arc::new(loader), &crew, &mut encoding)?;
        places = encoding.take_lost();
        batch = 1;
    }
    encoding.finish().map_err(Broken::Sink)
}
