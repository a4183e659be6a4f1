//! Converts the settings of a pipeline to those of the learner.

use vidpairs_pipeline::{Network, StemName, Train, TrainMethod};

use super::error::TrainError;
use crate::model::{Depth, ResNetConfig, Stem};
use crate::train::{
    DecayOf, HeadKind, LearnerConfig, MethodConfig, MocoConfig, PirlConfig, Schedule, SgdConfig,
    SupervisedConfig, info_nce_chance,
};

/// Learner that `[train]` describes.
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
    let (groups, precision) = (i64::from(train.groups), train.numbers);
    let contrast = || (train.contrast).expect("the pipeline gives MoCo and PIRL contrast keys");
    match train.method {
        TrainMethod::MocoV1 | TrainMethod::MocoV2 => {
            let moco = train.moco.expect("the pipeline gives MoCo its keys");
            MethodConfig::Moco(MocoConfig {
                network,
                head: match train.method {
                    TrainMethod::MocoV1 => HeadKind::Linear,
                    _ => HeadKind::Mlp,
                },
                embedding: i64::from(contrast().embedding),
                queue: i64::from(moco.queue),
                temperature: contrast().temperature,
                key_momentum: moco.key_momentum,
                groups,
                is_shuffled: moco.shuffle,
                is_symmetric: moco.symmetric,
                region_weight: moco.region_weight,
                precision,
            })
        }
        TrainMethod::Pirl => {
            let pirl = train.pirl.expect("the pipeline gives PIRL its keys");
            MethodConfig::Pirl(PirlConfig {
                network,
                embedding: i64::from(contrast().embedding),
                temperature: contrast().temperature,
                negatives: pirl.negatives as usize,
                bank_momentum: pirl.bank_momentum,
                groups,
                precision,
            })
        }
        TrainMethod::Supervised => MethodConfig::Supervised(SupervisedConfig {
            network,
            groups,
            precision,
        }),
    }
}

/// Architecture of the trunk.
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

/// Learning rate over the run.
///
/// # Errors
/// [`TrainError::Schedule`] if a setting is out of its range.
pub(super) fn schedule(train: &Train) -> Result<Schedule, TrainError> {
    let schedule = Schedule {
        peak: train.learning_rate,
        num_epochs: train.epochs,
        warmup_epochs: train.warmup_epochs,
        decay: train.schedule,
        milestones: train.milestones.clone(),
        pace: train.pace,
    };
    schedule.check()?;
    Ok(schedule)
}

/// Loss of a network whose similarities are all equal, nats.
///
/// - `num_labels`: labels in the data set, for `supervised`.
pub(super) fn chance(train: &Train, num_labels: usize) -> f64 {
    let negatives = match (train.moco, train.pirl) {
        (Some(moco), _) => u64::from(moco.queue),
        (None, Some(pirl)) => u64::from(pirl.negatives),
        (None, None) => (num_labels as u64).saturating_sub(1),
    };
    info_nce_chance(negatives)
}
