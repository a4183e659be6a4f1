//! Reads a training run: `run.json` and `metrics.jsonl`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use vidpairs_run::{OutFolder, ResultsKind, counted};
use vidpairs_types::read_regular;

use super::parsed;

const METRICS: &str = "metrics.jsonl";
/// Largest such file that is read, bytes: of half a million lines.
const MAX_METRICS_BYTES: u64 = 256 << 20;
/// Lines whose mean is the loss at the end of a run: one batch alone says little.
const LAST_LINES: usize = 10;

/// A training run.
#[derive(Debug, Clone, Default)]
pub struct TrainingRun {
    /// The folder, without links.
    pub folder: PathBuf,
    /// Version of the program that started the run.
    pub program_version: String,
    /// Settings, defaults included.
    pub settings: Value,
    /// Checksum of the manifest of the shards, 16 hexadecimal digits.
    pub dataset_xxh64: String,
    /// Index of its data set in [`Experiment::data_sets`](super::Experiment::data_sets); `None` if it was not read.
    pub data_set: Option<usize>,
    /// The weights that the run began with; `None` for random ones.
    pub init: Option<Value>,
    /// Whether the run has not reached its end.
    pub is_unfinished: bool,
    /// Metrics of steps, by step.
    pub steps: Vec<StepMetrics>,
    /// kNN accuracies, by step.
    pub knn: Vec<KnnMetrics>,
}

/// Metrics of a step; docs/TRAINING.md describes them. A number that is not finite is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct StepMetrics {
    /// Number of steps taken.
    pub step: u64,
    /// Number of epochs, as a fraction.
    pub epoch: Option<f64>,
    /// Loss, nats.
    pub loss: Option<f64>,
    /// Loss at chance level, nats.
    pub chance: Option<f64>,
    /// Mean cosine similarity of positives.
    pub positive_similarity: Option<f64>,
    /// Mean cosine similarity of negatives.
    pub negative_similarity: Option<f64>,
    /// Mean standard deviation of a dimension, relative to uniformly distributed vectors.
    pub spread: Option<f64>,
    /// Effective number of dimensions.
    pub effective_dimensions: Option<f64>,
    /// Learning rate.
    pub learning_rate: Option<f64>,
    /// Records per second since the last line.
    pub images_per_second: Option<f64>,
    /// Share of that time spent waiting for data, 0 to 1.
    pub waiting: Option<f64>,
}

/// kNN accuracy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct KnnMetrics {
    /// Number of steps taken.
    pub step: u64,
    /// Accuracy of the vote, 0 to 1.
    pub knn: Option<f64>,
    /// Accuracy of always answering the most frequent label, 0 to 1.
    pub knn_chance: Option<f64>,
}

/// `run.json`.
#[derive(Deserialize)]
struct RunFile {
    program_version: String,
    training: Value,
    dataset_xxh64: String,
    #[serde(default)]
    init: Option<Value>,
}

impl StepMetrics {
    /// Loss over the loss at chance level: below 1, something was learned.
    pub fn loss_over_chance(&self) -> Option<f64> {
        let ratio = self.loss? / self.chance?;
        ratio.is_finite().then_some(ratio)
    }
}

