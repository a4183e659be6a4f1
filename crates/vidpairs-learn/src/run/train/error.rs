//! Errors of training.

use std::path::{Path, PathBuf};

use vidpairs_invariance::probe::knn::KnnError;
use vidpairs_run::RunError;
use vidpairs_shard::ShardError;
use vidpairs_source::SourceError;
use vidpairs_types::Role;
use vidpairs_weights::WeightsError;

use crate::model::DeviceError;
use crate::run::FeatureError;
use crate::train::{NotFinite, ScheduleError, StateError};

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
         they were extracted with", .dir.display()
    )]
    Kind {
        /// Folder of the shards.
        dir: PathBuf,
        /// Kind of their pairs.
        found: String,
        /// Kind in the pipeline.
        wanted: &'static str,
    },
    /// The data set is smaller than `train.records`.
    #[error(
        "{} holds {num_stored} records, fewer than train.records = {num_records}; extract more, or set train.records to at most \
         {num_stored}", .dir.display()
    )]
    FewerRecords {
        /// Folder of the shards.
        dir: PathBuf,
        /// Number of records in the shards.
        num_stored: u64,
        /// Number of records to train on.
        num_records: u64,
    },
    /// The data set is smaller than a batch.
    #[error(
        "{} holds {num_records} records, fewer than train.batch = {batch}; {advice}", .dir.display()
    )]
    FewRecords {
        /// Folder of the shards.
        dir: PathBuf,
        /// Number of records.
        num_records: u64,
        /// Records of a batch.
        batch: u32,
        /// What to do.
        advice: String,
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
    /// The machine ran out of file handles or memory. The last step is saved if training had begun.
    #[error(
        "a record could not be read because this machine is short of a resource, not because it is damaged; free some, raise the \
         limit (`ulimit -n` for open files) or use fewer --workers, and run the same command again: it resumes from there"
    )]
    Machine(#[source] Box<ShardError>),
    /// More records cannot be used than the pipeline tolerates. The last step is saved if training had begun.
    #[error(
        "{num_damaged} of {num_records} records cannot be used, more than train.max_damaged = {limit} allows; the first \
         because: {reason}; `vidpairs verify` lists what is damaged, and --set train.max_damaged=100% trains on the rest"
    )]
    TooManyDamaged {
        /// Number of records that cannot be used.
        num_damaged: u64,
        /// Number of all records.
        num_records: u64,
        /// Value of `train.max_damaged`.
        limit: String,
        /// Reason of the first.
        reason: String,
    },
    /// A record lacks an image that the method needs.
    #[error("it has no {} image", .0.name())]
    NoImage(Role),
    /// The loss is not finite.
    #[error(
        "step {step} was not taken; {}. Lower train.learning_rate, or raise train.warmup_epochs", last_good(.checkpoint.as_deref())
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
    #[error("libtorch could not {what}: {reason}; if memory is short, {advice}")]
    Torch {
        /// The operation that failed.
        what: &'static str,
        /// Message of libtorch.
        reason: String,
        /// What to do if memory is short.
        advice: &'static str,
    },
    /// A checkpoint holds another network.
    #[error("{} is a checkpoint of another model; take it out of the folder", .path.display())]
    OtherModel {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        #[source]
        source: StateError,
    },
    /// A checkpoint is of another run.
    #[error("{} is a checkpoint of another run ({difference}); take it out of the folder", .path.display())]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// The settings that differ, with both values.
        difference: String,
    },
    /// A file with the name of a checkpoint is none.
    #[error("{} is not a checkpoint of this run: {problem}; take it out of the folder", .path.display())]
    NoCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Every checkpoint of the run is damaged.
    #[error(
        "none of the {num_checkpoints} checkpoints in {} is sound; put a sound copy back, or choose another folder for --out; the \
         newest", .out.display()
    )]
    NoSoundCheckpoint {
        /// The output folder.
        out: PathBuf,
        /// Number of checkpoints.
        num_checkpoints: usize,
        /// Why the newest cannot be used.
        #[source]
        newest: Box<TrainError>,
    },
    /// The folder holds results of a run without its checkpoints.
    #[error(
        "{out} holds {found} of a training run, but no checkpoint to resume from (checkpoints/step-*.safetensors), and a new run \
         would replace it; choose another folder for --out, or delete {out}", out = .out.display()
    )]
    NoCheckpointLeft {
        /// The output folder.
        out: PathBuf,
        /// A file in it.
        found: String,
    },
    /// The settings of the run in the folder cannot be read.
    #[error("{} {problem}; {advice}", .path.display())]
    RunFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// The weights of `--init` are those of another network.
    #[error(
        "--init: {} holds a {found}; expected the network of the pipeline: train.network = \"{network}\", train.width = {width}, \
         train.stem = \"{stem}\"", .path.display()
    )]
    InitNetwork {
        /// The file.
        path: PathBuf,
        /// Its network.
        found: String,
        /// Depth in the pipeline.
        network: &'static str,
        /// Width in the pipeline, channels.
        width: u32,
        /// Stem in the pipeline.
        stem: &'static str,
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
        "--knn: {num_unreadable} of the {num_images} images cannot be read; expected at most a tenth, or 4: repair the folder. The first, \
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
    /// Whether the data failed, before the step that would have used them.
    pub(super) fn is_of_data(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. }
                | Self::Machine(_)
                | Self::TooManyDamaged { .. }
                | Self::Lost { .. }
        )
    }

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
