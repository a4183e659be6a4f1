//! Declares the tables `[augment]` and `[train]`.

use super::error::PipelineError;
use super::rule::{Flag, Number, Optional, Positive, Refusals, Whole, Wholes, Word};
use super::settings::Settings;
use super::values::{
    MaxRefused, Network, NumberFormat, Pace, ScheduleName, StemName, TrainMethod, Views,
};

/// Maximum of `train.batch`, records.
const MAX_BATCH: u32 = 65_536;

table! {
    /// `[augment]`: views for training.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "augment" struct Augment {
        /// Augmentations of a view. PIRL's second view is always its jigsaw.
        views: Views = (default_views, "those of `train.method`; `moco-v2` for `supervised`"), Word;
        /// Side of a view. PIRL's patches have 2/7 of it (64 of 224).
        size_px as "size": u32 = 224, Whole(16..=1024), "px";
        /// Minimum share of the image area that a view shows.
        min_area: f64 = (default_min_area, "`0.2` for MoCo's views, `0.08` for PIRL's"), Number(0.01..=1.0), "ratio";
    }
}

fn default_views(settings: &Settings) -> Result<Views, PipelineError> {
    Ok(match Train::method.get(settings)? {
        TrainMethod::MocoV1 => Views::MocoV1,
        TrainMethod::MocoV2 | TrainMethod::Supervised => Views::MocoV2,
        TrainMethod::Pirl => Views::Pirl,
    })
}

fn default_min_area(settings: &Settings) -> Result<f64, PipelineError> {
    Ok(match Augment::views.get(settings)? {
        Views::MocoV1 | Views::MocoV2 => 0.2,
        Views::Pirl => 0.08,
    })
}

table! {
    /// `[train]`: training of an encoder.
    #[derive(Debug, Clone, PartialEq)]
    "train" struct Train {
        /// Training method. `supervised` learns the labels of the records, as a control.
        method: TrainMethod = "moco-v2", Word;
        /// ResNet depth.
        network: Network = "resnet50", Word;
        /// Channels of the first convolution. All other layers scale with it. torchvision's networks have 64.
        width: u32 = 64, Whole(4..=512), "channels";
        /// Layers in front of the first stage. `imagenet`: 7 x 7 convolution with stride 2, and max pooling. `small`: 3 x 3
        /// convolution with stride 1, for views of 32 to 64 px.
        stem: StemName = "imagenet", Word;
        /// Settings of contrastive methods; `None` for `supervised`.
        #[serde(flatten)]
        contrast: Option<ContrastKeys> => contrast;
        /// Settings of MoCo; `None` for other methods.
        #[serde(flatten)]
        moco: Option<MocoKeys> => moco;
        /// Settings of PIRL; `None` for other methods.
        #[serde(flatten)]
        pirl: Option<PirlKeys> => pirl;
        /// Parts of a batch with separate batch-norm statistics, as if each ran on its own device.
        groups: u32 = 8, Whole(1..=1024), "groups";
        /// Records per step.
        batch: u32 = 256, Whole(2..=MAX_BATCH), "records";
        /// Equal parts of a batch that are computed one after the other, to save memory. Batch norm sees the parts.
        accumulate: u32 = 1, Whole(1..=1024), "parts";
        /// Number of records to train on, chosen at random by the seed. With it, trainings on data sets of different sizes see equally
        /// many records.
        #[serde(skip_serializing_if = "Option::is_none")]
        records: Option<u32> = (|_| Ok(None), "all records"), Optional(Whole(2..=u32::MAX)), "records";
        /// Passes over these records. Each epoch has a new order and skips the records after its last whole batch.
        epochs: u32 = 200, Whole(1..=1_000_000), "epochs";
        /// Peak learning rate. The papers use 0.03 for a batch of 256.
        learning_rate: f64 = 0.03, Positive(100.0);
        /// Decay of the learning rate: half a cosine down to 0, division by 10 at each milestone, or none.
        schedule: ScheduleName = (default_schedule, "`\"step\"` for `moco-v1`, else `\"cosine\"`"), Word;
        /// Epochs at which schedule `step` divides the learning rate by 10. Not with other schedules.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        milestones: Vec<u32> = (default_milestones, "0.6 and 0.8 of `epochs`"), Wholes("[120, 160]"), "epochs";
        /// Epochs in which the learning rate rises to its peak, a little at every step.
        warmup_epochs: f64 = 0.0, Number(0.0..=1000.0), "epochs";
        /// Interval between updates of the learning rate: at the start of each epoch, as in MoCo, or at every step.
        pace: Pace = "epoch", Word;
        /// SGD momentum.
        momentum: f64 = 0.9, Number(0.0..=1.0), "ratio";
        /// SGD weight decay of all parameters; with PIRL, not of biases and batch norm.
        weight_decay: f64 = 0.0001, Number(0.0..=1.0);
        /// Number format of convolutions and matrix products. Other operations and the weights are f32.
        numbers: NumberFormat = "f32", Word;
        /// Logs, checkpoints, kNN evaluations and tolerance. Not part of the experiment.
        #[serde(flatten)]
        watch: WatchKeys => WatchKeys::from_settings;
    }
}

