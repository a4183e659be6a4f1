//! Pretext-invariant representation learning (PIRL): contrasts an image and its jigsaw with a memory of all images.
//!
//! Where the paper is silent, we choose: negatives are drawn once a step for the whole batch, a record's own vector is not
//! one of its negatives, and the contrast is the cross-entropy over 1 + N logits.
//!
//! # Source
//! Misra and van der Maaten, "Self-Supervised Learning of Pretext-Invariant Representations", CVPR 2020.

use rand::RngExt;
use tch::{Device, Tensor};
use vidpairs_pipeline::NumberFormat;
use vidpairs_types::Seed;

use super::contrast::info_nce;
use super::step::{Observed, StepInputs};
use crate::model::{Head, NamedTensors, Pass, ResNet, ResNetConfig, normal, unit_rows};

/// Patches of a jigsaw.
const NUM_PATCHES: i64 = crate::augment::NUM_PATCHES as i64;

/// Settings of PIRL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PirlConfig {
    /// Trunk of the encoder.
    pub network: ResNetConfig,
    /// Dimensions of the embeddings.
    pub embedding: i64,
    /// Temperature, T: divisor of similarities.
    pub temperature: f64,
    /// Number of negatives of a step.
    pub negatives: usize,
    /// Momentum of the memory: the share of itself that a vector keeps when its image is seen.
    pub bank_momentum: f64,
    /// Parts of a batch with batch-norm statistics of their own.
    pub groups: i64,
    /// Number format of convolutions and matrix products.
    pub precision: NumberFormat,
}

/// Trunk, heads and memory.
#[derive(Debug)]
pub struct Pirl {
    config: PirlConfig,
    trunk: ResNet,
    image_head: Head,
    patch_head: Head,
    jigsaw_head: Head,
    tensors: NamedTensors,
    /// Memory, `records x E`, unit rows.
    bank: Tensor,
    /// Updates of the memory at the end of the step: record indices, `N`, and image embeddings, `N x E`.
    pending: Vec<(Tensor, Tensor)>,
}

impl Pirl {
    /// New weights and a memory of random unit vectors, drawn from `seed`.
    pub fn new(config: PirlConfig, num_records: i64, seed: Seed, device: Device) -> Self {
        let (features, embedding) = (config.network.num_features(), config.embedding);
        let seed_of = |part: &str| seed.for_step(part, "");
        let trunk = ResNet::new(&config.network, seed_of("backbone"), device);
        let head = |part: &str, inputs: i64| Head::linear(inputs, embedding, seed_of(part), device);
        let image_head = head("head.image", features);
        let patch_head = head("head.patch", features);
        let jigsaw_head = head("head.jigsaw", NUM_PATCHES * embedding);
        let mut tensors = NamedTensors::default();
        tensors.extend("backbone", trunk.tensors());
        tensors.extend("head.image", image_head.tensors());
        tensors.extend("head.patch", patch_head.tensors());
        tensors.extend("head.jigsaw", jigsaw_head.tensors());
        let noise = normal(seed_of("bank"), &[num_records, embedding]);
        Self {
            config,
            trunk,
            image_head,
            patch_head,
            jigsaw_head,
            tensors,
            bank: unit_rows(&noise).to_device(device),
            pending: Vec::new(),
        }
    }

    /// Network without its heads.
    pub fn trunk(&self) -> &ResNet {
        &self.trunk
    }

    /// Tensors of the network: `backbone.`, `head.image.`, `head.patch.`, `head.jigsaw.`.
    pub fn trained(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Memory, `records x E`, unit rows.
    pub fn bank(&self) -> &Tensor {
        &self.bank
    }

    /// Loss of a batch or a part of one, ready for `backward`. Views are the image and the jigsaw; negatives are drawn from
    /// `seed`.
    ///
    /// # Panics
    /// If there are not two views.
    pub fn loss(&mut self, inputs: &StepInputs, seed: Seed) -> Observed {
        let negatives = self.draw_negatives(seed);
        self.loss_against(&negatives, inputs)
    }

    /// As [`loss`](Self::loss), with the records of these indices, i64, as negatives.
    pub fn loss_against(&mut self, negatives: &Tensor, inputs: &StepInputs) -> Observed {
        let [image, patches] = <&[Tensor; 2]>::try_from(inputs.views.as_slice())
            .expect("PIRL is given an image and its jigsaw");
        let pass = Pass::Training {
            groups: self.config.groups,
            precision: self.config.precision,
        };
        let features = self.trunk.forward(image, pass);
        let image = unit_rows(&self.image_head.forward(&features, pass));
        let jigsaw = self.embed_jigsaw(patches, pass);
        let records = &inputs.records;
        let positives = self.bank.index_select(0, records);
        let is_own = records.unsqueeze(1).eq_tensor(&negatives.unsqueeze(0));
        let negatives = self.bank.index_select(0, negatives);
        let term = |queries: &Tensor| {
            let temperature = self.config.temperature;
            let contrast = info_nce(queries, &positives, &negatives, Some(&is_own), temperature);
            Observed {
                loss: contrast.loss * 0.5,
                positive_similarity: contrast.positive * 0.5,
                negative_similarity: contrast.negative * 0.5,
                queries: queries.shallow_clone(),
                keys: positives.shallow_clone(),
            }
        };
        let observed = term(&image).plus(term(&jigsaw));
        self.pending.push((records.shallow_clone(), image.detach()));
        observed
    }

    /// Ends a step: the memory moves towards the embeddings of the images seen.
    pub fn end_step(&mut self) {
        tch::no_grad(|| {
            for (records, images) in std::mem::take(&mut self.pending) {
                let momentum = self.config.bank_momentum;
                let kept = self.bank.index_select(0, &records) * momentum;
                let moved = unit_rows(&(kept + images * (1.0 - momentum)));
                let _ = self.bank.index_copy_(0, &records, &moved);
            }
        });
    }

    /// Maps patches, `9 N x 3 x P x P`, to embeddings, `N x E`, unit rows: trunk and patch head embed each patch, the jigsaw
    /// head the nine of a record, concatenated in their shuffled order.
    fn embed_jigsaw(&self, patches: &Tensor, pass: Pass) -> Tensor {
        let features = self.trunk.forward(patches, pass);
        let nine = (self.patch_head.forward(&features, pass))
            .reshape([-1, NUM_PATCHES * self.config.embedding]);
        unit_rows(&self.jigsaw_head.forward(&nine, pass))
    }

    fn draw_negatives(&self, seed: Seed) -> Tensor {
        let num_records = self.bank.size()[0];
        let mut rng = seed.for_step("negatives", "").rng();
        let drawn: Vec<i64> = (0..self.config.negatives)
            .map(|_| rng.random_range(0..num_records))
            .collect();
        Tensor::from_slice(&drawn).to_device(self.bank.device())
    }
}
