//! Batch norm reveals which key belongs to a query if both are in one group, and shuffling prevents it.

use tch::{Device, Kind, Tensor};
use vidpairs_learn::model::{Depth, NumberFormat, ResNetConfig, Stem, normal};
use vidpairs_learn::train::{HeadKind, Moco, MocoConfig, StepInputs};
use vidpairs_types::Seed;

const BATCH: i64 = 64;
const NUM_BATCHES: usize = 12;

/// Mean difference between the cosine of a query with its own key and those with the other keys of the batch, in standard
/// errors.
///
/// The two views of a pair have unrelated colours: the queries of a group of two are `m + d` and `m - d`, their keys `n + d`
/// and `n - d`, where `m` and `n` are a hundred times `d`. A view alone does not identify its partner; normalised within its
/// group it does.
fn own_key_advantage(is_shuffled: bool) -> f64 {
    let seed = Seed::of_run(7);
    let config = MocoConfig {
        network: ResNetConfig {
            depth: Depth::R18,
            width: 8,
            stem: Stem::Small,
        },
        head: HeadKind::Mlp,
        embedding: 16,
        queue: 256,
        temperature: 0.2,
        key_momentum: 0.99,
        groups: BATCH / 2,
        is_shuffled,
        is_symmetric: false,
        region_weight: 0.5,
        precision: NumberFormat::F32,
    };
    let mut moco = Moco::new(config, seed, Device::Cpu);
    let mut advantages: Vec<f64> = Vec::new();
    for batch in 0..NUM_BATCHES {
        let seed = seed.for_step("step", &batch.to_string());
        let pairs = |part: &str, scale: f64| {
            let drawn = normal(seed.for_step(part, ""), &[BATCH / 2, 1, 3, 1, 1]);
            (drawn * scale).repeat([1, 2, 1, 1, 1])
        };
        let ends = Tensor::from_slice(&[1f32, -1.0]).view([1, 2, 1, 1, 1]);
        let spread = pairs("spread", 1.0) * ends;
        // Images of one pixel: at the borders of larger ones convolutions would reveal `m` and `n` to batch norm.
        let images = |colors: Tensor| colors.view([BATCH, 3, 1, 1]);
        let queries = images(pairs("queries", 100.0) + &spread);
        let keys = images(pairs("keys", 100.0) + &spread);
        let inputs = StepInputs {
            records: Tensor::arange(BATCH, (Kind::Int64, Device::Cpu)),
            labels: Tensor::zeros([BATCH], (Kind::Int64, Device::Cpu)),
            views: vec![queries, keys],
        };
        let observed = tch::no_grad(|| moco.loss(&inputs, seed));
        let cosines = observed.queries.matmul(&observed.keys.tr());
        for row in 0..BATCH {
            let own = cosines.double_value(&[row, row]);
            let all = cosines.get(row).sum(Kind::Double).double_value(&[]);
            advantages.push(own - (all - own) / (BATCH - 1) as f64);
        }
    }
    let count = advantages.len() as f64;
    let mean = advantages.iter().sum::<f64>() / count;
    let variance = advantages.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    mean / (variance / count).sqrt()
}

#[test]
fn without_shuffling_batch_norm_reveals_the_key_of_a_query() {
    let advantage = own_key_advantage(false);
    assert!(advantage > 10.0, "{advantage} standard errors");
}

#[test]
fn with_shuffling_the_own_key_is_no_closer_than_others() {
    let advantage = own_key_advantage(true);
    assert!(advantage.abs() < 4.0, "{advantage} standard errors");
}