impl TrainingRun {
    /// Reads the run in `dir`, whose `run.json` is `json`. What is missing is added to `notes`.
    pub(super) fn read(dir: &Path, json: &Value, notes: &mut Vec<String>) -> Result<Self, String> {
        let file: RunFile = parsed(dir, ResultsKind::Training, json)?;
        let mut run = Self {
            folder: fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()),
            program_version: file.program_version,
            settings: file.training,
            dataset_xxh64: file.dataset_xxh64,
            init: file.init,
            ..Self::default()
        };
        match read_regular(&dir.join(METRICS), MAX_METRICS_BYTES) {
            Ok(bytes) => notes.extend(run.add_metrics(&bytes)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                notes.push(format!("{METRICS} is missing"));
            }
            Err(err) => notes.push(format!("{METRICS} cannot be read: {err}")),
        }
        let (step, steps) = (run.last_step(), run.total_steps());
        run.is_unfinished = OutFolder::has_journal(dir) || steps.is_some_and(|steps| step < steps);
        if run.is_unfinished {
            notes.push(match steps {
                Some(steps) => format!("unfinished: step {step} of {steps}"),
                None => "unfinished: no step is logged yet".to_owned(),
            });
        }
        Ok(run)
    }

    /// Adds the lines of `metrics.jsonl`. Returns a note on those that cannot be read.
    pub(super) fn add_metrics(&mut self, text: &[u8]) -> Option<String> {
        let mut unreadable = 0;
        let lines = text.split(|&byte| byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let has = |value: &Value, key| value.get(key).is_some();
            match serde_json::from_slice::<Value>(line) {
                Ok(value) if has(&value, "knn") => match serde_json::from_value(value) {
                    Ok(metrics) => self.knn.push(metrics),
                    Err(_) => unreadable += 1,
                },
                Ok(value) if has(&value, "loss") => match serde_json::from_value(value) {
                    Ok(metrics) => self.steps.push(metrics),
                    Err(_) => unreadable += 1,
                },
                _ => unreadable += 1,
            }
        }
        self.steps.sort_by_key(|metrics| metrics.step);
        self.knn.sort_by_key(|metrics| metrics.step);
        let lines = counted(unreadable, "line");
        (unreadable > 0).then(|| format!("{METRICS}: {lines} cannot be read"))
    }

    /// Value of a setting, such as `/train/method`.
    pub fn setting(&self, pointer: &str) -> Option<&Value> {
        self.settings.pointer(pointer)
    }

    /// Name of the method; empty if the settings have none.
    pub fn method(&self) -> &str {
        let method = self.setting("/train/method").and_then(Value::as_str);
        method.unwrap_or_default()
    }

    /// Number of steps taken so far.
    pub fn last_step(&self) -> u64 {
        let knn = self.knn.last().map_or(0, |metrics| metrics.step);
        self.steps.last().map_or(0, |metrics| metrics.step).max(knn)
    }

    /// Number of steps of the finished run, from its epochs; `None` before the first line.
    pub fn total_steps(&self) -> Option<u64> {
        let epochs = self.setting("/train/epochs")?.as_f64()?;
        Some((epochs * self.steps_per_epoch()?).round() as u64)
    }

    /// Number of records of an epoch, rounded to whole batches; `None` before the first line.
    pub fn records_per_epoch(&self) -> Option<u64> {
        Some((self.steps_per_epoch()? * self.records_per_step()?).round() as u64)
    }

    fn steps_per_epoch(&self) -> Option<f64> {
        let last = self.steps.last()?;
        let steps = last.step as f64 / last.epoch?;
        steps.is_finite().then_some(steps)
    }

    fn records_per_step(&self) -> Option<f64> {
        let batch = self.setting("/train/batch")?.as_f64()?;
        let accumulate = self.setting("/train/accumulate").and_then(Value::as_f64);
        Some(batch * accumulate.unwrap_or(1.0))
    }

    /// Time of all steps, seconds, without evaluations and checkpoints; `None` if a line does not tell.
    pub fn seconds(&self) -> Option<f64> {
        let records_per_step = self.records_per_step()?;
        let mut before = 0;
        let mut seconds = 0.0;
        for metrics in &self.steps {
            let records = metrics.step.saturating_sub(before) as f64 * records_per_step;
            seconds += records / metrics.images_per_second.filter(|speed| *speed > 0.0)?;
            before = metrics.step;
        }
        (before > 0 && seconds.is_finite()).then_some(seconds)
    }

    /// Mean throughput, records per second.
    pub fn images_per_second(&self) -> Option<f64> {
        let records = self.steps.last()?.step as f64 * self.records_per_step()?;
        Some(records / self.seconds()?)
    }

    /// Mean loss over the loss at chance level, of the last ten lines.
    pub fn final_loss_over_chance(&self) -> Option<f64> {
        self.mean_of_last(StepMetrics::loss_over_chance)
    }

    /// Mean loss of the last ten lines, nats.
    pub fn final_loss(&self) -> Option<f64> {
        self.mean_of_last(|metrics| metrics.loss)
    }

    fn mean_of_last(&self, value: impl Fn(&StepMetrics) -> Option<f64>) -> Option<f64> {
        let last = &self.steps[self.steps.len().saturating_sub(LAST_LINES)..];
        let values: Option<Vec<f64>> = last.iter().map(value).collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}
