//! Pretext-invariant representation learning: an image, and its jigsaw, against a memory of all images.
//!
//! Where a published value is not known: the negatives are drawn once a step for the whole batch, and a record's own vector
//! does not count among its negatives. The contrast is the cross-entropy over 1 + N logits.
//!
//! # Source
//! Misra and van der Maaten, "Self-Supervised Learning of Pretext-Invariant Representations", CVPR 2020.

use rand::RngExt;
use tch::{Device, Kind, Reduction, Tensor};
use vidpairs_types::Seed;

use super::step::{Observed, StepInputs};
use crate::model::{Head, NamedTensors, Pass, Precision, ResNet, ResNetConfig, normal, unit_rows};

/// Patches of a jigsaw.
const NUM_PATCHES: i64 = 9;

/// Which PIRL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PirlConfig {
    /// The trunk.
    pub network: ResNetConfig,
    /// Dimensions of the vectors that are compared.
    pub embedding: i64,
    /// T.
    pub temperature: f64,
    /// Negatives of a step.
    pub negatives: usize,
    /// How much of itself a vector of the memory keeps when its image is seen.
    pub bank_momentum: f64,
    /// Parts of a batch with statistics of their own.
    pub groups: i64,
    /// The numbers.
    pub precision: Precision,
}

/// The trunk, its heads, and the memory.
#[derive(Debug)]
pub struct Pirl {
    config: PirlConfig,
    trunk: ResNet,
    image_head: Head,
    patch_head: Head,
    jigsaw_head: Head,
    tensors: NamedTensors,
    /// `records x E`, unit rows.
    bank: Tensor,
    /// What the memory learns at the end of the step: numbers of records, `N x E`.
    pending: Vec<(Tensor, Tensor)>,
}

impl Pirl {
    /// New weights and a memory of random unit vectors, from `seed`.
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

    /// The network without its heads.
    pub fn trunk(&self) -> &ResNet {
        &self.trunk
    }

    /// What is learnt: `backbone.`, `head.image.`, `head.patch.`, `head.jigsaw.`.
    pub fn trained(&self) -> &NamedTensors {
        &self.tensors
    }

    /// The memory, `records x E`.
    pub fn bank(&self) -> &Tensor {
        &self.bank
    }

    /// The loss of a (part of a) batch, ready for `backward`: views are the image and the jigsaw. Negatives are drawn from
    /// `seed`.
    pub fn loss(&mut self, inputs: &StepInputs, seed: Seed) -> Observed {
        let negatives = self.draw_negatives(seed);
        self.loss_against(&negatives, inputs)
    }

    /// The same against the records of these numbers, i64.
    pub fn loss_against(&mut self, negatives: &Tensor, inputs: &StepInputs) -> Observed {
        let [image, patches] = inputs.views.as_slice() else {
            return Observed::default();
        };
        let pass = Pass::Training {
            groups: self.config.groups,
            precision: self.config.precision,
        };
        let image = unit_rows(
            &self
                .image_head
                .forward(&self.trunk.forward(image, pass), pass),
        );
        let jigsaw = self.embed_jigsaw(patches, pass);
        let positives = self.bank.index_select(0, &inputs.records);
        let mut observed: Option<Observed> = None;
        for queries in [&image, &jigsaw] {
            let term = self.contrast(queries, &positives, negatives, &inputs.records);
            observed = Some(match observed {
                Some(sum) => sum.plus(term),
                None => term,
            });
        }
        self.pending
            .push((inputs.records.shallow_clone(), image.detach()));
        observed.unwrap_or_default()
    }

    /// Ends a step: the memory moves towards the images that were seen.
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

    /// `9 N x 3 x P x P` patches to `N x E` unit vectors: each through the trunk and a head, the nine put together in
    /// their (shuffled) order.
    fn embed_jigsaw(&self, patches: &Tensor, pass: Pass) -> Tensor {
        let each = self
            .patch_head
            .forward(&self.trunk.forward(patches, pass), pass);
        let together = each.reshape([-1, NUM_PATCHES * self.config.embedding]);
        unit_rows(&self.jigsaw_head.forward(&together, pass))
    }

    fn draw_negatives(&self, seed: Seed) -> Tensor {
        let num_records = self.bank.size()[0].max(1);
        let mut rng = seed.for_step("negatives", "").rng();
        let drawn: Vec<i64> = (0..self.config.negatives)
            .map(|_| rng.random_range(0..num_records))
            .collect();
        Tensor::from_slice(&drawn).to_device(self.bank.device())
    }

    fn contrast(
        &self,
        queries: &Tensor,
        positives: &Tensor,
        negatives: &Tensor,
        records: &Tensor,
    ) -> Observed {
        let positive = (queries * positives).sum_dim_intlist([1i64].as_slice(), true, None);
        let negative = queries.matmul(&self.bank.index_select(0, negatives).tr());
        let is_own = records.unsqueeze(1).eq_tensor(&negatives.unsqueeze(0));
        let logits = negative.masked_fill(&is_own, f64::NEG_INFINITY);
        let logits = Tensor::cat(&[&positive, &logits], 1) / self.config.temperature;
        let labels = Tensor::zeros([queries.size()[0]], (Kind::Int64, queries.device()));
        let loss = logits.cross_entropy_loss(&labels, None::<Tensor>, Reduction::Mean, -100, 0.0);
        Observed {
            loss: loss * 0.5,
            positive_similarity: positive.detach().mean(None) * 0.5,
            negative_similarity: negative.detach().mean(None) * 0.5,
            queries: queries.shallow_clone(),
            keys: positives.shallow_clone(),
        }
    }
}
