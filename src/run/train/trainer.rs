//! The loop: a batch comes in, a step is taken, what is due is written.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tch::{Device, Kind, Tensor};

use super::checkpoint::{Checkpoints, Progress};
use super::error::TrainError;
use super::knn::LabelledFolder;
use super::load::{Batch, Loader, lock};
use super::metrics::{KnnFigures, Metrics, StepFigures};
use super::torch::computed;
use crate::model::Precision;
use crate::parallel::Sink;
use crate::pipeline::WatchKeys;
use crate::run::words::counted;
use crate::run::{RunError, Verbosity};
use crate::train::{
    CollapseWatch, Learner, Rows, Schedule, StepInputs, StepReport, alignment, mean_std, uniformity,
};
use crate::types::{Seed, with_causes};

/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);
/// A collapse: embeddings that spread less than this share of the healthy.
pub(super) const COLLAPSED_SHARE: f64 = 0.2;
/// Lines of the log in a row that must say so.
pub(super) const COLLAPSED_LINES: u32 = 5;
/// Vectors that alignment and uniformity are computed from, at most.
const MAX_WATCHED: i64 = 512;

/// What training needs from batch to batch.
pub(super) struct Trainer {
    pub loader: Arc<Loader>,
    pub learner: Learner,
    pub schedule: Schedule,
    pub watch: WatchKeys,
    pub seed: Seed,
    pub device: Device,
    pub precision: Precision,
    pub chance: f64,
    pub total_steps: u64,
    pub checkpoints: Checkpoints,
    pub metrics: Metrics,
    pub labelled: Option<LabelledFolder>,
    pub display: Display,
    pub progress: Progress,
    pub last_checkpoint: Option<PathBuf>,
    /// Steps in it.
    pub saved_steps: u64,
    pub last_figures: Option<StepFigures>,
    pub last_knn: Option<KnnFigures>,
    pub collapse: CollapseWatch,
    pub clock: Clock,
    /// Why the run broke off.
    pub error: Option<RunError>,
}

/// Where the time goes.
pub(super) struct Clock {
    start: Instant,
    /// When the last batch was done with.
    idle_since: Instant,
    waited: Duration,
    /// Spent on what is not training: kNN, checkpoints.
    aside: Duration,
    steps: u64,
    /// The same three at the last line of the log.
    at_line: (Instant, Duration, Duration, u64),
}

impl Clock {
    pub fn start() -> Self {
        let now = Instant::now();
        Self {
            start: now,
            idle_since: now,
            waited: Duration::ZERO,
            aside: Duration::ZERO,
            steps: 0,
            at_line: (now, Duration::ZERO, Duration::ZERO, 0),
        }
    }

    /// Steps a second and the share of time waited for data, since the last line.
    fn since_line(&mut self) -> (f64, f64) {
        let (then, waited, aside, steps) = self.at_line;
        let found = Self::rates(
            then.elapsed().saturating_sub(self.aside - aside),
            self.waited - waited,
            self.steps - steps,
        );
        self.at_line = (Instant::now(), self.waited, self.aside, self.steps);
        found
    }

    /// The same since the start. Waiting for the first batch is part of it.
    pub fn overall(&self) -> (f64, f64) {
        let training = self.start.elapsed().saturating_sub(self.aside);
        Self::rates(training, self.waited, self.steps)
    }

