//! Where a run begins: with new weights, or after the last checkpoint.

use std::path::{Path, PathBuf};

use tch::Device;

use super::checkpoint::{Checkpoints, Progress};
use super::config;
use super::folder::RunFile;
use super::torch::computed;
use crate::pipeline::Pipeline;
use crate::run::RunError;
use crate::run::words::counted;
use crate::train::{DataCounts, Learner};
use crate::types::Seed;

/// What a run begins with.
#[derive(Debug)]
pub(super) struct Begin {
    pub learner: Learner,
    pub checkpoints: Checkpoints,
    pub progress: Progress,
    /// Where `progress` and the weights come from; `None` for a new run.
    pub last_checkpoint: Option<PathBuf>,
}

impl Begin {
    /// New weights from `seed`, or what the last checkpoint in `out` holds.
    ///
    /// # Errors
    /// [`RunError`]: the checkpoint cannot be read or is another network's; the folder cannot be written.
    pub fn of(
        pipeline: &Pipeline,
        run_file: &RunFile,
        out: &Path,
        counts: DataCounts,
        seed: Seed,
        device: Device,
    ) -> Result<Self, RunError> {
        let mut learner = computed("make the network", || {
            let config = config::learner(&pipeline.train);
            Learner::new(&config, counts, seed.for_step("weights", ""), device)
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
