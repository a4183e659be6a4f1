//! Interfaces of the libraries that a program plugs into the command line at `main`.

use std::fmt::Debug;
use std::path::PathBuf;

use serde_json::Value;
#[cfg(feature = "video")]
use vidpairs_extract::engine::Opencv;
use vidpairs_invariance::run::EncoderEngine;
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{Control, RunError};

/// Libraries of one program. A command that needs another library is handed to the neighbour program that has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Engines {
    /// Trackers and proposals of OpenCV.
    #[cfg(feature = "video")]
    pub opencv: Opencv,
    /// Networks on libtorch.
    pub libtorch: Option<&'static dyn Libtorch>,
}

impl Engines {
    /// Adds training and encoders on libtorch.
    #[must_use]
    pub fn with_libtorch(mut self, libtorch: &'static dyn Libtorch) -> Self {
        self.libtorch = Some(libtorch);
        self
    }
}

/// Training and encoders on libtorch.
pub trait Libtorch: EncoderEngine {
    /// Devices it can compute on: `cpu`, `cuda: 2 devices`.
    fn devices(&self) -> String;

    /// Trains an encoder, or resumes a stopped run.
    ///
    /// # Errors
    /// [`RunError`]. Written checkpoints stay, and the same call resumes from the last.
    fn train(&self, request: TrainRequest) -> Result<Summary, RunError>;
}

/// Arguments of `vidpairs train`.
#[derive(Debug, Clone)]
pub struct TrainRequest {
    /// Settings of the experiment.
    pub pipeline: Pipeline,
    /// Folder of the data set that `vidpairs extract` wrote.
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
    /// Threads, verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Output of `--json`: one object.
    pub json: Value,
    /// Output without `--json`.
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
