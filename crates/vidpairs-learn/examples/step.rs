//! Measures training steps of MoCo with ResNet-18 on random images, on the CPU, in images per second.
//!
//! ```text
//! cargo run --release -p vidpairs-learn --example step -- SIDE BATCH THREADS [STEPS [GROUPS]]
//! ```
//!
//! A step is the query's forward and backward pass, the key's forward pass, and SGD. `scripts/benchmarks/train.py` compares it
//! with PyTorch.

#![allow(clippy::print_stdout)] // prints its result

use std::error::Error;
use std::time::Instant;

use tch::{Device, Kind, Tensor};
use vidpairs_learn::model::{Depth, NumberFormat, ResNetConfig, Stem, channels_last, use_cores};
use vidpairs_learn::train::{
    DataCounts, DecayOf, HeadKind, Learner, LearnerConfig, MethodConfig, MocoConfig, SgdConfig,
    StepInputs,
};
use vidpairs_types::Seed;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<i64> = (std::env::args().skip(1))
        .map(|arg| arg.parse())
        .collect::<Result<_, _>>()?;
    let (side, batch, threads, steps, groups) = match args[..] {
        [side, batch, threads] => (side, batch, threads, 7, 1),
        [side, batch, threads, steps] => (side, batch, threads, steps, 1),
        [side, batch, threads, steps, groups] => (side, batch, threads, steps, groups),
        _ => return Err("usage: step SIDE BATCH THREADS [STEPS [GROUPS]]".into()),
    };
    use_cores(Device::Cpu, usize::try_from(threads)?);
    let config = LearnerConfig {
        method: MethodConfig::Moco(MocoConfig {
            network: ResNetConfig {
                depth: Depth::R18,
                width: 64,
                stem: Stem::Large,
            },
            head: HeadKind::Linear,
            embedding: 128,
            queue: batch,
            temperature: 0.2,
            key_momentum: 0.999,
            groups,
            is_shuffled: true,
            is_symmetric: false,
            region_weight: 0.5,
            precision: NumberFormat::F32,
        }),
        sgd: SgdConfig {
            momentum: 0.9,
            weight_decay: 1e-4,
            decay_of: DecayOf::Everything,
        },
        accumulate: 1,
    };
    let counts = DataCounts {
        records: batch,
        labels: 0,
    };
    let mut learner = Learner::new(&config, counts, Seed::of_run(0), Device::Cpu);
    let images = Tensor::randn([batch, 3, side, side], (Kind::Float, Device::Cpu));
    let images = channels_last(&images);
    let inputs = StepInputs {
        records: Tensor::arange(batch, (Kind::Int64, Device::Cpu)),
        labels: Tensor::zeros([batch], (Kind::Int64, Device::Cpu)),
        views: vec![images.shallow_clone(), images],
    };
    let mut seconds = Vec::new();
    for step in 0..steps {
        let start = Instant::now();
        let seed = Seed::of_run(0).for_step("step", &step.to_string());
        learner.step(&inputs, 0.03, seed)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).ok_or("no steps")?;
    println!("images_per_second={:.1}", batch as f64 / median);
    Ok(())
}
