//! Errors of training.

use std::path::{Path, PathBuf};

use vidpairs_run::RunError;
use vidpairs_source::SourceError;
use vidpairs_types::Role;
use vidpairs_weights::WeightsError;

use crate::model::DeviceError;
use crate::run::FeatureError;
use crate::train::{KnnError, NotFinite, ScheduleError, StateError};

/// Why training cannot start or continue. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The device does not exist.
    #[error("--{0}")]
    Device(#[from] DeviceError),
    /// The schedule is impossible.
    #[error("train.{0}")]
    Schedule(#[from] ScheduleError),
    /// The shards hold another kind of pairs than the pipeline.
    #[error(
        "{} holds pairs of kind \"{found}\", and the pipeline says pairs.kind = \"{wanted}\"; train with the pipeline that \
         they were extracted with, or with --set pairs.kind={found}", .dir.display()
    )]
    Kind {
        /// Folder of the shards.
        dir: PathBuf,
        /// Kind of their pairs.
        found: String,
        /// Kind in the pipeline.
        wanted: &'static str,
    },
    /// The data set is smaller than a batch.
    #[error(
        "{} holds {num_records} records, fewer than train.batch = {batch}; extract more, or set train.batch to at \
         most {num_records}", .dir.display()
    )]
    FewRecords {
        /// Folder of the shards.
        dir: PathBuf,
        /// Number of records.
        num_records: u64,
        /// Records of a batch.
        batch: u32,
    },
    /// The records have fewer than two labels.
    #[error(
        "train.method = \"supervised\" learns from the labels of records, and those in {} have {num_labels} different \
         ones; expected at least 2: extract from a source whose videos have classes, or choose another train.method", .dir.display()
    )]
    NoLabels {
        /// Folder of the shards.
        dir: PathBuf,
        /// Number of labels.
        num_labels: usize,
    },
    /// Too many records in a row cannot be read.
    #[error(
        "{num_tried} records one after the other cannot be used, the last because: {reason}; `vidpairs verify` lists what \
         is damaged"
    )]
    Damaged {
        /// Number of records tried for one place of a batch.
        num_tried: u64,
        /// Reason of the last.
        reason: String,
    },
    /// A record lacks an image that the method needs.
    #[error("it has no {} image", .0.name())]
    NoImage(Role),
    /// The loss is not finite.
    #[error(
        "step {step} was not taken; {}. Lower train.learning_rate, or raise train.temperature or \
         train.warmup_epochs", last_good(.checkpoint.as_deref())
    )]
    NotFinite {
        /// The step that was not taken.
        step: u64,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
        /// The values.
        #[source]
        source: NotFinite,
    },
    /// The weights are not finite.
    #[error(
        "after step {step} {tensor} holds infinities or NaN; {}. Lower train.learning_rate, or raise \
         train.warmup_epochs", last_good(.checkpoint.as_deref())
    )]
    WeightsNotFinite {
        /// The last step that was taken.
        step: u64,
        /// The first such tensor.
        tensor: String,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
    },
    /// libtorch failed, usually for lack of memory.
    #[error(
        "libtorch could not {what}: {reason}; where memory is short, lower train.batch or train.queue, or raise \
         train.accumulate"
    )]
    Torch {
        /// The operation that failed.
        what: &'static str,
        /// Message of libtorch.
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
    /// A checkpoint lacks data that resuming needs.
    #[error("{} is no checkpoint of a run: its metadata lack {what}", .path.display())]
    NoCheckpoint {
        /// The file.
        path: PathBuf,
        /// The missing data.
        what: &'static str,
    },
    /// The images for the kNN cannot be listed.
    #[error("cannot list the images of --knn")]
    Labelled(#[source] Box<SourceError>),
    /// The maximum number of images leaves a label without bank or query images.
    #[error(
        "train.knn_images is {max_images}; expected at least two for each of the {num_labels} labels in the folder of --knn"
    )]
    KnnImages {
        /// The maximum.
        max_images: u32,
        /// Number of labels with an image.
        num_labels: usize,
    },
    /// Many images for the kNN cannot be read.
    #[error(
        "--knn: {num_unreadable} of the {num_images} images cannot be read; expected at most a tenth: repair the folder. The first, \
         {}: {reason}", .path.display()
    )]
    KnnUnreadable {
        /// Number of images that cannot be read.
        num_unreadable: usize,
        /// Number of images.
        num_images: usize,
        /// The first of them.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// Features for the kNN are not finite.
    #[error("--knn")]
    KnnFeatures(#[source] Box<FeatureError>),
    /// A file of weights cannot be read, understood or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Features are not finite.
    #[error("the features of the kNN's images cannot be compared")]
    Knn(#[from] KnnError),
    /// A batch was lost: a bug, or a disk that does not respond.
    #[error("the batch of step {step} was lost: {reason}")]
    Lost {
        /// Step of the batch.
        step: u64,
        /// Reason.
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
    /// Whether only the kNN accuracy failed, so that training can continue.
    pub(super) fn is_only_knn(&self) -> bool {
        matches!(
            self,
            Self::KnnUnreadable { .. } | Self::KnnFeatures(_) | Self::Knn(_)
        )
    }
}

impl From<TrainError> for RunError {
    fn from(error: TrainError) -> Self {
        Self::of(error)
    }
}
