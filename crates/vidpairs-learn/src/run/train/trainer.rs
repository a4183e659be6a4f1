//! The training loop: takes a step for each batch, and writes logs and checkpoints when they are due.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tch::{Device, Tensor};
use vidpairs_pipeline::WatchKeys;
use vidpairs_run::{RunError, counted};
use vidpairs_types::parallel::Sink;
use vidpairs_types::with_causes;

use super::begin::Begin;
use super::checkpoint::{Checkpoints, Progress};
use super::clock::Clock;
use super::display::Display;
use super::error::TrainError;
use super::knn::{KnnAnswer, LabelledFolder};
use super::load::{Batch, Loader, lock};
use super::metrics::{KnnFigures, Metrics, StepFigures};
use super::summary::TrainSummary;
use super::torch::{Work, computed};
use super::watched::Watched;
use super::{Checked, TrainOptions, config};
use crate::train::{CollapseWatch, Learner, Schedule, StepInputs, StepReport};

/// Spread of the embeddings below which a collapse is reported, relative to uniformly distributed vectors.
const COLLAPSED_SHARE: f64 = 0.2;
/// Number of consecutive log lines that must show it.
const COLLAPSED_LINES: u32 = 5;

/// State of the training loop.
pub(super) struct Trainer {
    pub loader: Arc<Loader>,
    pub learner: Learner,
    pub schedule: Schedule,
    pub watch: WatchKeys,
    pub chance: f64,
    pub total_steps: u64,
    pub checkpoints: Checkpoints,
    pub metrics: Metrics,
    pub labelled: Option<LabelledFolder>,
    pub display: Display,
    pub progress: Progress,
    pub last_checkpoint: Option<PathBuf>,
    /// Number of steps in it.
    pub saved_steps: u64,
    pub last_figures: Option<StepFigures>,
    pub last_knn: Option<KnnFigures>,
    pub collapse: CollapseWatch,
    /// Best kNN accuracy and its step in the stored checkpoint. After a kill its step may be still to come.
    stored_best: Option<(f64, u64)>,
    /// Whether the first damaged record was reported.
    has_warned: bool,
    pub clock: Clock,
}

impl Sink<Result<Batch, TrainError>> for Trainer {
    type Error = RunError;

    fn push(&mut self, batch: Result<Batch, TrainError>) -> Result<(), RunError> {
        self.clock.batch_arrived();
        let done = self
            .check_damaged()
            .and(batch)
            .map_err(RunError::from)
            .and_then(|batch| self.take_step(batch));
        self.clock.batch_done();
        done
    }

    fn tick(&mut self) {
        self.display.tick();
    }
}

impl Trainer {
    /// The loop of a run that starts from `begin`.
    ///
    /// # Errors
    /// [`RunError`] if the metrics cannot be written.
    pub fn new(
        options: &TrainOptions,
        begin: Begin,
        loader: Arc<Loader>,
        Checked { schedule, labelled }: Checked,
    ) -> Result<Self, RunError> {
        let train = &options.pipeline.train;
        let step = begin.progress.step;
        let metrics = Metrics::open(&options.out, step)
            .map_err(|err| err.named_if_full(&options.out, &counted(step, "step")))?;
        let total_steps = loader.total_steps();
        Ok(Self {
            chance: config::chance(train, loader.labels.names.len()),
            metrics,
            schedule,
            watch: train.watch,
            total_steps,
            labelled,
            display: Display::new(total_steps, step, options.control.verbosity),
            learner: begin.learner,
            checkpoints: begin.checkpoints,
            stored_best: begin.stored_best,
            has_warned: false,
            last_checkpoint: begin.last_checkpoint,
            saved_steps: step,
            progress: begin.progress,
            last_figures: None,
            last_knn: None,
            collapse: CollapseWatch::new(COLLAPSED_SHARE, COLLAPSED_LINES),
            clock: Clock::start(),
            loader,
        })
    }

    /// Summary of the run so far.
    pub fn summary(&self, options: &TrainOptions) -> TrainSummary {
        let (steps_per_second, waiting) = self.clock.overall();
        TrainSummary {
            damaged_records: self.num_damaged(),
            loss: self.last_figures.as_ref().map(|figures| figures.loss),
            knn: self.last_knn,
            images_per_second: steps_per_second * self.loader.batch as f64,
            waiting,
            ..TrainSummary::at(options, &self.loader, &self.progress)
        }
    }

    /// Reports records that turned out to be damaged since the last call.
    ///
    /// # Errors
    /// [`TrainError::TooManyDamaged`].
    fn check_damaged(&mut self) -> Result<(), TrainError> {
        let mut damaged = lock(&self.loader.damaged);
        for reason in damaged.take_unreported() {
            if !std::mem::replace(&mut self.has_warned, true) {
                self.display.warn(&format!(
                    "a record cannot be used, and another one takes its place: {reason}; metrics.jsonl counts them, and \
                     --verbose reports each"
                ));
            }
            self.display.set_aside(&reason);
        }
        damaged.check(self.watch.max_damaged, self.loader.data.num_records)
    }

