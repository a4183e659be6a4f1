//! Supervised control: cross-entropy on the labels of records.

use tch::{Device, Kind, Reduction, Tensor};
use vidpairs_pipeline::NumberFormat;
use vidpairs_types::Seed;

use super::step::{Observed, StepInputs};
use crate::model::{Head, NamedTensors, Pass, ResNet, ResNetConfig, unit_rows};

/// Settings of supervised training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupervisedConfig {
    /// Trunk of the classifier.
    pub network: ResNetConfig,
    /// Parts of a batch with batch-norm statistics of their own.
    pub groups: i64,
    /// Number format of convolutions and matrix products.
    pub precision: NumberFormat,
}

/// Trunk and linear classifier.
#[derive(Debug)]
pub struct Supervised {
    config: SupervisedConfig,
    trunk: ResNet,
    classifier: Head,
    tensors: NamedTensors,
    /// Labelled records of the batch, at least 1, divided by the number of its parts.
    labelled_per_part: Tensor,
}

impl Supervised {
    /// New weights drawn from `seed`.
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

    /// Network without its classifier.
    pub fn trunk(&self) -> &ResNet {
        &self.trunk
    }

    /// Tensors of the network: `backbone.` and `head.`.
    pub fn trained(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Begins a step on records of these labels, in `num_parts` parts. Each labelled record has the same weight in the loss,
    /// whatever its part; without any label the loss is 0.
    pub fn begin_step(&mut self, labels: &Tensor, num_parts: i64) {
        let num_labelled = labels.ne(-1).sum(Kind::Float).clamp_min(1.0);
        self.labelled_per_part = num_labelled / num_parts as f64;
    }

    /// Loss of a batch or a part of one, ready for `backward`. Records without label (-1) do not count.
    ///
    /// # Panics
    /// If there is no view.
    pub fn loss(&self, inputs: &StepInputs) -> Observed {
        let images = inputs.views.first().expect("a batch has a view");
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
            // The nearest equivalent of a positive: the accuracy.
            positive_similarity: right.sum(Kind::Float) / &self.labelled_per_part,
            negative_similarity: Tensor::zeros([0i64; 0], (Kind::Float, images.device())),
            keys: units.shallow_clone(),
            queries: units,
        }
    }
}
