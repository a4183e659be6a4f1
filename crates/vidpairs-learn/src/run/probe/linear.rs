//! Trains linear classifiers on the features of augmented images, one for each stage and learning rate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tch::{Device, Kind, Reduction, Tensor};
use vidpairs_invariance::run::{HeadRequest, LinearHead};
use vidpairs_pipeline::ScheduleName;
use vidpairs_run::RunError;
use vidpairs_types::Seed;

use super::fit::{FitPlan, StateFile, Student, fit};
use super::views::{LabelledLoader, LabelledViews};
use crate::augment::{CropRecipe, Recipe};
use crate::model::{
    FeatureNetwork, Head, HostViews, NamedTensors, NumberFormat, Pass, Readout, TrainedEncoder,
    caught, use_cores,
};
use crate::run::features::{FeatureError, key_of, stamps};
use crate::train::{DecayOf, Pace, Schedule, Sgd, SgdConfig};

/// Version of the training: increased when the same request gives other classifiers.
const FORMAT: u32 = 1;
/// Momentum of the recipe.
const MOMENTUM: f64 = 0.9;

/// Linear classifiers on the frozen features of `encoder`: for each stage of `request` one for each learning rate.
///
/// In each step the features of a batch are computed once, and all classifiers take a step on them.
///
/// # Errors
/// [`RunError`]: the network has no such features, an image cannot be read, libtorch refuses, or the state cannot be written;
/// [`RunError::Interrupted`] if the user stopped the run, which the same request continues.
pub(in crate::run) fn linear_classifiers(
    encoder: &TrainedEncoder,
    request: &HeadRequest<'_>,
) -> Result<Vec<Vec<LinearHead>>, RunError> {
    let side_px = request.view.side_px;
    let readout = |&stage: &_| Readout::of(&encoder.architecture, stage, request.pool, side_px);
    let readouts: Result<Vec<Readout>, _> = request.stages.iter().map(readout).collect();
    let readouts = readouts.map_err(FeatureError::from)?;
    let network = encoder.network.as_features();
    use_cores(network.device(), request.control.workers);
    let loader = LabelledLoader {
        parts: request.parts.to_vec(),
        classes: request.classes.iter().map(|&class| class as i64).collect(),
        beyond: request.view.beyond,
        recipe: Recipe::Crop(CropRecipe::linear_probe(side_px)),
        batch: u64::from(request.recipe.batch),
        seed: request.seed,
        numbers: request.numbers,
        viewers: Mutex::default(),
    };
    let mut heads = LinearHeads::new(network, readouts, request)?;
    let epochs = request.recipe.epochs;
    let schedule = Schedule {
        peak: 1.0,
        num_epochs: epochs,
        warmup_epochs: 0.0,
        decay: ScheduleName::Step,
        milestones: milestones(epochs),
        pace: Pace::Epoch,
    };
    let steps_per_epoch = loader.steps_per_epoch();
    let plan = FitPlan {
        what: "linear classifiers",
        file: StateFile::new(request.out, key(encoder, request)?, about(request)),
        num_steps: u64::from(epochs) * steps_per_epoch,
        factor: &|step| schedule.lr_at(step, steps_per_epoch),
        batch_bytes: loader.batch_bytes(),
        control: request.control,
    };
    fit(&mut heads, Arc::new(loader), &plan)?;
    Ok(heads.finish())
}

/// The learning rate is divided by 10 after 60 % and after 80 % of the epochs: 60 and 80 of 100.
fn milestones(epochs: u32) -> Vec<u32> {
    let mut milestones = [0.6, 0.8]
        .map(|share| (f64::from(epochs) * share).round() as u32)
        .to_vec();
    milestones.dedup();
    milestones
}

/// Metadata of the file: tensor `P.weights.STAGE.0.weight` is the classifier of `STAGE` at the learning rate at place `P`.
fn about(request: &HeadRequest<'_>) -> Vec<(&'static str, String)> {
    let rates = request.recipe.learning_rates.iter().map(f64::to_string);
    vec![
        ("what", "linear classifiers".to_owned()),
        ("learning_rates", rates.collect::<Vec<_>>().join(" ")),
        ("num_classes", request.num_classes.to_string()),
    ]
}

/// Hash of everything that the classifiers depend on.
fn key(encoder: &TrainedEncoder, request: &HeadRequest<'_>) -> Result<String, RunError> {
    let words = [
        format!("vidpairs linear classifiers {FORMAT}"),
        format!("{:032x}", encoder.fingerprint),
        format!("{:?} {:?} {:?}", request.stages, request.pool, request.view),
        format!(
            "{:?} {:?} {:?}",
            request.numbers, request.recipe, request.seed
        ),
        format!("{} {:?}", request.num_classes, request.classes),
    ];
    let stamps = stamps(request.parts, request.control)?;
    let words = words.each_ref().map(String::as_str);
    Ok(key_of(&words, request.parts, &stamps))
}