table! {
    /// Settings of MoCo and PIRL.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "train" struct ContrastKeys {
        /// Dimensions of the embeddings that the loss compares.
        embedding: u32 = 128, Whole(2..=8192), "dimensions";
        /// Temperature, the divisor of similarities in the loss.
        temperature: f64 = (default_temperature, "`0.07` for `moco-v1` and `pirl`, `0.2` for `moco-v2`"), Number(0.001..=10.0);
    }
}

table! {
    /// Settings of MoCo.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "train" struct MocoKeys {
        /// Length of the queue of negatives (K).
        queue: u32 = 65536, Whole(1..=16_777_216), "keys";
        /// Momentum of the key encoder (m), the share of its own weights that it keeps in a step.
        key_momentum: f64 = 0.999, Number(0.0..=1.0), "ratio";
        /// Whether each key view also serves as a query. Both directions have half weight.
        symmetric: bool = false, Flag;
        /// Weight of the region loss if the shards hold frames and regions. The frame loss has the remaining weight.
        region_weight: f64 = 0.5, Number(0.0..=1.0), "ratio";
        /// Whether to encode keys in other groups than queries. `false` lets batch norm leak information, for comparison.
        shuffle: bool = true, Flag;
    }
}

table! {
    /// Settings of PIRL.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "train" struct PirlKeys {
        /// Negatives per step, drawn from the memory bank.
        negatives: u32 = 32000, Whole(1..=1_000_000), "vectors";
        /// Share of itself that a vector of the memory bank keeps when its image is seen.
        bank_momentum: f64 = 0.5, Number(0.0..=1.0), "ratio";
    }
}

table! {
    /// Logs, checkpoints, kNN evaluations and tolerance.
    #[derive(Debug, Clone, Copy, PartialEq)]
    "train" struct WatchKeys {
        /// Steps between lines of `metrics.jsonl`.
        log_steps: u32 = 10, Whole(1..=1_000_000), "steps";
        /// Steps between checkpoints. One more is written at the end, and when the run is stopped.
        checkpoint_steps: u32 = 1000, Whole(1..=1_000_000_000), "steps";
        /// Number of latest checkpoints that are kept. The best one by kNN accuracy is kept in addition.
        keep: u32 = 2, Whole(1..=10_000), "checkpoints";
        /// Epochs between kNN evaluations on labelled images. One more runs before the first step. 0 disables all.
        knn_epochs: u32 = 1, Whole(0..=1_000_000), "epochs";
        /// Maximum number of labelled images in a kNN evaluation.
        knn_images: u32 = 2000, Whole(4..=1_000_000), "images";
        /// Number of nearest neighbours that vote.
        knn_neighbours: u32 = 20, Whole(1..=10_000), "images";
        /// Limit of records that cannot be used: damaged ones, and those of missing shards. A run with more stops, before the
        /// first step if possible.
        max_damaged: MaxRefused = "10%", Refusals, "percent of all records, or records";
    }
}

impl WatchKeys {
    /// Paths of these keys, such as `train.log_steps`: settings that do not change what is trained.
    pub fn paths() -> Vec<String> {
        Self::GROUP.keys.iter().map(ToString::to_string).collect()
    }
}

/// Reads `[train]`.
///
/// # Errors
/// The first refused setting.
pub(crate) fn train(settings: &Settings) -> Result<Train, PipelineError> {
    let has_milestones = Train::schedule.get(settings)? == ScheduleName::Step;
    if !has_milestones {
        let why = "only train.schedule = \"step\" has milestones";
        settings.refuse_unused(&[Train::milestones.path], Train::schedule.path, why)?;
    }
    let mut train = Train::from_settings(settings)?;
    if !has_milestones {
        train.milestones.clear();
    }
    if train.records.is_some_and(|records| records < train.batch) {
        let expected = format!("at least train.batch = {}", train.batch);
        return Err(settings.refusal(Train::records.path, expected));
    }
    if train.warmup_epochs >= f64::from(train.epochs) {
        let expected = format!("fewer than train.epochs = {}", train.epochs);
        return Err(settings.refusal(Train::warmup_epochs.path, expected));
    }
    check_division(settings, &train)?;
    Ok(train)
}

