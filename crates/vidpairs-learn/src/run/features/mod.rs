//! Computes features of images by an encoder, or reads them from the cache.
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

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use engine::LibtorchEncoders;
pub use error::FeatureError;
use vidpairs_invariance::run::{FeatureLabels, FeatureRequest, PartView};
pub use vidpairs_invariance::run::{FeatureSpeed, ImageFeatures};

use vidpairs_run::{Control, Progress, RunError, Unit, stopped};
use vidpairs_types::parallel::{Broken, Crew, run_ordered};
use vidpairs_types::{ImagePart, ImageSets};

pub(super) use self::cache::key_of;
pub(super) use self::encode::{PartRows, is_too_many};
pub(super) use self::parts::Parts;

use self::cache::Cache;
use self::encode::{Encoded, Encoding};
use self::load::{BATCH, Loader};
use crate::model::{
    FeatureNetwork, NumberFormat, PoolName, Readout, StageName, TrainedEncoder, use_cores,
};

/// Time without progress after which a batch is given up; an image takes a second at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// Maximum size of the views in memory, bytes: with many cores each would hold a batch.
pub(super) const MAX_BATCHES_BYTES: usize = 4 << 30;

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
    pub precision: NumberFormat,
    pub view: View,
}

impl Protocol {
    /// Side of a view, px.
    pub fn side_px(&self) -> u32 {
        match self.view {
            View::Exact(view) => view.side_px,
            View::Reduced { side_px } => side_px,
        }
    }
}

/// How the view of an image is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum View {
    /// Of a region of an image, whose decoded pixels are resized once.
    Exact(PartView),
    /// Of the whole image, squashed, and decoded at a reduced size where that is faster.
    Reduced { side_px: u32 },
}

/// Features of all images of `sets` by `encoder` at one stage, as invariances are measured: see [`stage_features`].
///
/// # Errors
/// As [`stage_features`].
pub fn image_features(
    encoder: &TrainedEncoder,
    sets: &ImageSets,
    options: &FeatureOptions,
) -> Result<ImageFeatures, RunError> {
    let parts: Vec<ImagePart> = sets.images.iter().map(ImagePart::from).collect();
    let mut stages = stage_features(
        encoder,
        &FeatureRequest {
            parts: &parts,
            stages: &[options.stage],
            pool: options.pool,
            view: PartView::of_invariance(sets.side_px),
            numbers: options.precision,
            labels: &FeatureLabels::of_sets(sets),
            out: options.out.as_deref(),
            control: &options.control,
        },
    )?;
    Ok(stages.remove(0))
}

/// Features of the parts of `request` by `encoder` in evaluation mode, one entry for each stage.
///
/// Images that cannot be read, or on which a decoder makes no progress, are left out. With [`FeatureRequest::out`] the features of a stage
/// are read from its cache if it has those of the same weights, images and protocol, and stored there otherwise. All stages that the cache
/// lacks are computed in one pass. A part is encoded once, and data sets with the same parts share a file.
///
/// # Errors
/// [`FeatureError`] if the network has no such features, no image can be read or more than a tenth cannot, libtorch refuses, or a feature is no number; [`RunError::File`] or
/// [`RunError::DiskFull`] if they cannot be kept; [`RunError::Interrupted`], or [`RunError::Stopped`] without a cache.
pub fn stage_features(
    encoder: &TrainedEncoder,
    request: &FeatureRequest<'_>,
) -> Result<Vec<ImageFeatures>, RunError> {
    let parts = Arc::new(Parts::of(request.parts));
    let protocol = Protocol {
        precision: request.numbers,
        view: View::Exact(request.view),
    };
    let readout = |&stage: &StageName| {
        let side_px = request.view.side_px;
        Readout::of(&encoder.architecture, stage, request.pool, side_px).map_err(FeatureError::from)
    };
    let readouts: Vec<Readout> = request
        .stages
        .iter()
        .map(readout)
        .collect::<Result<_, _>>()?;
    let cache = |&readout: &Readout| {
        let out = request.out?;
        Some(Cache::new(out, encoder, (readout, &protocol), &parts))
    };
    let caches: Vec<Option<Cache>> = readouts.iter().map(cache).collect();
    let mut found: Vec<Option<PartRows>> = Vec::new();
    for cache in &caches {
        let stored = cache
            .as_ref()
            .and_then(|cache| cache.read(&parts, request.labels));
        found.push(match (cache, stored) {
            (Some(cache), Some((rows, false))) => {
                cache.write(&rows, &parts, request.labels)?;
                Some(rows)
            }
            (_, stored) => stored.map(|(rows, _)| rows),
        });
    }
    let lacking: Vec<usize> = (0..found.len()).filter(|&at| found[at].is_none()).collect();
    let mut speed = None;
    if !lacking.is_empty() {
        let readouts: Vec<Readout> = lacking.iter().map(|&at| readouts[at]).collect();
        let made = encode(encoder, &parts, (&readouts, &protocol), request)?;
        speed = Some(made.speed);
        for (&at, rows) in lacking.iter().zip(made.stages) {
            if let Some(cache) = caches[at].as_ref().filter(|_| rows.is_lasting()) {
                cache.write(&rows, &parts, request.labels)?;
            }
            found[at] = Some(rows);
        }
    }
    let stages = caches.into_iter().zip(found).enumerate();
    let stages = stages.map(|(at, (cache, rows))| {
        let rows = rows.expect("stages that were not read were computed");
        let file = cache.filter(|_| rows.is_lasting()).map(|cache| cache.path);
        let speed = speed.filter(|_| lacking.contains(&at));
        rows.in_order(&parts, speed, file)
    });
    Ok(stages.collect())
}

fn encode(
    encoder: &TrainedEncoder,
    parts: &Arc<Parts>,
    how: (&[Readout], &Protocol),
    request: &FeatureRequest<'_>,
) -> Result<Encoded, RunError> {
    let network = encoder.network.as_features();
    use_cores(network.device(), request.control.workers);
    let encoded = encode_parts(network, parts, how, request.control);
    encoded.map_err(|end| match (end, request.out) {
        (Broken::Cancelled, Some(out)) => RunError::Interrupted {
            out: out.to_owned(),
            safe: safe_in(out).to_owned(),
        },
        (end, _) => stopped(end),
    })
}

/// Work in the output folder that an early end does not lose.
pub(super) fn safe_in(out: &Path) -> &'static str {
    match out.join(cache::FOLDER).exists() {
        true => "features that were complete",
        false => "nothing yet",
    }
}

/// Rows of `parts` by `network`, at each of `readouts`.
///
/// A batch that is lost, because a decoder panics or makes no progress on one of its images, is tried again image by image.
///
/// # Errors
/// [`Broken`], with the [`FeatureError`] of [`stage_features`].
pub(super) fn encode_parts(
    network: &dyn FeatureNetwork,
    parts: &Arc<Parts>,
    (readouts, protocol): (&[Readout], &Protocol),
    control: &Control,
) -> Result<Encoded, Broken<FeatureError>> {
    let num_images = parts.all.len();
    let unit = Unit::Things("image");
    let progress = Progress::new(unit, num_images as u64, 0, control.verbosity);
    let mut encoding = Encoding::new(network, parts, (readouts, *protocol), progress);
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
