//! Maps of dilated ResNets equal PyTorch's.
//!
//! `scripts/golden/dilated.py` made the expected numbers, with PyTorch 2.11.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};
use vidpairs_learn::model::{
    Depth, MapNetwork, NumberFormat, Pass, ResNet, ResNetConfig, StageName, Stem,
};
use vidpairs_types::Seed;

use crate::formula::{fill, uniform};

/// Every so many values of a map are compared.
const STEP: i64 = 37;
/// Greatest difference relative to the largest value of a map: layers sum in different orders.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    network: String,
    /// By layer.
    maps: BTreeMap<String, Map>,
}

#[derive(Deserialize)]
struct Map {
    shape: Vec<i64>,
    values: Vec<f32>,
}

#[test]
fn maps_of_dilated_resnets_are_those_of_pytorch_at_every_stage() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/probe/dilated.json"
    );
    let golden: Golden = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let image = (uniform(&[2, 3, 48, 64], 7) * 1.5).to_kind(Kind::Float);
    for case in golden.cases {
        let config = ResNetConfig {
            depth: match case.network.as_str() {
                "ResNet-50" => Depth::R50,
                _ => Depth::R18,
            },
            width: 4,
            stem: Stem::Large,
        };
        let network = ResNet::new(&config, Seed::of_run(0), Device::Cpu);
        fill(network.tensors());
        let stages = StageName::ALL.iter().skip(1);
        for (&stage, stride) in stages.zip([4, 8, 8, 8]) {
            let precision = NumberFormat::F32;
            let pass = Pass::Evaluation { precision };
            let map = tch::no_grad(|| network.map(&image, stage, pass));
            let expected = &case.maps[stage.name()];
            assert_eq!(map.size(), expected.shape, "{} {stage:?}", case.network);
            assert_eq!(network.map_stride(stage), stride);
            let values = map.contiguous().view(-1).slice(0, None, None, STEP);
            let expected = Tensor::from_slice(&expected.values);
            let difference = (values - &expected).abs().max() / expected.abs().max();
            let difference = difference.double_value(&[]);
            assert!(
                difference < TOLERANCE,
                "{} {stage:?}: {difference}",
                case.network
            );
        }
    }
}