    fn rates(elapsed: Duration, waited: Duration, steps: u64) -> (f64, f64) {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        (steps as f64 / seconds, waited.as_secs_f64() / seconds)
    }

    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

impl Sink<Result<Batch, TrainError>> for Trainer {
    fn push(&mut self, batch: Result<Batch, TrainError>) -> ControlFlow<()> {
        self.clock.waited += self.clock.idle_since.elapsed();
        for reason in lock(&self.loader.damaged).take_untold() {
            self.display.set_aside(&reason);
        }
        let done = batch
            .map_err(RunError::from)
            .and_then(|batch| self.take_step(batch));
        self.clock.idle_since = Instant::now();
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn tick(&mut self) {
        self.display.tick();
    }
}

impl Trainer {
    fn take_step(&mut self, batch: Batch) -> Result<(), RunError> {
        let steps_per_epoch = self.loader.steps_per_epoch();
        let lr = self.schedule.lr_at(batch.step, steps_per_epoch);
        let seed = self.seed.for_step("step", &batch.step.to_string());
        let report = computed("take a step", || {
            let inputs = self.on_device(batch.inputs);
            self.learner.step(&inputs, lr, seed)
        })?;
        let report = report.map_err(|source| TrainError::NotFinite {
            step: batch.step + 1,
            checkpoint: self.last_checkpoint.clone(),
            source,
        })?;
        self.progress.step = batch.step + 1;
        self.clock.steps += 1;
        let step = self.progress.step;
        let is_last = step == self.total_steps;
        if step.is_multiple_of(u64::from(self.watch.log_steps)) || is_last {
            self.log(&report, lr)?;
        }
        let epoch_is_done = step.is_multiple_of(steps_per_epoch);
        let epoch = step / steps_per_epoch;
        let every = u64::from(self.watch.knn_epochs);
        if every > 0 && epoch_is_done && (epoch.is_multiple_of(every) || is_last) {
            match self.ask_knn() {
                // An image that went away in the middle of a run costs its kNN, not the run.
                Err(RunError::Train(error)) if error.is_of_the_knn() => {
                    self.display
                        .warn(&format!("no kNN: {}", with_causes(&*error)));
                }
                asked => asked?,
            }
        }
        if step.is_multiple_of(u64::from(self.watch.checkpoint_steps)) || is_last {
            self.save()?;
        }
        self.display.step(step, self.last_figures.as_ref());
        Ok(())
    }

