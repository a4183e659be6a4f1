//! From the words of a pipeline to what learns.

use vidpairs_pipeline::{Network, NumberFormat, Pace, ScheduleName, StemName, Train, TrainMethod};

use super::error::TrainError;
use crate::model::{Depth, Precision, ResNetConfig, Stem};
use crate::train::{
    self, Decay, DecayOf, HeadKind, LearnerConfig, MethodConfig, MocoConfig, PirlConfig, Schedule,
    SgdConfig, SupervisedConfig,
};

/// What a milestone multiplies the learning rate by.
const STEP_FACTOR: f64 = 0.1;

/// The learner that `[train]` names.
pub(super) fn learner(train: &Train) -> LearnerConfig {
    LearnerConfig {
        method: method(train),
        sgd: SgdConfig {
            momentum: train.momentum,
            weight_decay: train.weight_decay,
            decay_of: match train.method {
                TrainMethod::Pirl => DecayOf::Matrices,
                _ => DecayOf::Everything,
            },
        },
        accumulate: i64::from(train.accumulate),
    }
}

fn method(train: &Train) -> MethodConfig {
    let network = network(train);
    let (groups, precision) = (i64::from(train.groups), precision(train));
    match (train.contrast, train.moco, train.pirl) {
        (Some(contrast), Some(moco), _) => MethodConfig::Moco(MocoConfig {
            network,
            head: match train.method {
                TrainMethod::MocoV1 => HeadKind::Linear,
                _ => HeadKind::Mlp,
            },
            embedding: i64::from(contrast.embedding),
            queue: i64::from(moco.queue),
            temperature: contrast.temperature,
            key_momentum: moco.key_momentum,
            groups,
            is_shuffled: moco.shuffle,
            is_symmetric: moco.symmetric,
            region_weight: moco.region_weight,
            precision,
        }),
        (Some(contrast), None, Some(pirl)) => MethodConfig::Pirl(PirlConfig {
            network,
            embedding: i64::from(contrast.embedding),
            temperature: contrast.temperature,
            negatives: pirl.negatives as usize,
            bank_momentum: pirl.bank_momentum,
            groups,
            precision,
        }),
        _ => MethodConfig::Supervised(SupervisedConfig {
            network,
            groups,
            precision,
        }),
    }
}

/// The trunk.
pub(super) fn network(train: &Train) -> ResNetConfig {
    ResNetConfig {
        depth: match train.network {
            Network::ResNet18 => Depth::R18,
            Network::ResNet34 => Depth::R34,
            Network::ResNet50 => Depth::R50,
        },
        width: i64::from(train.width),
        stem: match train.stem {
            StemName::ImageNet => Stem::Large,
            StemName::Small => Stem::Small,
        },
    }
}

/// What it computes in.
pub(super) fn precision(train: &Train) -> Precision {
    match train.numbers {
        NumberFormat::F32 => Precision::F32,
        NumberFormat::Bf16 => Precision::Bf16,
    }
}

/// The learning rate over the run.
///
/// # Errors
/// [`TrainError::Schedule`].
pub(super) fn schedule(train: &Train) -> Result<Schedule, TrainError> {
    let decay = match train.schedule {
        ScheduleName::Cosine => Decay::Cosine,
        ScheduleName::Constant => Decay::Constant,
        ScheduleName::Step => Decay::Step {
            milestones: train.milestones.clone(),
            factor: STEP_FACTOR,
        },
    };
    let pace = match train.pace {
        Pace::Epoch => train::Pace::Epoch,
        Pace::Step => train::Pace::Step,
    };
    let schedule = Schedule::new(
        train.learning_rate,
        train.epochs,
        train.warmup_epochs,
        decay,
        pace,
    );
    Ok(schedule?)
}

/// What the loss would be if all were alike, nats.
///
/// - `num_labels`: of the data, for `supervised`.
pub(super) fn chance(train: &Train, num_labels: usize) -> f64 {
    let negatives = match (train.moco, train.pirl) {
        (Some(moco), _) => u64::from(moco.queue),
        (None, Some(pirl)) => u64::from(pirl.negatives),
        (None, None) => (num_labels as u64).saturating_sub(1),
    };
    train::info_nce_chance(negatives)
}
