//! `vidpairs train`: shards in, an encoder out.
//!
//! The loader's threads make batches in the order of the steps (`parallel::run_ordered`); the caller's thread takes the
//! steps. What a step does depends on its number, the seed and the data alone, so a run that goes on from a checkpoint does
//! what it would have done.

mod checkpoint;
mod clock;
mod config;
mod data;
mod display;
mod error;
mod folder;
mod knn;
mod load;
mod metrics;
mod summary;
mod torch;
mod trainer;
mod views;
mod watched;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tch::Device;

pub use error::TrainError;
pub use metrics::KnnFigures;
pub use summary::TrainSummary;

use self::checkpoint::{BACKBONE, Checkpoints, Progress};
use self::clock::Clock;
use self::data::{Data, Labels};
use self::display::Display;
use self::folder::RunFile;
use self::knn::LabelledFolder;
use self::load::Loader;
use self::metrics::Metrics;
use self::torch::computed;
use self::trainer::Trainer;
use self::views::views_of;
use super::out::JOURNAL_FOLDER;
use super::words::counted;
use super::{RunError, Verbosity};
use crate::model;
use crate::parallel::{Cancel, Crew, Ended, run_ordered};
use crate::pipeline::{Pipeline, TrainMethod};
use crate::train::{CollapseWatch, DataCounts, Learner, setup_warnings};
use crate::types::Seed;

/// A batch takes seconds at most.
const PATIENCE: Duration = Duration::from_secs(300);
/// What to train, on what, and where it goes.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// The experiment.
    pub pipeline: Pipeline,
    /// The data set that `extract` wrote.
    pub shards: PathBuf,
    /// A new or empty folder, or that of a stopped run of the same experiment.
    pub out: PathBuf,
    /// `cpu`, `cuda` or `cuda:N`; `None` for the first GPU where libtorch sees one, else the CPU.
    pub device: Option<String>,
    /// A folder of labelled images to ask now and then.
    pub knn: Option<PathBuf>,
    /// Threads that make batches; on the CPU libtorch computes with as many.
    pub workers: usize,
    /// How much to tell.
    pub verbosity: Verbosity,
    /// Ends the run; it can go on.
    pub cancel: Arc<Cancel>,
}

/// Trains; goes on by itself where the same run was stopped.
///
/// # Errors
/// [`RunError`]. Checkpoints that were written stay, and the same call goes on from the last.
pub fn train(options: &TrainOptions) -> Result<TrainSummary, RunError> {
    let start = Instant::now();
    let TrainOptions { pipeline, out, .. } = options;
    let device = model::device_or_best(options.device.as_deref()).map_err(TrainError::from)?;
    let data = Data::open(&options.shards, pipeline)?;
    let num_records = data.reader.num_records();
    let batch = u64::from(pipeline.train.batch);
    if num_records < batch {
        return Err(TrainError::FewRecords {
            dir: options.shards.clone(),
            num_records,
            batch: pipeline.train.batch,
        }
        .into());
    }
    let schedule = config::schedule(&pipeline.train)?;
    let labelled = labelled(options)?;
    let is_supervised = pipeline.train.method == TrainMethod::Supervised;
    let labels = match is_supervised {
        true => Labels::read(&data.reader, &options.cancel)?,
        false => Labels::default(),
    };
    if is_supervised && labels.names.len() < 2 {
        return Err(TrainError::NoLabels {
            dir: options.shards.clone(),
            num_labels: labels.names.len(),
        }
        .into());
    }
    let begin = RunFile::of(pipeline, &data);
    let _lock = begin.claim(out)?;
    model::use_cores(device, options.workers);
    if device != Device::Cpu {
        // Views keep their size, so it pays to try which convolution is fastest. They may differ in the last bits.
        tch::Cuda::cudnn_set_benchmark(true);
    }
    let seed = Seed::of_run(pipeline.seed).for_step("train", "");
    let precision = config::precision(&pipeline.train);
    let counts = DataCounts {
        records: i64::try_from(num_records).unwrap_or(i64::MAX),
        labels: labels.names.len() as i64,
    };
    let mut learner = computed("make the network", || {
        let config = config::learner(&pipeline.train);
        Learner::new(&config, counts, seed.for_step("weights", ""), device)
    })?;
    let checkpoints = Checkpoints::open(out, pipeline.train.watch.keep, begin.about())
        .map_err(|err| err.named_if_full(out, "nothing yet"))?;
    let last = checkpoints.last()?;
    let progress = match &last {
        Some((_, path)) => Checkpoints::restore(path, &mut learner)?,
        None => Progress::default(),
    };
    let safe = counted(progress.step, "step");
    if last.is_some() {
        let finished = checkpoints.finish_last(&learner, &progress);
        finished.map_err(|err| err.named_if_full(out, &safe))?;
    }
    let loader = Arc::new(Loader {
        views: views_of(pipeline, data.kind, data.has_frames),
        data: Arc::new(data),
        labels,
        batch,
        seed,
        precision,
        device,
        viewers: Mutex::default(),
        damaged: Mutex::default(),
    });
    let total_steps = u64::from(pipeline.train.epochs) * loader.steps_per_epoch();
    if progress.step >= total_steps {
        fs::remove_dir_all(out.join(JOURNAL_FOLDER)).ok();
        return Ok(TrainSummary {
            steps: progress.step,
            epochs: pipeline.train.epochs,
            records: num_records,
            damaged_records: 0,
            loss: None,
            chance: config::chance(&pipeline.train, loader.labels.names.len()),
            knn: None,
            best_knn: progress.best_knn,
            images_per_second: 0.0,
            waiting: 0.0,
            seconds: start.elapsed().as_secs_f64(),
            backbone: out.join(BACKBONE),
            warnings: Vec::new(),
            is_complete_already: true,
        });
    }
    let display = Display::new(total_steps, progress.step, options.verbosity);
    let mut trainer = Trainer {
        chance: config::chance(&pipeline.train, loader.labels.names.len()),
        metrics: Metrics::open(out, progress.step).map_err(|err| err.named_if_full(out, &safe))?,
        loader: Arc::clone(&loader),
        learner,
        schedule,
        watch: pipeline.train.watch,
        seed,
        device,
        precision,
        total_steps,
        checkpoints,
        labelled,
        display,
        last_checkpoint: last.map(|(_, path)| path),
        saved_steps: progress.step,
        progress,
        last_figures: None,
        last_knn: None,
        collapse: CollapseWatch::new(trainer::COLLAPSED_SHARE, trainer::COLLAPSED_LINES),
        clock: Clock::start(),
        error: None,
    };
    let warnings = unwise(options, &loader);
    for warning in &warnings {
        trainer.display.warn(warning);
    }
    run(options, &mut trainer)?;
    trainer.display.finish();
    fs::remove_dir_all(out.join(JOURNAL_FOLDER)).ok();
    let (steps_per_second, waiting) = trainer.clock.overall();
    Ok(TrainSummary {
        steps: trainer.progress.step,
        epochs: pipeline.train.epochs,
        records: num_records,
        damaged_records: trainer.num_damaged(),
        loss: trainer.last_figures.as_ref().map(|figures| figures.loss),
        chance: trainer.chance,
        knn: trainer.last_knn,
        best_knn: trainer.progress.best_knn,
        images_per_second: steps_per_second * batch as f64,
        waiting,
        seconds: start.elapsed().as_secs_f64(),
        backbone: out.join(BACKBONE),
        warnings,
        is_complete_already: false,
    })
}

