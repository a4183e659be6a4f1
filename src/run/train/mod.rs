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
mod knn;
mod load;
mod metrics;
mod summary;
mod torch;
mod trainer;
mod views;
mod watched;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tch::Device;

pub use error::TrainError;
pub use metrics::KnnFigures;
pub use summary::TrainSummary;

use self::checkpoint::{BACKBONE, Checkpoints, Progress};
use self::clock::Clock;
use self::data::{Data, Labels};
use self::display::Display;
use self::knn::LabelledFolder;
use self::load::Loader;
use self::metrics::Metrics;
use self::torch::computed;
use self::trainer::Trainer;
use self::views::views_of;
use super::out::{JOURNAL_FOLDER, differences, failed, lock, nothing_foreign_in, write_whole};
use super::words::counted;
use super::{RunError, Verbosity};
use crate::model;
use crate::parallel::{Cancel, Crew, Ended, run_ordered};
use crate::pipeline::{Pipeline, TrainMethod};
use crate::train::{CollapseWatch, DataCounts, Learner, setup_warnings};
use crate::types::Seed;

/// What the run is; its being there makes a folder one of a run.
const RUN_FILE: &str = "run.json";
/// A batch takes seconds at most.
const PATIENCE: Duration = Duration::from_secs(300);
/// Settings that a run may go on with changed: what is written when.
const FREE_KEYS: [&str; 6] = [
    "training.train.log_steps",
    "training.train.checkpoint_steps",
    "training.train.keep",
    "training.train.knn_epochs",
    "training.train.knn_images",
    "training.train.knn_neighbours",
];

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

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunFile {
    /// Of the program that began the run.
    program_version: String,
    /// Settings, defaults included.
    training: Value,
    /// Of the shards.
    dataset_xxh64: String,
}

/// Trains; goes on by itself where the same run was stopped.
///
/// # Errors
/// [`RunError`]. Checkpoints that were written stay, and the same call goes on from the last.
pub fn train(options: &TrainOptions) -> Result<TrainSummary, RunError> {
    let start = Instant::now();
    let TrainOptions { pipeline, out, .. } = options;
    let device = match &options.device {
        Some(name) => model::device(name).map_err(TrainError::from)?,
        None => Device::cuda_if_available(),
    };
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
    if out.exists() && !out.is_dir() {
        return Err(RunError::NotAFolder(out.clone()));
    }
    let begin = RunFile {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        training: pipeline.resolved_training(),
        dataset_xxh64: data.fingerprint.clone(),
    };
    stored_run(out, &begin)?;
    let _lock = lock(out).map_err(|err| err.named_if_full(out, "nothing yet"))?;
    // Once more: another run may have begun here in between.
    if stored_run(out, &begin)?.is_none() {
        let text = serde_json::to_vec_pretty(&begin).unwrap_or_default();
        write_whole(out, RUN_FILE, &text).map_err(|err| err.named_if_full(out, "nothing yet"))?;
    }
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
    let about = BTreeMap::from([
        ("format".to_owned(), "vidpairs".to_owned()),
        ("program_version".to_owned(), begin.program_version.clone()),
        ("training".to_owned(), begin.training.to_string()),
        ("dataset_xxh64".to_owned(), begin.dataset_xxh64.clone()),
    ]);
    let checkpoints = Checkpoints::open(out, pipeline.train.watch.keep, about)
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

/// The run that `out` holds, if it is this one.
fn stored_run(out: &Path, begin: &RunFile) -> Result<Option<RunFile>, RunError> {
    let path = out.join(RUN_FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            // With a journal it is ours: a run that begins now, or was killed before it could say what it is.
            if !out.join(JOURNAL_FOLDER).is_dir() {
                nothing_foreign_in(out)?;
            }
            return Ok(None);
        }
        Err(err) => return Err(failed("read", &path)(err)),
    };
    let stored: RunFile = serde_json::from_slice(&bytes)
        .map_err(|err| failed("read", &path)(io::Error::other(err)))?;
    if stored.program_version != begin.program_version {
        return Err(RunError::OtherVersion {
            out: out.to_owned(),
            theirs: stored.program_version,
            ours: begin.program_version.clone(),
        });
    }
    let value = |run: &RunFile| serde_json::to_value(run).unwrap_or_default();
    let is_free = |key: &str| FREE_KEYS.contains(&key);
    match differences(&value(&stored), &value(begin), is_free)
        .into_iter()
        .next()
    {
        None => Ok(Some(stored)),
        Some(difference) => {
            let difference = difference.replacen("training.", "", 1);
            Err(TrainError::OtherRun {
                out: out.to_owned(),
                difference,
            }
            .into())
        }
    }
}
