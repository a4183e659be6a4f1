//! The libraries that a program plugs in at `main`.

use std::fmt::Debug;
use std::path::PathBuf;

use serde_json::Value;
#[cfg(feature = "video")]
use vidpairs_extract::engine::Opencv;
use vidpairs_invariance::run::EncoderEngine;
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{Control, RunError};

/// The libraries of one program. A command that needs another one is handed to the neighbour program that has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Engines {
    /// OpenCV's trackers and proposals.
    #[cfg(feature = "video")]
    pub opencv: Opencv,
    /// Networks on libtorch.
    pub libtorch: Option<&'static dyn Libtorch>,
}

/// libtorch as a program sees it.
pub trait Libtorch: EncoderEngine {
    /// The devices that it computes on: `cpu`, `cuda: 2 devices`.
    fn devices(&self) -> String;

    /// Trains an encoder, or resumes a stopped run.
    ///
    /// # Errors
    /// [`RunError`]. Checkpoints that were written stay, and the same call resumes from the last.
    fn train(&self, request: TrainRequest) -> Result<Summary, RunError>;
}

/// Arguments of `vidpairs train`.
#[derive(Debug, Clone)]
pub struct TrainRequest {
    /// The experiment.
    pub pipeline: Pipeline,
    /// The data set that `extract` wrote.
    pub shards: PathBuf,
    /// A new or empty folder, or that of a stopped run of the same experiment.
    pub out: PathBuf,
    /// `cpu`, `cuda` or `cuda:N`; `None` for the first GPU if there is one, else the CPU.
    pub device: Option<String>,
    /// A folder of labelled images for the kNN accuracy.
    pub knn: Option<PathBuf>,
    /// Threads, verbosity, and the wish to stop.
    pub control: Control,
}

/// The result of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// For `--json`: one object.
    pub json: Value,
    /// For people.
    pub text: String,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for Summary {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}
