//! A narrow network for tests of commands.

use std::path::Path;

use tch::Device;
use vidpairs_learn::model::{Depth, ResNet, ResNetConfig, Stem, to_host};
use vidpairs_types::Seed;
use vidpairs_weights::{Weights, write_safetensors};

/// Writes a narrow ResNet with weights drawn from `seed`.
pub fn write_narrow(path: &Path, seed: u64) {
    let config = ResNetConfig {
        depth: Depth::R18,
        width: 4,
        stem: Stem::Small,
    };
    let network = ResNet::new(&config, Seed::of_run(seed), Device::Cpu);
    let weights: Weights = network
        .tensors()
        .iter()
        .map(|named| (named.name.clone(), to_host(&named.tensor).unwrap()))
        .collect();
    write_safetensors(path, &weights).unwrap();
}
