//! Why training cannot begin or go on.

use std::path::{Path, PathBuf};

use vidpairs_run::RunError;
use vidpairs_source::SourceError;
use vidpairs_types::Role;
use vidpairs_weights::WeightsError;

use crate::model::DeviceError;
use crate::train::{KnnError, NotFinite, ScheduleError, StateError};

/// Why training cannot begin or go on. All are final: the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The device is not there.
    #[error("--{0}")]
    Device(#[from] DeviceError),
    /// A schedule that cannot be.
    #[error("train.{0}")]
    Schedule(#[from] ScheduleError),
    /// The shards were extracted in another way than the pipeline says.
    #[error(
        "{} holds pairs of kind \"{found}\", and the pipeline says pairs.kind = \"{wanted}\"; train with the pipeline that \
         they were extracted with, or with --set pairs.kind={found}", .dir.display()
    )]
    Kind {
        /// The shards.
        dir: PathBuf,
        /// Their kind.
        found: String,
        /// That of the pipeline.
        wanted: &'static str,
    },
    /// There is not one batch.
    #[error(
        "{} holds {num_records} records, fewer than train.batch = {batch}; extract more, or set train.batch to at \
         most {num_records}", .dir.display()
    )]
    FewRecords {
        /// The shards.
        dir: PathBuf,
        /// Records in them.
        num_records: u64,
        /// Of a batch.
        batch: u32,
    },
    /// Nothing to learn from labels.
    #[error(
        "train.method = \"supervised\" learns from the labels of records, and those in {} have {num_labels} different \
         ones; expected at least 2: extract from a source whose videos have classes, or choose another train.method", .dir.display()
    )]
    NoLabels {
        /// The shards.
        dir: PathBuf,
        /// Labels found.
        num_labels: usize,
    },
    /// Record after record cannot be read.
    #[error(
        "{num_tried} records one after the other cannot be used, the last because: {reason}; `vidpairs verify` lists what \
         is damaged"
    )]
    Damaged {
        /// Records tried for one place of a batch.
        num_tried: u64,
        /// Why the last could not be used.
        reason: String,
    },
    /// A record lacks an image that the method needs.
    #[error("it has no {} image", .0.name())]
    NoImage(Role),
    /// The loss is no number any more.
    #[error(
        "step {step} was not taken; {}. Lower train.learning_rate, or raise train.temperature or \
         train.warmup_epochs", last_good(.checkpoint.as_deref())
    )]
    NotFinite {
        /// The step that was not taken.
        step: u64,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
        /// The figures.
        #[source]
        source: NotFinite,
    },
    /// What was learnt is no number any more.
    #[error(
        "after step {step} {tensor} holds infinite numbers or none; {}. Lower train.learning_rate, or raise \
         train.warmup_epochs", last_good(.checkpoint.as_deref())
    )]
    WeightsNotFinite {
        /// The last step that was taken.
        step: u64,
        /// The first tensor of which it is so.
        tensor: String,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
    },
    /// libtorch gave up: as a rule there is no room left.
    #[error(
        "libtorch could not {what}: {reason}; where memory is short, lower train.batch or train.queue, or raise \
         train.accumulate"
    )]
    Torch {
        /// What it was asked to do.
        what: &'static str,
        /// What it says.
        reason: String,
    },
    /// A checkpoint holds another network.
    #[error("{} is a checkpoint of another model", .path.display())]
    OtherModel {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        #[source]
        source: StateError,
    },
    /// A checkpoint lacks what resuming needs.
    #[error("{} is no checkpoint of a run: its metadata lack {what}", .path.display())]
    NoCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// The images for the kNN cannot be listed.
    #[error("--knn")]
    Labelled(#[source] Box<SourceError>),
    /// So few images may be looked at that a label would have none to know or none to ask about.
    #[error(
        "train.knn_images is {max_images}; expected at least two for each of the {num_labels} labels in the folder of --knn"
    )]
    KnnImages {
        /// As it was given.
        max_images: u32,
        /// Labels that have an image.
        num_labels: usize,
    },
    /// An image for the kNN cannot be read.
    #[error("--knn: cannot read {}: {reason}; take it out of the folder", .path.display())]
    LabelledImage {
        /// The image.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of weights cannot be read, understood or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Features are no numbers.
    #[error("the features of the kNN's images cannot be compared")]
    Knn(#[from] KnnError),
    /// A batch was lost: a bug, or a disk that does not answer.
    #[error("the batch of step {step} was lost: {reason}")]
    Lost {
        /// Its step.
        step: u64,
        /// Why.
        reason: String,
    },
}

fn last_good(checkpoint: Option<&Path>) -> String {
    match checkpoint {
        Some(path) => format!("the last good checkpoint is {}", path.display()),
        None => "no checkpoint was written before".to_owned(),
    }
}

impl TrainError {
    /// Whether only the kNN is concerned, so that training can go on without its answer.
    pub(super) fn is_of_the_knn(&self) -> bool {
        matches!(self, Self::LabelledImage { .. } | Self::Knn(_))
    }
}

impl From<TrainError> for RunError {
    fn from(error: TrainError) -> Self {
        Self::of(error)
    }
}
