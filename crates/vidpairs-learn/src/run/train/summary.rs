//! Result of a training run.

use std::fmt;
use std::path::PathBuf;

use indicatif::HumanDuration;
use serde::Serialize;
use vidpairs_run::counted;

use super::checkpoint::{BACKBONE, Progress};
use super::load::Loader;
use super::metrics::KnnFigures;
use super::{TrainOptions, config};

/// Result of `vidpairs train`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainSummary {
    /// Number of steps of the whole run.
    pub steps: u64,
    /// Number of epochs of the run.
    pub epochs: u32,
    /// Number of records in the shards.
    pub records: u64,
    /// Number of damaged records.
    pub damaged_records: u64,
    /// Loss of the last logged step, nats.
    pub loss: Option<f64>,
    /// Loss at chance level, nats.
    pub chance: f64,
    /// Last kNN accuracy.
    pub knn: Option<KnnFigures>,
    /// Best kNN accuracy, 0 to 1, and its step.
    pub best_knn: Option<(f64, u64)>,
    /// Throughput without kNN and checkpoints, records per second.
    pub images_per_second: f64,
    /// Share of that time spent waiting for data, 0 to 1.
    pub waiting: f64,
    /// Time of this command, seconds.
    pub seconds: f64,
    /// File of the trunk, under torchvision's names.
    #[serde(serialize_with = "vidpairs_types::path_as_text")]
    pub backbone: PathBuf,
    /// Warnings about the settings.
    pub warnings: Vec<String>,
    /// Whether the run was complete before this command.
    pub is_complete_already: bool,
}

impl TrainSummary {
    /// Summary of a run at `progress`.
    pub(super) fn at(options: &TrainOptions, loader: &Loader, progress: &Progress) -> Self {
        let train = &options.pipeline.train;
        Self {
            steps: progress.step,
            epochs: train.epochs,
            records: loader.data.num_records,
            damaged_records: 0,
            loss: None,
            chance: config::chance(train, loader.labels.names.len()),
            knn: None,
            best_knn: progress.best_knn,
            images_per_second: 0.0,
            waiting: 0.0,
            seconds: 0.0,
            backbone: options.out.join(BACKBONE),
            warnings: Vec::new(),
            is_complete_already: false,
        }
    }
}

impl fmt::Display for TrainSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = counted(self.steps, "step");
        if self.is_complete_already {
            return write!(
                f,
                "complete already: {steps}; the trunk is {}",
                self.backbone.display()
            );
        }
        write!(f, "{steps} on {}", counted(self.records, "record"))?;
        if let Some(loss) = self.loss {
            write!(f, ", loss {loss:.3} (chance {:.3})", self.chance)?;
        }
        if let Some(knn) = &self.knn {
            write!(f, ", kNN {:.1} %", 100.0 * knn.knn)?;
            write!(f, " (chance {:.1} %)", 100.0 * knn.knn_chance)?;
        }
        if self.damaged_records > 0 {
            let records = counted(self.damaged_records, "record");
            write!(f, "; {records} could not be used")?;
        }
        let took = HumanDuration(std::time::Duration::from_secs_f64(self.seconds.max(0.0)));
        write!(
            f,
            "\n{:.0} images/s, {:.1} % of the time waiting for data, {took}\nthe trunk is {}",
            self.images_per_second,
            100.0 * self.waiting,
            self.backbone.display()
        )
    }
}