fn run(options: &TrainOptions, trainer: &mut Trainer) -> Result<(), RunError> {
    let out = &options.out;
    let full = |err: RunError, trainer: &Trainer| err.named_if_full(out, &trainer.safe());
    let first = trainer.progress.step;
    if first == 0 && trainer.watch.knn_epochs > 0 {
        trainer.ask_knn().map_err(|err| full(err, trainer))?;
    }
    let crew = Crew {
        workers: options.workers.max(1),
        // One in the making for each thread, and one that waits.
        window: (options.workers.max(1) + 1).min(trainer.loader.most_batches()),
        patience: PATIENCE,
        cancel: Arc::clone(&options.cancel),
    };
    let job = Arc::clone(&trainer.loader);
    trainer.clock = Clock::start();
    let ended = run_ordered(first..trainer.total_steps, job, &crew, trainer);
    let ended = ended.map_err(RunError::Thread)?;
    if let Some(error) = trainer.error.take() {
        trainer.display.finish();
        return Err(full(error, trainer));
    }
    if ended == Ended::Cancelled {
        if trainer.progress.step > first {
            trainer.save().map_err(|err| full(err, trainer))?;
        }
        trainer.display.finish();
        return Err(RunError::Interrupted {
            out: out.clone(),
            safe: trainer.safe(),
        });
    }
    Ok(())
}

/// Lists the labelled images of `--knn`.
fn labelled(options: &TrainOptions) -> Result<Option<LabelledFolder>, RunError> {
    let watch = &options.pipeline.train.watch;
    let Some(root) = options.knn.as_ref().filter(|_| watch.knn_epochs > 0) else {
        return Ok(None);
    };
    let side_px = options.pipeline.augment.size_px;
    let folder = LabelledFolder::list(root, watch.knn_images, side_px, watch.knn_neighbours)?;
    Ok(Some(folder))
}

/// What is possible and unwise.
fn unwise(options: &TrainOptions, loader: &Loader) -> Vec<String> {
    let train = &options.pipeline.train;
    let num_records = loader.data.reader.num_records();
    // A step puts in a key for each term and direction.
    let keys_per_record = (loader.views.len() as u64 / 2).max(1)
        * train.moco.map_or(1, |moco| 1 + u64::from(moco.symmetric));
    let queue = train.moco.map(|moco| u64::from(moco.queue));
    let mut warnings = setup_warnings(num_records, loader.batch, keys_per_record, queue);
    if let Some((short, size)) = small_images(options, loader) {
        warnings.push(format!(
            "images are {short} px at their short side and views {size} px: they are enlarged; extract with \
             images.short_side = {size} or more, or set augment.size to at most {short}"
        ));
    }
    warnings
}

/// Short side of the first readable image and side of a view, where the image is smaller.
fn small_images(options: &TrainOptions, loader: &Loader) -> Option<(u32, u32)> {
    let size = options.pipeline.augment.size_px;
    let metas = (0..loader.data.reader.num_records().min(32)).filter_map(|number| {
        let record = loader.data.reader.record(number).ok()?;
        record.meta().ok()
    });
    let short = metas.map(|meta| {
        meta.anchor
            .image_size
            .width
            .min(meta.anchor.image_size.height)
    });
    short
        .max()
        .filter(|&short| short < size)
        .map(|short| (short, size))
}