    fn take_step(&mut self, batch: Batch) -> Result<(), RunError> {
        let steps_per_epoch = self.loader.steps_per_epoch();
        let lr = self.schedule.lr_at(batch.step, steps_per_epoch);
        let seed = self.loader.seed.for_step("step", &batch.step.to_string());
        let report = computed(Work::Step, || {
            let inputs = self.on_device(batch.inputs);
            self.learner.step(&inputs, lr, seed)
        })?;
        let report = report.map_err(|source| TrainError::NotFinite {
            step: batch.step + 1,
            checkpoint: self.last_checkpoint.clone(),
            source,
        })?;
        self.progress.step = batch.step + 1;
        self.clock.step_taken();
        let step = self.progress.step;
        let is_last = step == self.total_steps;
        if step.is_multiple_of(u64::from(self.watch.log_steps)) || is_last {
            self.log(&report, lr)?;
        }
        let epoch_is_done = step.is_multiple_of(steps_per_epoch);
        let epoch = step / steps_per_epoch;
        let every = u64::from(self.watch.knn_epochs);
        if every > 0 && epoch_is_done && (epoch.is_multiple_of(every) || is_last) {
            let start = Instant::now();
            let asked = self.ask_knn();
            self.clock.exclude_since(start);
            match asked {
                // Images that disappear during a run cost the kNN accuracy, not the run.
                Err(err) if err.command().is_some_and(TrainError::is_only_knn) => {
                    self.display
                        .warn(&format!("no kNN accuracy: {}", with_causes(&err)));
                }
                asked => asked?,
            }
        }
        self.adopt_best();
        if step.is_multiple_of(u64::from(self.watch.checkpoint_steps)) || is_last {
            self.save()?;
        }
        self.display.step(step, self.last_figures.as_ref());
        Ok(())
    }

    fn on_device(&self, inputs: StepInputs) -> StepInputs {
        let moved = |tensor: &Tensor| match self.loader.device {
            Device::Cpu => tensor.shallow_clone(),
            // From pinned memory, so that the copy overlaps with the work of the device.
            device => tensor.to_device_(device, tensor.kind(), true, false),
        };
        StepInputs {
            records: moved(&inputs.records),
            labels: moved(&inputs.labels),
            views: inputs.views.iter().map(moved).collect(),
        }
    }

    fn log(&mut self, report: &StepReport, lr: f64) -> Result<(), RunError> {
        let step = self.progress.step;
        let batch = self.loader.batch as f64;
        let (steps_per_second, waiting) = self.clock.since_line();
        let watched = Watched::new(&report.queries, &report.keys);
        let figures = StepFigures {
            step,
            epoch: step as f64 / self.loader.steps_per_epoch() as f64,
            loss: report.loss,
            chance: self.chance,
            positive_similarity: report.positive_similarity,
            negative_similarity: report.negative_similarity,
            queue_fill: self.learner.queue_fill(),
            alignment: watched.alignment,
            uniformity: watched.uniformity,
            spread: watched.spread,
            effective_dimensions: watched.effective_dimensions,
            gradient_norm: report.gradient_norm,
            learning_rate: lr,
            images_per_second: steps_per_second * batch,
            waiting,
            damaged_records: self.num_damaged(),
        };
        if let Some(collapse) = self.collapse.check(watched.std, watched.num_dims) {
            self.display.warn(&collapse.to_string());
        }
        self.metrics.step(&figures)?;
        self.last_figures = Some(figures);
        Ok(())
    }

    /// Computes the kNN accuracy, if there are labelled images, and keeps the best checkpoint.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn ask_knn(&mut self) -> Result<(), RunError> {
        if self.labelled.is_some() {
            self.check_finite()?;
        }
        let Some(labelled) = &mut self.labelled else {
            return Ok(());
        };
        let KnnAnswer {
            tally,
            num_left_out,
            warning,
        } = labelled.ask(self.learner.trunk(), self.loader.precision)?;
        if let Some(warning) = warning {
            self.display.warn(&warning);
        }
        let figures = KnnFigures {
            step: self.progress.step,
            knn: tally.top1(),
            knn_nearest: tally.nearest_top1(),
            knn_chance: tally.chance(),
            knn_left_out: num_left_out as u64,
        };
        self.metrics.knn(&figures)?;
        self.display.knn(&figures);
        self.last_knn = Some(figures);
        // The untrained network does not count.
        self.adopt_best();
        let is_best = self
            .progress
            .best_knn
            .is_none_or(|(best, _)| figures.knn > best);
        if self.progress.step > 0 && is_best {
            self.progress.best_knn = Some((figures.knn, self.progress.step));
            self.checkpoints.save_best(&self.learner, &self.progress)?;
        }
        Ok(())
    }

    /// Counts the stored best kNN accuracy from its step on: a resumed run may find a lower one there, or none.
    fn adopt_best(&mut self) {
        let best = self.progress.best_knn;
        self.progress.best_knn = match self.stored_best {
            Some((knn, step))
                if step <= self.progress.step && best.is_none_or(|(best, _)| knn > best) =>
            {
                self.stored_best
            }
            _ => best,
        };
    }

    /// Steps that a resumed run need not repeat, as text.
    pub fn safe(&self) -> String {
        counted(self.saved_steps, "step")
    }

    fn check_finite(&self) -> Result<(), TrainError> {
        match self.learner.first_not_finite() {
            None => Ok(()),
            Some(tensor) => Err(TrainError::WeightsNotFinite {
                step: self.progress.step,
                tensor,
                checkpoint: self.last_checkpoint.clone(),
            }),
        }
    }

    /// Writes a checkpoint of the current state.
    ///
    /// # Errors
    /// [`RunError`]; [`TrainError::WeightsNotFinite`] if a run could not be resumed from it.
    pub fn save(&mut self) -> Result<(), RunError> {
        let start = Instant::now();
        self.check_finite()?;
        self.metrics.sync()?;
        let path = self.checkpoints.save(&self.learner, &self.progress)?;
        self.last_checkpoint = Some(path);
        self.saved_steps = self.progress.step;
        self.clock.exclude_since(start);
        Ok(())
    }

    /// Number of damaged records so far.
    pub fn num_damaged(&self) -> u64 {
        lock(&self.loader.damaged).len() as u64
    }
}
