//! The training methods behind one interface.

use tch::{Device, Tensor};
use vidpairs_types::Seed;

use super::moco::{Moco, MocoConfig};
use super::pirl::{Pirl, PirlConfig};
use super::step::{Observed, StepInputs};
use super::supervised::{Supervised, SupervisedConfig};
use crate::model::{NamedTensors, ResNet};

/// Training method and its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MethodConfig {
    /// Momentum contrast.
    Moco(MocoConfig),
    /// Invariance to jigsaws.
    Pirl(PirlConfig),
    /// Cross-entropy on labels.
    Supervised(SupervisedConfig),
}

/// Sizes of the data set, which some networks depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataCounts {
    /// Number of records.
    pub records: i64,
    /// Number of distinct labels.
    pub labels: i64,
}

/// Training method with its networks.
#[derive(Debug)]
pub(super) enum Method {
    Moco(Box<Moco>),
    Pirl(Box<Pirl>),
    Supervised(Box<Supervised>),
}

impl Method {
    /// New weights drawn from `seed`.
    pub fn new(config: MethodConfig, counts: DataCounts, seed: Seed, device: Device) -> Self {
        match config {
            MethodConfig::Moco(config) => Self::Moco(Box::new(Moco::new(config, seed, device))),
            MethodConfig::Pirl(config) => {
                Self::Pirl(Box::new(Pirl::new(config, counts.records, seed, device)))
            }
            MethodConfig::Supervised(config) => {
                let supervised = Supervised::new(config, counts.labels, seed, device);
                Self::Supervised(Box::new(supervised))
            }
        }
    }

    /// Network without heads.
    pub fn trunk(&self) -> &ResNet {
        match self {
            Self::Moco(moco) => moco.query().trunk(),
            Self::Pirl(pirl) => pirl.trunk(),
            Self::Supervised(supervised) => supervised.trunk(),
        }
    }

    /// Tensors of the network that is trained.
    pub fn trained(&self) -> &NamedTensors {
        match self {
            Self::Moco(moco) => moco.trained(),
            Self::Pirl(pirl) => pirl.trained(),
            Self::Supervised(supervised) => supervised.trained(),
        }
    }

    /// Begins a step on records of these `labels`, `N`, whose batch comes in `num_parts` parts.
    pub fn begin_step(&mut self, labels: &Tensor, num_parts: i64) {
        match self {
            Self::Moco(moco) => moco.begin_step(),
            Self::Pirl(_) => {}
            Self::Supervised(supervised) => supervised.begin_step(labels, num_parts),
        }
    }

    /// Loss of a part of the batch, ready for `backward`.
    pub fn loss(&mut self, inputs: &StepInputs, seed: Seed) -> Observed {
        match self {
            Self::Moco(moco) => moco.loss(inputs, seed),
            Self::Pirl(pirl) => pirl.loss(inputs, seed),
            Self::Supervised(supervised) => supervised.loss(inputs),
        }
    }

    /// Ends a step: queue and memory take in the batch.
    pub fn end_step(&mut self) {
        match self {
            Self::Moco(moco) => moco.end_step(),
            Self::Pirl(pirl) => pirl.end_step(),
            Self::Supervised(_) => {}
        }
    }
}
