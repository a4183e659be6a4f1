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
mod init;
mod knn;
mod load;
mod metrics;
mod restore;
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
use self::checkpoint::Results;
use self::clock::Clock;
use self::data::{Data, Labels};
use self::folder::RunFile;
use self::init::InitRecord;
use self::knn::LabelledFolder;
use self::load::{Damaged, Loader};
use self::torch::{Work, computed};
use self::trainer::Trainer;
use self::unwise::unwise;
use self::views::views_of;
use crate::model;
use crate::train::{DataCounts, Learner, Schedule};

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
    /// File of weights that the run begins with; `None` for random ones.
    pub init: Option<PathBuf>,
    /// Prefix of the names of its tensors, where the file holds several networks.
    pub init_prefix: Option<String>,
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
    let train = &pipeline.train;
    let schedule = config::schedule(train)?;
    let device = model::device_or_best(options.device.as_deref()).map_err(TrainError::from)?;
    let data = Data::open(&options.shards, pipeline)?;
    let checked = Checked {
        schedule,
        labelled: labelled(options)?,
    };
    let lost = data.lost();
    let damaged = Damaged::lost(&lost);
    // A complete run needs no data; a resumed one is checked again before its next step.
    if !Results::of(out)?.has_backbone {
        damaged.check(train.watch.max_damaged, data.num_records)?;
    }
    let labels = Labels::wanted(
        train.method,
        &data,
        &options.shards,
        &options.control.cancel,
    )?;
    model::use_cores(device, options.control.workers);
    if device != Device::Cpu {
        // Views keep their size, so cuDNN may search for the fastest convolution. Algorithms may differ in the last bits.
        tch::Cuda::cudnn_set_benchmark(true);
    }
    let loader = Arc::new(Loader {
        views: views_of(pipeline, data.kind, data.has_frames),
        data: Arc::new(data),
        labels,
        batch: u64::from(train.batch),
        epochs: train.epochs,
        seed: Seed::of_run(pipeline.seed).for_step("train", ""),
        precision: train.numbers,
        device,
        viewers: Mutex::default(),
        damaged: Mutex::new(damaged),
    });
    let (learner, init) = new_learner(options, &loader)?;
    let (init, init_note) = init.unzip();
    let run_file = RunFile::of(pipeline, &loader.data, init);
    let mut claimed = run_file.claim(out)?;
    let begun = Begin::of(options, &run_file, &claimed, &loader, learner);
    let begin = claimed.unless_refused(begun)?;
    claimed.write(&run_file, begin.progress.step)?;
    let mut warnings = begin.notes.clone();
    if begin.progress.step >= loader.total_steps() {
        claimed.finish()?;
        return Ok(TrainSummary {
            warnings,
            seconds: start.elapsed().as_secs_f64(),
            is_complete_already: true,
            ..TrainSummary::at(options, &loader, &begin.progress)
        });
    }
    let is_new = begin.progress.step == 0;
    let mut trainer = Trainer::new(options, begin, loader, checked)?;
    if let Some(note) = init_note.filter(|_| is_new) {
        trainer.display.note(&note);
    }
    warnings.extend(unwise(pipeline, &trainer.loader, &lost));
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

/// A learner with random weights, or those of `--init`: with their record and a report.
fn new_learner(
    options: &TrainOptions,
    loader: &Loader,
) -> Result<(Learner, Option<(InitRecord, String)>), TrainError> {
    let train = &options.pipeline.train;
    let counts = DataCounts {
        records: i64::try_from(loader.data.num_records).unwrap_or(i64::MAX),
        labels: loader.labels.names.len() as i64,
    };
    let mut learner = computed(Work::Network, || {
        let seed = loader.seed.for_step("weights", "");
        Learner::new(&config::learner(train), counts, seed, loader.device)
    })?;
    let init = match &options.init {
        Some(path) => {
            let prefix = options.init_prefix.as_deref();
            Some(init::begin_with(path, prefix, train, &mut learner)?)
        }
        None => None,
    };
    Ok((learner, init))
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
    // The state is that after the last step, unless the step itself failed.
    let is_whole = match &ended {
        Err(Broken::Cancelled) => true,
        Err(Broken::Sink(err)) => err.command().is_some_and(TrainError::is_of_data),
        _ => false,
    };
    if is_whole && trainer.progress.step > trainer.saved_steps {
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