/// Classifiers in training.
struct LinearHeads<'a> {
    network: &'a dyn FeatureNetwork,
    readouts: Vec<Readout>,
    side_px: u32,
    numbers: NumberFormat,
    rates: Vec<OneRate>,
}

/// Classifiers of one learning rate.
struct OneRate {
    learning_rate: f64,
    /// For each stage.
    heads: Vec<Head>,
    tensors: NamedTensors,
    sgd: Sgd,
}

impl<'a> LinearHeads<'a> {
    fn new(
        network: &'a dyn FeatureNetwork,
        readouts: Vec<Readout>,
        request: &HeadRequest<'_>,
    ) -> Result<Self, FeatureError> {
        let num_values = Recipe::Squash {
            side_px: request.view.side_px,
        }
        .num_values();
        let blank = HostViews::zeros(num_values, request.numbers);
        let features = network
            .encode(&blank, request.view.side_px, &readouts, request.numbers)
            .map_err(FeatureError::Libtorch)?;
        let num_features: Vec<i64> = features.iter().map(|row| row.len() as i64).collect();
        let rates = &request.recipe.learning_rates;
        let rate = |&learning_rate: &f64| {
            let stages = request.stages.iter().zip(&num_features);
            let heads = stages.map(|(stage, &num_features)| {
                // The same for every learning rate.
                let seed: Seed = request.seed.for_step("head", stage.name());
                Head::classifier(
                    num_features,
                    request.num_classes as i64,
                    seed,
                    network.device(),
                )
            });
            let heads: Vec<Head> = heads.collect();
            let mut tensors = NamedTensors::default();
            for (stage, head) in request.stages.iter().zip(&heads) {
                tensors.extend(stage.name(), head.tensors());
            }
            let config = SgdConfig {
                momentum: MOMENTUM,
                weight_decay: 0.0,
                decay_of: DecayOf::Everything,
            };
            OneRate {
                learning_rate,
                sgd: Sgd::new(&tensors, config),
                heads,
                tensors,
            }
        };
        Ok(Self {
            network,
            readouts,
            side_px: request.view.side_px,
            numbers: request.numbers,
            rates: rates.iter().map(rate).collect(),
        })
    }

    /// Weights and biases, for each stage at each learning rate.
    fn finish(self) -> Vec<Vec<LinearHead>> {
        let stage = |stage: usize| {
            let rates = self.rates.iter();
            let heads = rates.map(|rate| {
                let tensors = rate.heads[stage].tensors();
                let values = |name| {
                    let tensor: &Tensor = tensors.get(name).expect("a classifier has both");
                    let tensor = tensor.detach().to_device(Device::Cpu).flatten(0, -1);
                    Vec::<f32>::try_from(tensor).expect("a vector of f32")
                };
                LinearHead {
                    learning_rate: rate.learning_rate,
                    weights: values("0.weight"),
                    biases: values("0.bias"),
                }
            });
            heads.collect()
        };
        (0..self.readouts.len()).map(stage).collect()
    }
}

