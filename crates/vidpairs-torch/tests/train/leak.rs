//! What batch norm tells an encoder when query and key of a pair share a group, and that shuffling keeps it quiet.

use tch::{Device, Kind, Tensor};
use vidpairs_learn::model::{Depth, Precision, ResNetConfig, Stem, normal};
use vidpairs_learn::train::{HeadKind, Moco, MocoConfig, StepInputs};
use vidpairs_types::Seed;

const BATCH: i64 = 64;
const NUM_BATCHES: usize = 12;

/// How far the cosine of a query and its own key is set apart from those with the other keys of the batch, in standard errors,
/// for pairs whose two views have no colour in common. The queries of a group of two are `m + d` and `m - d`, their
/// keys `n + d` and `n - d`, where `m` and `n` are a hundred times `d`: a view alone tells nothing of its partner, but what batch norm
/// makes of it in its group does.
fn set_apart(is_shuffled: bool) -> f64 {
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
        precision: Precision::F32,
    };
    let mut moco = Moco::new(config, seed, Device::Cpu);
    let mut apart: Vec<f64> = Vec::new();
    for batch in 0..NUM_BATCHES {
        let seed = seed.for_step("step", &batch.to_string());
        let pairs = |what: &str, scale: f64| {
            let drawn = normal(seed.for_step(what, ""), &[BATCH / 2, 1, 3, 1, 1]);
            (drawn * scale).repeat([1, 2, 1, 1, 1])
        };
        let ends = Tensor::from_slice(&[1f32, -1.0]).view([1, 2, 1, 1, 1]);
        let spread = pairs("spread", 1.0) * ends;
        // Of one pixel each: at the borders of larger ones convolutions would show `m` and `n` to batch norm.
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
            apart.push(own - (all - own) / (BATCH - 1) as f64);
        }
    }
    let count = apart.len() as f64;
    let mean = apart.iter().sum::<f64>() / count;
    let variance = apart.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    mean / (variance / count).sqrt()
}

#[test]
fn without_shuffling_the_statistics_of_a_group_tell_which_key_is_whose() {
    let apart = set_apart(false);
    assert!(apart > 10.0, "set apart by {apart} standard errors");
}

#[test]
fn with_shuffling_the_key_of_an_unrelated_view_is_like_any_other() {
    let apart = set_apart(true);
    assert!(apart.abs() < 4.0, "set apart by {apart} standard errors");
}
