//! Momentum contrast, on frames, on regions, or on both.
//!
//! # Source
//! He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020 (v1); Chen et al., "Improved
//! Baselines with Momentum Contrastive Learning", 2020 (v2); Purushwalkam and Gupta, NeurIPS 2020, for the loss over frames and
//! regions.

use tch::{Device, Kind, Reduction, Tensor};
use vidpairs_types::Seed;

use super::encoder::{Encoder, HeadKind};
use super::queue::Queue;
use super::shuffle::Shuffle;
use super::step::{Observed, StepInputs};
use crate::model::{NamedTensors, Pass, Precision, ResNetConfig};

/// Which MoCo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MocoConfig {
    /// The trunk.
    pub network: ResNetConfig,
    /// Its head.
    pub head: HeadKind,
    /// Dimensions of the vectors that are compared.
    pub embedding: i64,
    /// K: keys in the queue.
    pub queue: i64,
    /// T.
    pub temperature: f64,
    /// m: how much of itself the key encoder keeps in a step.
    pub key_momentum: f64,
    /// Parts of a batch with statistics of their own; 1 for the batch as a whole.
    pub groups: i64,
    /// Whether keys are encoded in another grouping than queries. Without it batch norm tells the encoder which key is
    /// whose: for comparison only.
    pub is_shuffled: bool,
    /// Also take each key view as a query.
    pub is_symmetric: bool,
    /// Weight of the region term beside the frame term, 0 to 1; the paper's is 0.5.
    pub region_weight: f64,
    /// The numbers.
    pub precision: Precision,
}

/// Two views, `N x 3 x S x S` each, row i of one belonging to row i of the other, and the weight of their loss.
#[derive(Debug)]
pub struct ViewPair {
    /// What asks.
    pub query: Tensor,
    /// What it should find.
    pub key: Tensor,
    /// Of this pair's loss in the sum.
    pub weight: f64,
}

/// Two encoders and the queue.
#[derive(Debug)]
pub struct Moco {
    config: MocoConfig,
    query: Encoder,
    key: Encoder,
    queue: Queue,
    /// Keys of this step, which enter the queue at its end.
    pending: Vec<Tensor>,
}

impl Moco {
    /// New weights and a queue of random unit vectors from `seed`; the key encoder begins as the query encoder does.
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

    /// The encoder that is trained.
    pub fn query(&self) -> &Encoder {
        &self.query
    }

    /// The one that follows it.
    pub fn key(&self) -> &Encoder {
        &self.key
    }

    /// The negatives.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The negatives, to go on with those of a stopped run.
    pub fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// What is learnt.
    pub fn trained(&self) -> &NamedTensors {
        self.query.tensors()
    }

    /// Begins a step: the key encoder follows the query encoder before it encodes.
    pub fn begin_step(&mut self) {
        self.key.follow(&self.query, self.config.key_momentum);
    }

    /// The loss of a (part of a) batch, ready for `backward`. Its keys wait for [`end_step`](Self::end_step), so that
    /// parts of one step, and the two directions of a symmetric loss, see the same negatives.
    pub fn loss(&mut self, inputs: &StepInputs, seed: Seed) -> Observed {
        let pairs = self.pairs(&inputs.views);
        let mut observed: Option<Observed> = None;
        for (index, pair) in pairs.iter().enumerate() {
            let seed = seed.for_step("shuffle", &index.to_string());
            let term = self.term(pair, seed);
            observed = Some(match observed {
                Some(sum) => sum.plus(term),
                None => term,
            });
        }
        observed.unwrap_or_default()
    }

    /// Ends a step: its keys enter the queue.
    pub fn end_step(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.queue.enqueue(&Tensor::cat(&pending, 0));
        }
    }

    /// Views two by two: query and key of the images, or of the frames and then of the regions.
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
        let contrast = info_nce(&queries, &keys, self.queue.keys(), self.config.temperature);
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

/// A contrastive loss and the similarities that it was made from.
#[derive(Debug)]
pub struct Contrast {
    /// The mean over the batch, in nats.
    pub loss: Tensor,
    /// Mean cosine of query and key.
    pub positive: Tensor,
    /// Mean cosine of query and negative.
    pub negative: Tensor,
}

/// InfoNCE: `-log( exp(q.k/T) / (exp(q.k/T) + sum_i exp(q.n_i/T)) )`, the mean over the batch.
///
/// - `queries`, `keys`: `N x E`, unit rows; `negatives`: `K x E`, the same for all.
///
/// # Source
/// van den Oord et al. 2018; He et al. 2020, equation 1: cross-entropy over 1 + K logits with label 0.
pub fn info_nce(queries: &Tensor, keys: &Tensor, negatives: &Tensor, temperature: f64) -> Contrast {
    let positive = (queries * keys).sum_dim_intlist([1i64].as_slice(), true, None);
    let negative = queries.matmul(&negatives.tr());
    let logits = Tensor::cat(&[&positive, &negative], 1) / temperature;
    let labels = Tensor::zeros([queries.size()[0]], (Kind::Int64, queries.device()));
    Contrast {
        loss: logits.cross_entropy_loss(&labels, None::<Tensor>, Reduction::Mean, -100, 0.0),
        positive: positive.detach().mean(None),
        negative: negative.detach().mean(None),
    }
}