impl Student for LinearHeads<'_> {
    type Batch = LabelledViews;

    /// The least loss of a learning rate, mean over the stages.
    fn step(&mut self, batch: LabelledViews, factor: f64) -> Result<f64, FeatureError> {
        let step = || {
            let device = self.network.device();
            let images = batch.views.tensor(self.side_px).to_device(device);
            let classes = Tensor::from_slice(&batch.classes).to_device(device);
            let precision = self.numbers;
            let frozen = Pass::Evaluation { precision };
            let features = tch::no_grad(|| self.network.features(&images, &self.readouts, frozen));
            // Classifiers compute in single precision, whatever the network does.
            let precision = NumberFormat::F32;
            let mut least = f64::INFINITY;
            for rate in &mut self.rates {
                let losses = rate.heads.iter().zip(&features).map(|(head, features)| {
                    let features = features.to_kind(Kind::Float);
                    let logits = head.forward(&features, Pass::Evaluation { precision });
                    let none = None::<Tensor>;
                    logits.cross_entropy_loss(&classes, none, Reduction::Mean, -1, 0.0)
                });
                let losses: Vec<Tensor> = losses.collect();
                // Each classifier has its own loss and its own parameters, so their sum has the gradient of each.
                let loss = Tensor::stack(&losses, 0).sum(Kind::Float);
                let gradient = rate.sgd.gradient(&loss);
                rate.sgd.step(&gradient, rate.learning_rate * factor);
                least = least.min(loss.double_value(&[]) / losses.len() as f64);
            }
            least
        };
        caught(step).map_err(FeatureError::Step)
    }

    fn state(&self) -> BTreeMap<String, Tensor> {
        let mut state = BTreeMap::new();
        for (place, rate) in self.rates.iter().enumerate() {
            let weights = rate.tensors.iter();
            let weights = weights.map(|named| (named.name.as_str(), &named.tensor));
            for (kind, tensors) in [
                ("weights", weights.collect::<Vec<_>>()),
                ("velocities", rate.sgd.state().collect()),
            ] {
                state.extend(
                    tensors
                        .into_iter()
                        .map(|(name, tensor)| (format!("{place}.{kind}.{name}"), tensor.detach())),
                );
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use vidpairs_invariance::run::{LinearRecipe, PartView};
    use vidpairs_pipeline::{PoolName, StageName};
    use vidpairs_run::Control;

    use super::*;
    use crate::model::Pooling;

    #[test]
    fn the_learning_rate_falls_as_in_the_recipe_of_moco() {
        assert_eq!(milestones(100), [60, 80]);
        assert_eq!(milestones(10), [6, 8]);
        assert_eq!(milestones(1), [1]);
    }

    /// Means of the channels, times 20; negated in stage `layer3`.
    struct Means;

    impl FeatureNetwork for Means {
        fn device(&self) -> Device {
            Device::Cpu
        }

        fn features(&self, images: &Tensor, readouts: &[Readout], _: Pass) -> Vec<Tensor> {
            let means = images.mean_dim([2i64, 3].as_slice(), false, None) * 20.0;
            let sign = |readout: &Readout| match readout.stage {
                StageName::Layer3 => -1.0,
                _ => 1.0,
            };
            readouts
                .iter()
                .map(|readout| &means * sign(readout))
                .collect()
        }
    }

    /// What PyTorch computes: scripts/golden/linear.py.
    #[derive(Deserialize)]
    struct Golden {
        found: Vec<Found>,
    }

    #[derive(Deserialize)]
    struct Found {
        rate: f64,
        sign: f64,
        weights: Vec<f32>,
        biases: Vec<f32>,
    }

    const SIDE: usize = 8;

    /// The formula of scripts/golden/train.py.
    fn uniform(place: usize, stream: f64) -> f64 {
        let wave = (place as f64 * 12.9898 + stream * 78.233).sin() * 4375.85453;
        2.0 * (wave - wave.floor()) - 1.0
    }

    /// Six images, channels last.
    fn views(step: usize) -> HostViews {
        let value = |place: usize| {
            let (image, rest) = (place / (SIDE * SIDE * 3), place % (SIDE * SIDE * 3));
            let planar = (image * 3 + rest % 3) * SIDE * SIDE + rest / 3;
            (uniform(planar, step as f64) * 1.5) as f32
        };
        HostViews::F32((0..6 * SIDE * SIDE * 3).map(value).collect())
    }

    #[test]
    fn each_stage_and_learning_rate_takes_the_steps_of_pytorch() {
        let golden = include_str!("../../../../../tests/golden/probe/linear.json");
        let golden: Golden = serde_json::from_str(golden).unwrap();
        let recipe = LinearRecipe {
            epochs: 5,
            batch: 6,
            learning_rates: vec![0.3, 30.0],
        };
        let stages = [StageName::Layer4, StageName::Layer3];
        let control = Control::quiet(1);
        let request = HeadRequest {
            parts: &[],
            classes: &[],
            num_classes: 4,
            stages: &stages,
            pool: PoolName::Auto,
            view: PartView::of_invariance(SIDE as u32),
            numbers: NumberFormat::F32,
            recipe: &recipe,
            seed: Seed::of_run(0),
            out: ".".as_ref(),
            control: &control,
        };
        let readouts = stages.map(|stage| Readout {
            stage,
            pooling: Pooling::Mean,
        });
        let mut heads = LinearHeads::new(&Means, readouts.to_vec(), &request).unwrap();
        for (name, mut tensor) in heads.state() {
            if name.ends_with("weight") && name.contains("weights") {
                let values: Vec<f32> = (0..12).map(|at| (uniform(at, 1.0) * 0.01) as f32).collect();
                tensor.copy_(&Tensor::from_slice(&values).view([4, 3]));
            }
        }
        for (step, factor) in [1.0, 1.0, 1.0, 0.1, 0.1].into_iter().enumerate() {
            let classes = (0..6).map(|image| (image * 3 + step as i64) % 4).collect();
            let views = views(step);
            heads
                .step(LabelledViews { views, classes }, factor)
                .unwrap();
        }
        let found = heads.finish();
        for expected in &golden.found {
            let stage = usize::from(expected.sign < 0.0);
            let head = (found[stage].iter()).find(|head| head.learning_rate == expected.rate);
            let head = head.unwrap();
            let pairs = head.weights.iter().zip(&expected.weights);
            for (found, expected) in pairs.chain(head.biases.iter().zip(&expected.biases)) {
                let difference = (found - expected).abs() / expected.abs().max(1.0);
                assert!(difference < 1e-4, "{found} for {expected}");
            }
        }
        assert_eq!(golden.found.len(), 4);
    }
}