    fn on_device(&self, inputs: StepInputs) -> StepInputs {
        let moved = |tensor: &Tensor| match self.device {
            Device::Cpu => tensor.shallow_clone(),
            // From pinned memory, so that the copy runs beside what the device is at.
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

    /// Asks the labelled images, if there are any, and keeps the best.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn ask_knn(&mut self) -> Result<(), RunError> {
        let Some(labelled) = &self.labelled else {
            return Ok(());
        };
        let start = Instant::now();
        self.check_finite()?;
        let tally = computed("ask the kNN", || {
            labelled.ask(self.learner.trunk(), self.device, self.precision)
        })??;
        let figures = KnnFigures {
            step: self.progress.step,
            knn: tally.top1(),
            knn_nearest: tally.nearest_top1(),
            knn_chance: tally.chance(),
        };
        self.metrics.knn(&figures)?;
        self.display.knn(&figures);
        self.last_knn = Some(figures);
        // The untrained network is no candidate.
        let is_best = self
            .progress
            .best_knn
            .is_none_or(|(best, _)| figures.knn > best);
        if self.progress.step > 0 && is_best {
            self.progress.best_knn = Some((figures.knn, self.progress.step));
            self.checkpoints.save_best(&self.learner, &self.progress)?;
        }
        self.clock.aside += start.elapsed();
        Ok(())
    }

    /// Steps that a run which goes on need not take again, in words.
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

    /// Writes a checkpoint of where the run is.
    ///
    /// # Errors
    /// [`RunError`]; [`TrainError::WeightsNotFinite`] where a run could not go on from it.
    pub fn save(&mut self) -> Result<(), RunError> {
        let start = Instant::now();
        self.check_finite()?;
        self.metrics.sync()?;
        let path = self.checkpoints.save(&self.learner, &self.progress)?;
        self.last_checkpoint = Some(path);
        self.saved_steps = self.progress.step;
        self.clock.aside += start.elapsed();
        Ok(())
    }

    /// Records that could not be used so far.
    pub fn num_damaged(&self) -> u64 {
        lock(&self.loader.damaged).len() as u64
    }
}

/// What the vectors of a batch look like.
struct Watched {
    alignment: f64,
    uniformity: f64,
    std: f64,
    /// `std` over what is healthy, `1 / sqrt(D)`.
    spread: f64,
    num_dims: usize,
}

impl Watched {
    fn new(queries: &Tensor, keys: &Tensor) -> Self {
        let host = |vectors: &Tensor| -> Vec<f32> {
            let num = vectors.size()[0].min(MAX_WATCHED);
            let vectors = vectors.narrow(0, 0, num).to_kind(Kind::Float);
            let flat = vectors.to_device(Device::Cpu).contiguous().view(-1);
            Vec::<f32>::try_from(&flat).unwrap_or_default()
        };
        let num_dims = usize::try_from(queries.size()[1]).unwrap_or(1).max(1);
        let (queries, keys) = (host(queries), host(keys));
        let rows = |values| Rows::new(values, num_dims).ok();
        let queries = rows(&queries);
        let of_queries = |figure: fn(Rows<'_>) -> _| {
            let found: Option<f64> = queries.and_then(|rows| {
                let figure: Result<f64, crate::train::WatchError> = figure(rows);
                figure.ok()
            });
            found.unwrap_or(0.0)
        };
        let std = of_queries(mean_std);
        let aligned = queries.zip(rows(&keys));
        Self {
            alignment: aligned
                .and_then(|(queries, keys)| alignment(queries, keys).ok())
                .unwrap_or(0.0),
            uniformity: of_queries(uniformity),
            std,
            spread: std * (num_dims as f64).sqrt(),
            num_dims,
        }
    }
}

/// The bar, or a line now and then where there is no terminal.
pub(super) struct Display {
    bar: ProgressBar,
    verbosity: Verbosity,
    next_line: Instant,
    total_steps: u64,
}

impl Display {
    pub fn new(total_steps: u64, first_step: u64, verbosity: Verbosity) -> Self {
        let bar = match verbosity {
            Verbosity::Quiet => ProgressBar::hidden(),
            _ => ProgressBar::new(total_steps),
        };
        let style = ProgressStyle::with_template(
            "{wide_bar} step {human_pos} of {human_len}, {msg}{eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_position(first_step);
        bar.reset_eta();
        Self {
            bar,
            verbosity,
            next_line: Instant::now() + LINE_PERIOD,
            total_steps,
        }
    }

    fn tick(&self) {
        self.bar.tick();
    }

    fn step(&mut self, step: u64, figures: Option<&StepFigures>) {
        self.bar.set_position(step);
        let Some(figures) = figures else {
            return;
        };
        let text = format!(
            "loss {:.3} (chance {:.3}), {:.0} images/s, {:.0} % waiting for data, ",
            figures.loss,
            figures.chance,
            figures.images_per_second,
            100.0 * figures.waiting
        );
        let is_due = Instant::now() >= self.next_line;
        if is_due && !io::stderr().is_terminal() {
            self.next_line = Instant::now() + LINE_PERIOD;
            let left = indicatif::HumanDuration(self.bar.eta());
            let (step, total) = (HumanCount(step), HumanCount(self.total_steps));
            self.say(&format!("step {step} of {total}, {text}{left} left"));
        }
        self.bar.set_message(text);
    }

    fn knn(&self, figures: &KnnFigures) {
        self.say(&format!(
            "kNN after {} steps: {:.1} % right, nearest alone {:.1} %, chance {:.1} %",
            HumanCount(figures.step),
            100.0 * figures.knn,
            100.0 * figures.knn_nearest,
            100.0 * figures.knn_chance
        ));
    }

    /// Says what is unwise or wrong and no reason to stop.
    pub fn warn(&self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    /// Tells of a record that is not used, where every one is to be told.
    fn set_aside(&self, reason: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.say(&format!("set aside: {reason}"));
        }
    }

    /// One line on stderr.
    pub fn say(&self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            self.bar.suspend(|| {
                let _ = writeln!(io::stderr(), "{text}");
            });
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
