//! What batch norm tells an encoder when query and key of a pair share a group, and that shuffling keeps it quiet.

#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)]

use tch::{Device, Kind, Tensor};
use vidpairs::model::{Depth, Precision, ResNetConfig, Stem};
use vidpairs::train::{HeadKind, Moco, MocoConfig, StepInputs};
use vidpairs::types::Seed;

const BATCH: i64 = 64;
const NUM_BATCHES: usize = 12;

/// How far the cosine of a query and its own key is set apart from those with the other keys of the batch, in standard errors,
/// for pairs whose two views have nothing in common: the key view of an image is the other image of its group of two.
/// Below zero where the two are farther: batch norm sets the images of a group off against each other.
fn set_apart(is_shuffled: bool) -> f64 {
    tch::manual_seed(7);
    let config = MocoConfig {
        network: ResNetConfig {
            depth: Depth::ResNet18,
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
    let mut moco = Moco::new(config, Device::Cpu);
    let other: Vec<i64> = (0..BATCH).map(|index| index ^ 1).collect();
    let other = Tensor::from_slice(&other);
    let mut apart: Vec<f64> = Vec::new();
    for batch in 0..NUM_BATCHES {
        // A colour and some grain: what batch norm leaves of the grain tells how far apart the two colours of a group are.
        let float = (Kind::Float, Device::Cpu);
        let colors = Tensor::randn([BATCH, 3, 1, 1], float);
        let images = colors + Tensor::randn([BATCH, 3, 8, 8], float) * 0.3;
        let inputs = StepInputs {
            records: Tensor::arange(BATCH, (Kind::Int64, Device::Cpu)),
            labels: Tensor::zeros([BATCH], (Kind::Int64, Device::Cpu)),
            views: vec![images.shallow_clone(), images.index_select(0, &other)],
        };
        let seed = Seed::of_run(1).for_step("step", &batch.to_string());
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
    assert!(apart.abs() > 10.0, "set apart by {apart} standard errors");
}

#[test]
fn with_shuffling_the_key_of_an_unrelated_view_is_like_any_other() {
    let apart = set_apart(true);
    assert!(apart.abs() < 4.0, "set apart by {apart} standard errors");
}
