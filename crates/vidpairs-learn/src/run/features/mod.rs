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
mod segments;

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

pub(super) use self::cache::{key_of, stamps};
pub(super) use self::encode::{PartRows, is_too_many};
pub(super) use self::parts::Parts;

use self::cache::{COMPLETE, Cache};
use self::encode::{Encoded, Encoding};
use self::load::{BATCH, Loader};
use self::segments::{Found, Segments};
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
    /// Threads that decode (on the CPU libtorch computes with as many), verbosity, and the signal to stop: a later run continues
    /// with the features that were computed.
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
    let mut parts = Parts::of(request.parts);
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
    let (caches, key_of_pass) = match request.out {
        None => (readouts.iter().map(|_| None).collect(), String::new()),
        Some(out) => {
            let stamps = stamps(&parts.all, request.control);
            let stamps = stamps.map_err(|_| interrupted(out, None, parts.all.len()))?;
            let missing = stamps.iter().enumerate();
            let missing = missing.filter(|(_, stamp)| stamp.is_missing());
            parts.missing = missing.map(|(part, _)| part).collect();
            let of_files = (&parts, stamps.as_slice());
            let cache =
                |&readout: &Readout| Some(Cache::new(out, encoder, (readout, &protocol), of_files));
            let caches: Vec<Option<Cache>> = readouts.iter().map(cache).collect();
            (caches, Cache::key_of_pass(encoder, &protocol, of_files))
        }
    };
    let parts = Arc::new(parts);
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
        let of_lacking = lacking.iter().filter_map(|&at| caches[at].as_ref());
        let mut segments = request
            .out
            .map(|out| Segments::of(out, key_of_pass, of_lacking));
        let made = encode(
            encoder,
            &parts,
            (&readouts, &protocol),
            (request, segments.as_mut()),
        )?;
        speed = Some(made.speed);
        for (&at, rows) in lacking.iter().zip(made.stages) {
            if let Some(cache) = caches[at].as_ref().filter(|_| rows.is_lasting()) {
                cache.write(&rows, &parts, request.labels)?;
            }
            found[at] = Some(rows);
        }
        let are_lasting = found.iter().flatten().all(PartRows::is_lasting);
        if let Some(segments) = segments.filter(|_| are_lasting) {
            segments.remove();
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
    (request, mut segments): (&FeatureRequest<'_>, Option<&mut Segments>),
) -> Result<Encoded, RunError> {
    let network = encoder.network.as_features();
    use_cores(network.device(), request.control.workers);
    let encoded = encode_parts(
        network,
        parts,
        how,
        request.control,
        segments.as_deref_mut(),
    );
    encoded.map_err(|end| match (end, request.out) {
        (Broken::Cancelled, Some(out)) => interrupted(out, segments.as_deref(), parts.all.len()),
        (end, _) => stopped(end),
    })
}

/// The end of a run that the user stopped, with the work in the output folder that is not lost.
fn interrupted(out: &Path, segments: Option<&Segments>, num_images: usize) -> RunError {
    let safe = match segments.map_or(0, Segments::num_saved) {
        0 if !out.join(cache::FOLDER).exists() => "nothing yet".to_owned(),
        0 => COMPLETE.to_owned(),
        num_saved => format!("features of {num_saved} of {num_images} images"),
    };
    RunError::Interrupted {
        out: out.to_owned(),
        safe,
    }
}

/// Rows of `parts` by `network`, at each of `readouts`.
///
/// A batch that is lost, because a decoder panics or makes no progress on one of its images, is tried again image by image.
///
/// - `segments`: where what is found is kept from time to time, and when the user stops the run. What earlier runs kept is not computed
///   again.
///
/// # Errors
/// [`Broken`], with the [`FeatureError`] of [`stage_features`].
pub(super) fn encode_parts(
    network: &dyn FeatureNetwork,
    parts: &Arc<Parts>,
    (readouts, protocol): (&[Readout], &Protocol),
    control: &Control,
    mut segments: Option<&mut Segments>,
) -> Result<Encoded, Broken<FeatureError>> {
    let num_images = parts.all.len();
    let found = match &mut segments {
        Some(segments) => segments.restore(num_images),
        None => Found::of_stages(readouts.len()),
    };
    let (first, num_done) = (found.num_batches, found.kept.len() + found.left_out.len());
    let unit = Unit::Things("image");
    let progress = Progress::new(unit, num_images as u64, num_done as u64, control.verbosity);
    if num_done > 0 {
        progress.say(&format!(
            "features: continued after {num_done} of {num_images} images"
        ));
    }
    let mut encoding = Encoding::new(
        network,
        parts,
        (readouts, *protocol),
        progress,
        (found, segments),
    );
    let run = |places: Vec<usize>, batch: usize, first: usize, encoding: &mut Encoding<'_>| {
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
        run_ordered(first..num_batches, Arc::new(loader), &crew, encoding)
    };
    let ended = run((0..num_images).collect(), BATCH, first, &mut encoding);
    if let Err(Broken::Cancelled) = ended {
        encoding.keep().map_err(Broken::Sink)?;
    }
    ended?;
    let mut lost = encoding.take_lost().map_err(Broken::Sink)?;
    while !lost.is_empty() {
        run(lost, 1, 0, &mut encoding)?;
        lost = encoding.take_lost().map_err(Broken::Sink)?;
    }
    encoding.finish().map_err(Broken::Sink)
}
