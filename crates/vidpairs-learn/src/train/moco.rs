//! Momentum contrast (MoCo) on frames, regions, or both.
//!
//! # Source
//! He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020 (v1); Chen et al., "Improved
//! Baselines with Momentum Contrastive Learning", 2020 (v2); Purushwalkam and Gupta, NeurIPS 2020, for the loss over frames and
//! regions.

use tch::{Device, Tensor};
use vidpairs_pipeline::NumberFormat;
use vidpairs_types::Seed;

use super::contrast::info_nce;
use super::encoder::{Encoder, HeadKind};
use super::queue::Queue;
use super::shuffle::Shuffle;
use super::step::{Observed, StepInputs};
use crate::model::{NamedTensors, Pass, ResNetConfig};

/// Settings of MoCo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MocoConfig {
    /// Trunk of both encoders.
    pub network: ResNetConfig,
    /// Head of both encoders.
    pub head: HeadKind,
    /// Dimensions of the embeddings.
    pub embedding: i64,
    /// Number of keys in the queue, K.
    pub queue: i64,
    /// Temperature, T: divisor of similarities.
    pub temperature: f64,
    /// Momentum of the key encoder, m: the share of itself that it keeps in a step.
    pub key_momentum: f64,
    /// Parts of a batch with batch-norm statistics of their own; 1 for the batch as a whole.
    pub groups: i64,
    /// Whether keys are grouped differently from queries. Otherwise batch norm reveals which key belongs to which query;
    /// for comparisons only.
    pub is_shuffled: bool,
    /// Whether each key view also serves as a query.
    pub is_symmetric: bool,
    /// Weight of the region term, 0 to 1, where the frame term has the rest; 0.5 in the paper.
    pub region_weight: f64,
    /// Number format of convolutions and matrix products.
    pub precision: NumberFormat,
}

/// Views to be matched, row by row, and the weight of their loss in the sum.
#[derive(Debug)]
struct ViewPair {
    /// Query view, `N x 3 x S x S`.
    query: Tensor,
    /// Key view, `N x 3 x S x S`.
    key: Tensor,
    weight: f64,
}

/// Query encoder, key encoder and queue.
#[derive(Debug)]
pub struct Moco {
    config: MocoConfig,
    query: Encoder,
    key: Encoder,
    queue: Queue,
    /// Keys of the present step, which enter the queue at its end.
    pending: Vec<Tensor>,
}

impl Moco {
    /// New weights and a queue of random unit vectors, drawn from `seed`. Both encoders start with the same weights.
    pub fn new(config: MocoConfig, seed: Seed, device: Device) -> Self {
        let encoder = || Encoder::new(&config.network, config.head, config.embedding, seed, device);
        let (query, key) = (encoder(), encoder());
        key.tensors().freeze();
        let seed = seed.for_step("queue", "");
        let queue = Queue::random(config.queue, config.embedding, seed, device);
        Self {
            config,
            query,
            key,
            queue,
            pending: Vec::new(),
        }
    }

    /// Query encoder, which is trained.
    pub fn query(&self) -> &Encoder {
        &self.query
    }

    /// Key encoder, which follows the query encoder.
    pub fn key(&self) -> &Encoder {
        &self.key
    }

    /// Queue of negatives.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Queue of negatives, for resuming a stopped run.
    pub fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// Tensors of the query encoder.
    pub fn trained(&self) -> &NamedTensors {
        self.query.tensors()
    }

    /// Begins a step: moves the key encoder towards the query encoder.
    pub fn begin_step(&mut self) {
        self.key.follow(&self.query, self.config.key_momentum);
    }

    /// Loss of a batch or a part of one, ready for `backward`. Views are query and key, of the images, or of the frames and
    /// then of the regions.
    ///
    /// Keys wait for [`end_step`](Self::end_step), so that all parts of a step, and both directions of a symmetric loss, see
    /// the same negatives.
    ///
    /// # Panics
    /// If there are fewer than two views.
    pub fn loss(&mut self, inputs: &StepInputs, seed: Seed) -> Observed {
        let pairs = self.pairs(&inputs.views);
        (pairs.iter().enumerate())
            .map(|(index, pair)| self.term(pair, seed.for_step("shuffle", &index.to_string())))
            .reduce(Observed::plus)
            .expect("MoCo is given a query view and a key view")
    }

    /// Ends a step: its keys enter the queue.
    pub fn end_step(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.queue.enqueue(&Tensor::cat(&pending, 0));
        }
    }

    /// Pairs up the views.
    fn pairs(&self, views: &[Tensor]) -> Vec<ViewPair> {
        let weights = match views.len() {
            ..=2 => [1.0, 0.0],
            _ => [1.0 - self.config.region_weight, self.config.region_weight],
        };
        let mut pairs = Vec::new();
        for (two, weight) in views.chunks_exact(2).zip(weights) {
            let directions: &[(usize, usize)] = match self.config.is_symmetric {
                true => &[(0, 1), (1, 0)],
                false => &[(0, 1)],
            };
            for &(query, key) in directions {
                pairs.push(ViewPair {
                    query: two[query].shallow_clone(),
                    key: two[key].shallow_clone(),
                    weight: weight / directions.len() as f64,
                });
            }
        }
        pairs
    }

    fn term(&mut self, pair: &ViewPair, seed: Seed) -> Observed {
        let pass = Pass::Training {
            groups: self.config.groups,
            precision: self.config.precision,
        };
        let queries = self.query.embed(&pair.query, pass);
        let keys = tch::no_grad(|| {
            if self.config.groups == 1 || !self.config.is_shuffled {
                return self.key.embed(&pair.key, pass);
            }
            let shuffle = Shuffle::new(pair.key.size()[0], seed, pair.key.device());
            shuffle.undo(&self.key.embed(&shuffle.apply(&pair.key), pass))
        });
        let (negatives, temperature) = (self.queue.keys(), self.config.temperature);
        let contrast = info_nce(&queries, &keys, negatives, None, temperature);
        self.pending.push(keys.shallow_clone());
        Observed {
            loss: contrast.loss * pair.weight,
            positive_similarity: contrast.positive * pair.weight,
            negative_similarity: contrast.negative * pair.weight,
            queries,
            keys,
        }
    }
}
