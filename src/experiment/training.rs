//! Reads a training run: `run.json` and `metrics.jsonl`.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use indicatif::HumanBytes;
use serde::Deserialize;
use serde_json::Value;
use vidpairs_run::{OutFolder, ResultsKind, counted};
use vidpairs_types::open_regular;

use super::parsed;

const METRICS: &str = "metrics.jsonl";
/// Maximum number of bytes at the end of that file that are read: half a million lines.
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
    /// Earlier lengths of the run, if it was made longer.
    pub extended: Vec<Extension>,
    /// Whether the run has not reached its end.
    pub is_unfinished: bool,
    /// Number of steps before the lines that were read: more than 0 if the log is too large to be read whole.
    pub first_step: u64,
    /// Metrics of steps, by step.
    pub steps: Vec<StepMetrics>,
    /// kNN accuracies, by step.
    pub knn: Vec<KnnMetrics>,
}

/// A change of `train.epochs` while a run was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Extension {
    /// Number of epochs before the change.
    pub epochs: u64,
    /// Number of steps taken until then.
    pub steps: u64,
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
    /// Number of damaged records that were left out since the run was last started.
    pub damaged_records: Option<u64>,
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
    #[serde(default)]
    extended: Vec<Extension>,
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
            extended: file.extended,
            ..Self::default()
        };
        match last_bytes(&dir.join(METRICS), MAX_METRICS_BYTES) {
            Ok((text, is_whole)) => notes.extend(run.add_metrics(&text, is_whole)),
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
        notes.extend(run.extension_note());
        Ok(run)
    }

    /// Adds the lines of `metrics.jsonl`. Returns notes on what is missing or unusual in them.
    ///
    /// - `is_whole`: whether `text` is the whole file. If not, it begins within a line.
    fn add_metrics(&mut self, text: &[u8], is_whole: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let mut unreadable = 0;
        // A last line without its end is still being written.
        let end = text.iter().rposition(|&byte| byte == b'\n');
        let mut lines = text[..end.unwrap_or(0)].split(|&byte| byte == b'\n');
        if !is_whole {
            lines.next();
        }
        let lines = lines.map(<[u8]>::trim_ascii);
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
        if unreadable > 0 {
            notes.push(format!(
                "{METRICS}: {} cannot be read",
                counted(unreadable, "line")
            ));
        } else if self.steps.is_empty() && self.knn.is_empty() {
            notes.push(format!("{METRICS} has no line yet"));
        }
        if !is_whole {
            self.first_step = self.steps.first().map_or(0, |metrics| metrics.step);
            notes.push(format!(
                "{METRICS} is larger than {}: only its newest lines are read, from step {} on",
                HumanBytes(MAX_METRICS_BYTES),
                self.first_step
            ));
        }
        notes.extend(self.loss_note());
        let last = self.steps.last();
        if let Some(damaged @ 1..) = last.and_then(|metrics| metrics.damaged_records) {
            notes.push(format!(
                "{} left out of the training since it was last started",
                counted(damaged, "damaged record")
            ));
        }
        notes
    }

    /// Note on lines whose loss is not finite.
    fn loss_note(&self) -> Option<String> {
        let is_broken = |metrics: &&StepMetrics| !metrics.loss.is_some_and(f64::is_finite);
        let first = self.steps.iter().find(is_broken)?;
        let num = self.steps.iter().filter(is_broken).count() as u64;
        Some(format!(
            "the loss is not a finite number in {}, first at step {}",
            counted(num, "line"),
            first.step
        ))
    }

    /// Note on a run that was made longer.
    fn extension_note(&self) -> Option<String> {
        let before: Vec<String> = (self.extended.iter())
            .map(|extension| format!("{} epochs until step {}", extension.epochs, extension.steps))
            .collect();
        (!before.is_empty()).then(|| {
            format!(
                "made longer: its schedule was that of {}; it is not grouped with runs that were trained in one go",
                before.join(", then of ")
            )
        })
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
        self.setting("/train/batch")?.as_f64()
    }

    /// Number of records that the run chose from its data set; `None` if it trains on all of them.
    pub fn chosen_records(&self) -> Option<u64> {
        self.setting("/train/records")?.as_u64()
    }

    /// Time of all steps, seconds, without evaluations and checkpoints. Lines without a speed count as fast as the others; `None` if no
    /// line has one.
    pub fn seconds(&self) -> Option<f64> {
        let records = self.steps.last()?.step as f64 * self.records_per_step()?;
        Some(records / self.records_per_second()?)
    }

    /// Mean throughput, records per second, of the lines that have one.
    pub fn records_per_second(&self) -> Option<f64> {
        let mut before = self.first_step;
        let (mut steps, mut seconds_per_record) = (0.0, 0.0);
        for metrics in &self.steps {
            let num = metrics.step.saturating_sub(before) as f64;
            before = metrics.step;
            if let Some(speed) = metrics.images_per_second.filter(|speed| *speed > 0.0) {
                steps += num;
                seconds_per_record += num / speed;
            }
        }
        let speed = steps / seconds_per_record;
        (speed.is_finite() && speed > 0.0).then_some(speed)
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

/// The end of a file, and whether it is the whole file.
fn last_bytes(path: &Path, max_bytes: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut file = open_regular(path)?;
    let len = file.metadata()?.len();
    let is_whole = len <= max_bytes;
    if !is_whole {
        file.seek(SeekFrom::Start(len - max_bytes))?;
    }
    let mut text = Vec::new();
    // The file may grow while it is read.
    file.take(max_bytes).read_to_end(&mut text)?;
    Ok((text, is_whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(step: u64, images_per_second: Option<f64>) -> String {
        let line = json!({
            "step": step, "epoch": step as f64 / 10.0, "loss": 3.0, "chance": 6.0, "images_per_second": images_per_second,
        });
        format!("{line}\n")
    }

    fn run(batch: u64, accumulate: u64) -> TrainingRun {
        TrainingRun {
            settings: json!({"train": {"batch": batch, "accumulate": accumulate, "epochs": 2}}),
            ..TrainingRun::default()
        }
    }

    #[test]
    fn a_batch_that_is_computed_in_parts_has_no_more_records() {
        let mut run = run(64, 4);
        run.add_metrics(line(20, Some(32.0)).as_bytes(), true);
        assert_eq!(run.records_per_epoch(), Some(640));
        assert_eq!(run.seconds(), Some(20.0 * 64.0 / 32.0));
    }

    #[test]
    fn one_line_without_a_speed_does_not_hide_the_time_of_the_others() {
        let mut run = run(64, 1);
        let text = [line(10, Some(32.0)), line(20, None), line(30, Some(32.0))].concat();
        run.add_metrics(text.as_bytes(), true);
        assert_eq!(run.seconds(), Some(30.0 * 64.0 / 32.0));
    }

    #[test]
    fn blank_lines_line_ends_of_windows_and_a_line_being_written_are_no_damage() {
        let mut run = run(64, 1);
        let text = format!(
            "\n  \n{}\r\n\r\n{{\"step\": 20, \"lo",
            line(10, None).trim()
        );
        assert_eq!(run.add_metrics(text.as_bytes(), true), Vec::<String>::new());
        assert_eq!(run.last_step(), 10);
    }

    #[test]
    fn an_empty_log_damaged_records_and_a_loss_that_is_not_finite_are_noted() {
        let notes = |text: &str| run(64, 1).add_metrics(text.as_bytes(), true);
        assert_eq!(notes(""), ["metrics.jsonl has no line yet"]);
        let text = "{\"step\":10,\"loss\":1.0,\"damaged_records\":0}\n{\"step\":20,\"loss\":null,\"damaged_records\":3}\n";
        assert_eq!(
            notes(text),
            [
                "the loss is not a finite number in 1 line, first at step 20",
                "3 damaged records left out of the training since it was last started"
            ]
        );
    }

    #[test]
    fn of_a_log_that_is_too_large_the_newest_lines_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(METRICS);
        let all: String = (1..=100).map(|n| line(10 * n, Some(32.0))).collect();
        fs::write(&path, &all).unwrap();
        let (text, is_whole) = last_bytes(&path, all.len() as u64 / 2).unwrap();
        assert!(!is_whole);
        let mut run = run(64, 1);
        let notes = run.add_metrics(&text, is_whole);
        assert!((450..=550).contains(&run.first_step), "{}", run.first_step);
        assert_eq!(run.last_step(), 1_000);
        assert!(notes[0].contains("only its newest lines"), "{notes:?}");
        assert_eq!(run.seconds(), Some(1_000.0 * 64.0 / 32.0));
    }

    #[test]
    fn a_run_that_was_made_longer_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let json = json!({
            "program_version": "0.1.0", "training": {}, "dataset_xxh64": "0",
            "extended": [{"epochs": 10, "steps": 930}],
        });
        let mut notes = Vec::new();
        let run = TrainingRun::read(dir.path(), &json, &mut notes).unwrap();
        assert_eq!(run.extended.len(), 1);
        assert!(
            notes[1].starts_with("made longer: its schedule was that of 10 epochs until step 930"),
            "{notes:?}"
        );
    }
}
