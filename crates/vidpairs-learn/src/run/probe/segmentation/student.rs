//! A segmentation head on the map of a trunk, in training and in use.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};
use vidpairs_invariance::run::{SegmentationRecipe, SegmentationRequest, Trunk};
use vidpairs_types::SizePx;
use vidpairs_weights::Architecture;

use super::loader::Crops;
use crate::model::{
    HostViews, LibtorchError, MapNetwork, NamedTensors, NumberFormat, Pass, ResNet, ResNetConfig,
    SegmentationHead, StageName, TrainedEncoder, TrainedNetwork, caught, classes_of_pixels,
    num_layers,
};
use crate::run::features::FeatureError;
use crate::run::probe::fit::Student;
use crate::train::{DecayOf, Sgd, SgdConfig};

const HEAD: &str = "head";
const TRUNK: &str = "trunk";

/// A trunk and its head.
pub(super) struct Segmenter<'a> {
    network: Network<'a>,
    stage: StageName,
    numbers: NumberFormat,
    head: SegmentationHead,
    /// Weights and statistics that are trained.
    tensors: NamedTensors,
    sgd: Sgd,
    learning_rate: f64,
    /// Number of features of a place of the map.
    pub num_units: usize,
}

enum Network<'a> {
    Frozen(&'a dyn MapNetwork),
    /// A copy of the encoder's network.
    Finetuned(Box<ResNet>),
}

impl<'a> Segmenter<'a> {
    /// A new head on the network of `encoder`.
    pub fn new(encoder: &'a TrainedEncoder, request: &SegmentationRequest<'_>) -> Self {
        let stage = request.stage;
        let num_units = match &encoder.architecture {
            Architecture::ResNet(resnet) => ResNetConfig::from(*resnet).num_features_of(stage),
            Architecture::Vit(vit) => vit.size.width() as i64,
        };
        let mut tensors = NamedTensors::default();
        let network = match (
            &encoder.network,
            &encoder.architecture,
            request.recipe.trunk,
        ) {
            (TrainedNetwork::ResNet(network), Architecture::ResNet(resnet), Trunk::Finetuned) => {
                let copy = network.copied(&ResNetConfig::from(*resnet));
                tensors.extend(TRUNK, copy.tensors());
                // Later layers have no gradient.
                let depth = num_layers(stage);
                tensors.retain(|name| {
                    (depth + 1..=4)
                        .all(|layer| !name.starts_with(&format!("{TRUNK}.layer{layer}.")))
                });
                Network::Finetuned(Box::new(copy))
            }
            _ => Network::Frozen(encoder.network.as_maps()),
        };
        let head = SegmentationHead::new(
            num_units,
            request.num_classes as i64,
            request.seed.for_step(HEAD, stage.name()),
            encoder.network.as_features().device(),
        );
        tensors.extend(HEAD, head.tensors());
        let mut sgd = Sgd::new(
            &tensors,
            SgdConfig {
                momentum: SegmentationRecipe::MOMENTUM,
                weight_decay: SegmentationRecipe::WEIGHT_DECAY,
                decay_of: DecayOf::Matrices,
            },
        );
        sgd.slow_down(TRUNK, Trunk::RATE);
        Self {
            network,
            stage,
            numbers: request.numbers,
            head,
            tensors,
            sgd,
            learning_rate: request.recipe.learning_rate,
            num_units: num_units as usize,
        }
    }

    fn network(&self) -> &dyn MapNetwork {
        match &self.network {
            Network::Frozen(network) => *network,
            Network::Finetuned(network) => network.as_ref(),
        }
    }

    /// Px for each place of the map, along a side: sides of inputs are multiples of it.
    pub fn stride(&self) -> u32 {
        self.network().map_stride(self.stage) as u32
    }

    /// Map of images, `N x 3 x H x W`. The statistics of batch norm are those of the encoder.
    fn map(&self, images: &Tensor) -> Tensor {
        let precision = self.numbers;
        let pass = Pass::Evaluation { precision };
        self.network()
            .map(images, self.stage, pass)
            .to_kind(Kind::Float)
    }

    /// The class of each pixel of a label image.
    ///
    /// - `view`: an image, padded to `sides_px`, height and width. `input`: its size without padding. `labels`: size of the label image.
    ///
    /// # Errors
    /// [`LibtorchError`], most often for lack of memory.
    pub fn predict(
        &self,
        (view, sides_px): (&HostViews, [u32; 2]),
        input: SizePx,
        labels: SizePx,
    ) -> Result<Vec<u8>, LibtorchError> {
        let predict = || {
            let images = view.tensor_of(sides_px).to_device(self.network().device());
            let precision = NumberFormat::F32;
            let logits = self
                .head
                .forward(&self.map(&images), Pass::Evaluation { precision });
            classes_of_pixels(&logits.select(0, 0), self.stride().into(), input, labels)
        };
        caught(|| tch::no_grad(predict))
    }
}

impl Student for Segmenter<'_> {
    type Batch = Crops;

    fn step(&mut self, batch: Crops, factor: f64) -> Result<f64, FeatureError> {
        let step = || {
            let device = self.network().device();
            let side = i64::from(batch.side_px);
            let images = batch.views.tensor_of([batch.side_px; 2]).to_device(device);
            let labels = Tensor::from_slice(&batch.labels).view([-1, side, side]);
            let map = match self.network {
                Network::Frozen(_) => tch::no_grad(|| self.map(&images)),
                Network::Finetuned(_) => self.map(&images),
            };
            let (groups, precision) = (1, NumberFormat::F32);
            let logits = self
                .head
                .forward(&map, Pass::Training { groups, precision });
            let loss = SegmentationHead::loss(&logits, &labels.to_device(device));
            let gradient = self.sgd.gradient(&loss);
            self.sgd.step(&gradient, self.learning_rate * factor);
            loss.double_value(&[])
        };
        let loss = caught(step).map_err(FeatureError::Step)?;
        match loss.is_finite() {
            true => Ok(loss),
            false => Err(FeatureError::Diverged { loss }),
        }
    }

    fn state(&self) -> BTreeMap<String, Tensor> {
        let weights = self.tensors.iter();
        let weights = weights.map(|named| (format!("weights.{}", named.name), &named.tensor));
        let velocities = self.sgd.state();
        let velocities = velocities.map(|(name, tensor)| (format!("velocities.{name}"), tensor));
        let state = weights.chain(velocities);
        state
            .map(|(name, tensor)| (name, tensor.detach()))
            .collect()
    }
}
