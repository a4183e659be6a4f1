//! Starts a run with new weights, or after the last checkpoint.

use std::path::PathBuf;

use vidpairs_run::{RunError, counted};

use super::checkpoint::{Checkpoints, Progress};
use super::folder::RunFile;
use super::load::Loader;
use super::torch::computed;
use super::{TrainOptions, config};
use crate::train::{DataCounts, Learner};

/// State at the start of a run.
#[derive(Debug)]
pub(super) struct Begin {
    pub learner: Learner,
    pub checkpoints: Checkpoints,
    pub progress: Progress,
    /// Checkpoint of `progress` and the weights; `None` for a new run.
    pub last_checkpoint: Option<PathBuf>,
}

impl Begin {
    /// New weights from the seed of the loader, or the state of the last checkpoint.
    ///
    /// # Errors
    /// [`RunError`]: libtorch cannot make the network; the checkpoint cannot be read or is another network's; the folder cannot be
    /// written, or is full.
    pub fn of(
        options: &TrainOptions,
        run_file: &RunFile,
        loader: &Loader,
    ) -> Result<Self, RunError> {
        let TrainOptions { pipeline, out, .. } = options;
        let counts = DataCounts {
            records: i64::try_from(loader.data.reader.num_records()).unwrap_or(i64::MAX),
            labels: loader.labels.names.len() as i64,
        };
        let mut learner = computed("make the network", || {
            let config = config::learner(&pipeline.train);
            let seed = loader.seed.for_step("weights", "");
            Learner::new(&config, counts, seed, loader.device)
        })?;
        let checkpoints = Checkpoints::open(out, pipeline.train.watch.keep, run_file.about())
            .map_err(|err| err.named_if_full(out, "nothing yet"))?;
        let last_checkpoint = checkpoints.last()?.map(|(_, path)| path);
        let progress = match &last_checkpoint {
            Some(path) => Checkpoints::restore(path, &mut learner)?,
            None => Progress::default(),
        };
        if last_checkpoint.is_some() {
            let finished = checkpoints.finish_last(&learner, &progress);
            finished.map_err(|err| err.named_if_full(out, &counted(progress.step, "step")))?;
        }
        Ok(Self {
            learner,
            checkpoints,
            progress,
            last_checkpoint,
        })
    }
}