impl Train {
    /// The largest `batch` of at most `max_records` records that divides into `accumulate` parts and each part into `groups`; `None` if
    /// there is none.
    ///
    /// # Examples
    /// ```
    /// # let text = "[source]\nkind = 'videos'\n[pairs]\nkind = 'images'\n[train]\nbatch = 32\naccumulate = 2\ngroups = 4";
    /// # let pipeline = vidpairs_pipeline::Pipeline::from_str(text, "a.toml", &[])?;
    /// // Parts of 4 groups have 8, 12, 16 ... records.
    /// assert_eq!(pipeline.train.largest_batch(31), Some(24));
    /// assert_eq!(pipeline.train.largest_batch(15), None);
    /// # Ok::<(), vidpairs_pipeline::PipelineError>(())
    /// ```
    pub fn largest_batch(&self, max_records: u64) -> Option<u32> {
        let unit = u64::from(self.accumulate) * u64::from(self.groups);
        let batch = max_records.min(MAX_BATCH.into()) / unit * unit;
        let batch = u32::try_from(batch).ok()?;
        can_be_grouped(batch, self.accumulate, self.groups).then_some(batch)
    }
}

/// Whether a batch divides into `accumulate` parts, and each part into `groups` of at least two records.
fn can_be_grouped(batch: u32, accumulate: u32, groups: u32) -> bool {
    let part = batch / accumulate;
    batch.is_multiple_of(accumulate) && part.is_multiple_of(groups) && part / groups >= 2
}

/// Checks that a batch divides into `accumulate` parts, and each part into `groups` of at least two records.
fn check_division(settings: &Settings, train: &Train) -> Result<(), PipelineError> {
    let (batch, accumulate, groups) = (train.batch, train.accumulate, train.groups);
    if !can_be_grouped(batch, accumulate, 1) {
        let expected = format!(
            "a number that divides train.batch = {batch} into parts of two or more records"
        );
        return Err(settings.refusal(Train::accumulate.path, expected));
    }
    let is_possible = |groups: &u32| can_be_grouped(batch, accumulate, *groups);
    if !is_possible(&groups) {
        let part = batch / accumulate;
        let name = if accumulate == 1 {
            "batch"
        } else {
            "part of a batch"
        };
        let example = (1..=8).rev().find(is_possible);
        let example = example.expect("a part has two or more records, so one group is possible");
        let expected = format!(
            "a number that cuts the {part} records of a {name} into equal groups of two or more, such as {example}"
        );
        return Err(settings.refusal(Train::groups.path, expected));
    }
    Ok(())
}

fn default_schedule(settings: &Settings) -> Result<ScheduleName, PipelineError> {
    Ok(match Train::method.get(settings)? {
        TrainMethod::MocoV1 => ScheduleName::Step,
        _ => ScheduleName::Cosine,
    })
}

fn default_milestones(settings: &Settings) -> Result<Vec<u32>, PipelineError> {
    // MoCo v1: 120 and 160 of 200.
    let epochs = Train::epochs.get(settings)?;
    let mut milestones = vec![epochs * 3 / 5, epochs * 4 / 5];
    milestones.dedup();
    milestones.retain(|&milestone| milestone > 0);
    Ok(milestones)
}

fn default_temperature(settings: &Settings) -> Result<f64, PipelineError> {
    Ok(match Train::method.get(settings)? {
        TrainMethod::MocoV1 | TrainMethod::Pirl => 0.07,
        // Supervised training has no temperature.
        TrainMethod::MocoV2 | TrainMethod::Supervised => 0.2,
    })
}

fn contrast(settings: &Settings) -> Result<Option<ContrastKeys>, PipelineError> {
    if Train::method.get(settings)? != TrainMethod::Supervised {
        return ContrastKeys::from_settings(settings).map(Some);
    }
    let why = "train.method = \"supervised\" compares no embeddings";
    settings.refuse_unused(ContrastKeys::GROUP.keys, Train::method.path, why)?;
    Ok(None)
}

fn moco(settings: &Settings) -> Result<Option<MocoKeys>, PipelineError> {
    let method = Train::method.get(settings)?;
    if matches!(method, TrainMethod::MocoV1 | TrainMethod::MocoV2) {
        return MocoKeys::from_settings(settings).map(Some);
    }
    let why = "only train.method = \"moco-v1\" and \"moco-v2\" have a queue and a key encoder";
    settings.refuse_unused(MocoKeys::GROUP.keys, Train::method.path, why)?;
    Ok(None)
}

fn pirl(settings: &Settings) -> Result<Option<PirlKeys>, PipelineError> {
    if Train::method.get(settings)? == TrainMethod::Pirl {
        return PirlKeys::from_settings(settings).map(Some);
    }
    let why = "only train.method = \"pirl\" has a memory bank";
    settings.refuse_unused(PirlKeys::GROUP.keys, Train::method.path, why)?;
    Ok(None)
}
