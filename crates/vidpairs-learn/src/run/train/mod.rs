//! Runs `vidpairs train`: trains an encoder on shards.
//!
//! Worker threads make batches in the order of the steps (`parallel::run_ordered`); the caller's thread takes the training steps. A step
//! depends on its number, the seed and the data only, so a resumed run takes the same steps.

mod begin;
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
mod unwise;
mod views;
mod watched;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tch::Device;

pub use error::TrainError;
pub use metrics::KnnFigures;
pub use summary::TrainSummary;

use vidpairs_pipeline::Pipeline;
use vidpairs_run::{Control, RunError, broken};
use vidpairs_types::Seed;
use vidpairs_types::parallel::{Broken, Crew, run_ordered};

use self::begin::Begin;
use self::clock::Clock;
use self::data::{Data, Labels};
use self::folder::RunFile;
use self::knn::LabelledFolder;
use self::load::Loader;
use self::trainer::Trainer;
use self::unwise::unwise;
use self::views::views_of;
use crate::model;
use crate::train::Schedule;

/// Time without progress after which a batch is given up; it takes seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// Options of `vidpairs train`.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// Settings of the experiment.
    pub pipeline: Pipeline,
    /// Folder of the data set.
    pub shards: PathBuf,
    /// Output folder: new, empty, or of a stopped run of the same experiment.
    pub out: PathBuf,
    /// Device: `cpu`, `cuda` or `cuda:N`; `None` for the first GPU if there is one, else the CPU.
    pub device: Option<String>,
    /// Folder of labelled images for the kNN accuracy.
    pub knn: Option<PathBuf>,
    /// Threads that make batches (on the CPU libtorch computes with as many), verbosity, and the signal to stop.
    pub control: Control,
}

/// Trains an encoder, or resumes a stopped run.
///
/// # Errors
/// [`RunError`]. Checkpoints stay, and the same call resumes from the last.
pub fn train(options: &TrainOptions) -> Result<TrainSummary, RunError> {
    let start = Instant::now();
    let TrainOptions { pipeline, out, .. } = options;
    let device = model::device_or_best(options.device.as_deref()).map_err(TrainError::from)?;
    let data = Data::open(&options.shards, pipeline)?;
    let checked = Checked::of(options)?;
    let method = pipeline.train.method;
    let labels = Labels::wanted(method, &data, &options.shards, &options.control.cancel)?;
    let run_file = RunFile::of(pipeline, &data);
    let claimed = run_file.claim(out)?;
    model::use_cores(device, options.control.workers);
    if device != Device::Cpu {
        // Views keep their size, so cuDNN may search for the fastest convolution. Algorithms may differ in the last bits.
        tch::Cuda::cudnn_set_benchmark(true);
    }
    let loader = Arc::new(Loader {
        views: views_of(pipeline, data.kind, data.has_frames),
        data: Arc::new(data),
        labels,
        batch: u64::from(pipeline.train.batch),
        epochs: pipeline.train.epochs,
        seed: Seed::of_run(pipeline.seed).for_step("train", ""),
        precision: pipeline.train.numbers,
        device,
        viewers: Mutex::default(),
        damaged: Mutex::default(),
    });
    let begin = Begin::of(options, &run_file, &loader)?;
    if begin.progress.step >= loader.total_steps() {
        claimed.finish()?;
        return Ok(TrainSummary {
            seconds: start.elapsed().as_secs_f64(),
            is_complete_already: true,
            ..TrainSummary::at(options, &loader, &begin.progress)
        });
    }
    let mut trainer = Trainer::new(options, begin, loader, checked)?;
    let warnings = unwise(pipeline, &trainer.loader);
    for warning in &warnings {
        trainer.display.warn(warning);
    }
    run(options, &mut trainer)?;
    trainer.display.finish();
    claimed.finish()?;
    Ok(TrainSummary {
        warnings,
        seconds: start.elapsed().as_secs_f64(),
        ..trainer.summary(options)
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
        workers: options.control.workers.max(1),
        // One batch in preparation for each thread, and one that waits.
        window: (options.control.workers.max(1) + 1).min(trainer.loader.most_batches()),
        patience: PATIENCE,
        cancel: Arc::clone(&options.control.cancel),
    };
    let job = Arc::clone(&trainer.loader);
    trainer.clock = Clock::start();
    let ended = run_ordered(first..trainer.total_steps, job, &crew, trainer);
    if matches!(ended, Err(Broken::Cancelled)) && trainer.progress.step > first {
        trainer.save().map_err(|err| full(err, trainer))?;
    }
    trainer.display.finish();
    ended.map_err(|end| broken(end, out, &trainer.safe()))
}

/// Inputs that are checked before anything is written.
struct Checked {
    schedule: Schedule,
    labelled: Option<LabelledFolder>,
}

impl Checked {
    fn of(options: &TrainOptions) -> Result<Self, RunError> {
        Ok(Self {
            schedule: config::schedule(&options.pipeline.train)?,
            labelled: labelled(options)?,
        })
    }
}

/// Lists the labelled images of `--knn`.
fn labelled(options: &TrainOptions) -> Result<Option<LabelledFolder>, RunError> {
    let watch = &options.pipeline.train.watch;
    let Some(root) = options.knn.as_ref().filter(|_| watch.knn_epochs > 0) else {
        return Ok(None);
    };
    let side_px = options.pipeline.augment.size_px;
    let folder = LabelledFolder::list(root, watch, side_px, options.control.workers)?;
    Ok(Some(folder))
}
