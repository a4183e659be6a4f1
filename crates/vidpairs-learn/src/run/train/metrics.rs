//! Writes the metrics of a run: `metrics.jsonl`, and event files for TensorBoard.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use vidpairs_run::{RunError, failed};
use vidpairs_types::{open_own, read_regular};

use crate::run::EventWriter;

/// One JSON object a line.
pub(super) const METRICS: &str = "metrics.jsonl";
/// Largest such file, bytes: of ten million lines.
const MAX_METRICS_BYTES: u64 = 8 << 30;
const TENSORBOARD: &str = "tensorboard";

/// Metrics of a step.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StepFigures {
    /// Number of steps taken, this one included.
    pub step: u64,
    /// Number of epochs, as a fraction.
    pub epoch: f64,
    /// Loss, nats.
    pub loss: f64,
    /// Loss at chance level, nats.
    pub chance: f64,
    /// Mean cosine similarity of positives.
    pub positive_similarity: f64,
    /// Mean cosine similarity of negatives.
    pub negative_similarity: f64,
    /// Share of the queue that holds keys of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_fill: Option<f64>,
    /// Alignment: mean squared distance of positives.
    pub alignment: f64,
    /// Uniformity: log of the mean Gaussian potential of pairs.
    pub uniformity: f64,
    /// Mean standard deviation of a dimension, relative to uniformly distributed vectors.
    pub spread: f64,
    /// Effective number of dimensions.
    pub effective_dimensions: f64,
    /// Euclidean norm of the gradient.
    pub gradient_norm: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Records per second since the last line.
    pub images_per_second: f64,
    /// Share of that time spent waiting for data, 0 to 1.
    pub waiting: f64,
    /// Number of damaged records so far.
    pub damaged_records: u64,
}

/// kNN accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KnnFigures {
    /// Number of steps taken.
    pub step: u64,
    /// Accuracy of the vote, 0 to 1.
    pub knn: f64,
    /// Accuracy of the nearest neighbour, 0 to 1.
    pub knn_nearest: f64,
    /// Accuracy of always answering the most frequent label.
    pub knn_chance: f64,
    /// Number of images that could not be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub knn_left_out: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The files, open for appending.
#[derive(Debug)]
pub(super) struct Metrics {
    path: PathBuf,
    lines: File,
    events: EventWriter,
}

impl Metrics {
    /// Opens the files of the run in `out` that resumes after `step` steps, and drops the lines of later steps.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn open(out: &Path, step: u64) -> Result<Self, RunError> {
        let path = out.join(METRICS);
        // A run that starts again computes the kNN accuracy of the untrained network again.
        let first = if step == 0 { 0 } else { step + 1 };
        let kept = match read_regular(&path, MAX_METRICS_BYTES) {
            Ok(bytes) => kept_lines(&bytes, first),
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(err) => return Err(failed("read", &path)(err)),
        };
        vidpairs_types::replace_whole(&path, &kept).map_err(failed("write", &path))?;
        let lines = open_own(File::options().append(true), &path);
        let lines = lines.map_err(failed("open", &path))?;
        let folder = out.join(TENSORBOARD);
        let events = match folder.exists() {
            true => EventWriter::resume(&folder, now(), first)?,
            false => EventWriter::create(&folder, now())?,
        };
        Ok(Self {
            path,
            lines,
            events,
        })
    }

    /// Adds the metrics of a step.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn step(&mut self, figures: &StepFigures) -> Result<(), RunError> {
        self.line(figures)?;
        let value = |value: f64| value as f32;
        let mut scalars = vec![
            ("train/loss", value(figures.loss)),
            (
                "train/loss_over_chance",
                value(figures.loss / figures.chance),
            ),
            (
                "train/positive_similarity",
                value(figures.positive_similarity),
            ),
            (
                "train/negative_similarity",
                value(figures.negative_similarity),
            ),
            ("train/alignment", value(figures.alignment)),
            ("train/uniformity", value(figures.uniformity)),
            ("train/spread", value(figures.spread)),
            (
                "train/effective_dimensions",
                value(figures.effective_dimensions),
            ),
            ("train/gradient_norm", value(figures.gradient_norm)),
            ("train/learning_rate", value(figures.learning_rate)),
            ("speed/images_per_second", value(figures.images_per_second)),
            ("speed/waiting", value(figures.waiting)),
        ];
        scalars.extend(
            figures
                .queue_fill
                .map(|fill| ("train/queue_fill", value(fill))),
        );
        self.events.scalars(figures.step, now(), &scalars)
    }

    /// Adds a kNN accuracy.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn knn(&mut self, figures: &KnnFigures) -> Result<(), RunError> {
        self.line(figures)?;
        let scalars = [
            ("knn/vote", figures.knn as f32),
            ("knn/nearest", figures.knn_nearest as f32),
        ];
        self.events.scalars(figures.step, now(), &scalars)
    }

    /// Waits until the disk has everything.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn sync(&self) -> Result<(), RunError> {
        self.lines
            .sync_data()
            .map_err(failed("write", &self.path))?;
        self.events.sync()
    }

    fn line(&mut self, figures: &impl Serialize) -> Result<(), RunError> {
        let mut line =
            serde_json::to_vec(figures).map_err(|err| failed("write", &self.path)(err.into()))?;
        line.push(b'\n');
        // One write, so that a kill rarely tears it.
        self.lines
            .write_all(&line)
            .map_err(failed("write", &self.path))
    }
}

/// The whole lines of steps before `first`.
fn kept_lines(bytes: &[u8], first: u64) -> Vec<u8> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| {
        let value: Option<Value> = serde_json::from_slice(line).ok();
        let of = value.and_then(|value| value.get("step")?.as_u64());
        line.ends_with(b"\n") && of.is_some_and(|of| of < first)
    });
    lines.collect::<Vec<_>>().concat()
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_later_steps_and_torn_ones_are_taken_back() {
        let text = b"{\"step\":1}\n{\"step\":2,\"knn\":0.5}\n{\"step\":3}\nnonsense\n{\"step\":2";
        assert_eq!(
            kept_lines(text, 3),
            b"{\"step\":1}\n{\"step\":2,\"knn\":0.5}\n"
        );
        assert_eq!(kept_lines(b"", 3), b"");
        assert_eq!(kept_lines(b"{\"step\":0,\"knn\":0.5}\n", 0), b"");
    }
}
