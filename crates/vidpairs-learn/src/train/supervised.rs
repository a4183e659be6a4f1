//! Cross-entropy on the records' labels: what labels would have taught the same network.

use tch::{Device, Kind, Reduction, Tensor};
use vidpairs_types::Seed;

use super::step::{Observed, StepInputs};
use crate::model::{Head, NamedTensors, Pass, Precision, ResNet, ResNetConfig, unit_rows};

/// Which network learns from labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupervisedConfig {
    /// The trunk.
    pub network: ResNetConfig,
    /// Parts of a batch with statistics of their own.
    pub groups: i64,
    /// The numbers.
    pub precision: Precision,
}

/// A trunk and a classifier.
#[derive(Debug)]
pub struct Supervised {
    config: SupervisedConfig,
    trunk: ResNet,
    classifier: Head,
    tensors: NamedTensors,
    /// Labelled records of the batch, at least 1, over the number of its parts.
    labelled_per_part: Tensor,
}

impl Supervised {
    /// New weights from `seed`.
    pub fn new(config: SupervisedConfig, num_labels: i64, seed: Seed, device: Device) -> Self {
        let trunk = ResNet::new(&config.network, seed.for_step("backbone", ""), device);
        let num_features = config.network.num_features();
        let seed = seed.for_step("head", "");
        let classifier = Head::linear(num_features, num_labels, seed, device);
        let mut tensors = NamedTensors::default();
        tensors.extend("backbone", trunk.tensors());
        tensors.extend("head", classifier.tensors());
        Self {
            config,
            trunk,
            classifier,
            tensors,
            labelled_per_part: Tensor::ones([0i64; 0], (Kind::Float, device)),
        }
    }

    /// The network without its classifier.
    pub fn trunk(&self) -> &ResNet {
        &self.trunk
    }

    /// What is learnt: `backbone.` and `head.`.
    pub fn trained(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Begins a step on records of these labels, which come in `num_parts` parts: each labelled record counts the same,
    /// whichever part it is in. Where none has a label the loss is 0.
    pub fn begin_step(&mut self, labels: &Tensor, num_parts: i64) {
        let num_labelled = labels.ne(-1).sum(Kind::Float).clamp_min(1.0);
        self.labelled_per_part = num_labelled / num_parts as f64;
    }

    /// The loss of a (part of a) batch, ready for `backward`; records without label (-1) don't count.
    pub fn loss(&self, inputs: &StepInputs) -> Observed {
        let Some(images) = inputs.views.first() else {
            return Observed::default();
        };
        let pass = Pass::Training {
            groups: self.config.groups,
            precision: self.config.precision,
        };
        let features = self.trunk.forward(images, pass);
        let logits = self.classifier.forward(&features, pass);
        let units = unit_rows(&features.detach());
        let right = logits.argmax(1, false).eq_tensor(&inputs.labels);
        let (sum, none) = (Reduction::Sum, None::<Tensor>);
        let loss = logits.cross_entropy_loss(&inputs.labels, none, sum, -1, 0.0);
        Observed {
            loss: loss / &self.labelled_per_part,
            // The nearest thing to a positive here: how often the right label is the first.
            positive_similarity: right.sum(Kind::Float) / &self.labelled_per_part,
            negative_similarity: Tensor::zeros([0i64; 0], (Kind::Float, images.device())),
            keys: units.shallow_clone(),
            queries: units,
        }
    }
}
