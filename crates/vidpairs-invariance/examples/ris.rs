//! Times the invariance score of a file of features, for `scripts/benchmarks/invariance.py`.
//!
//! ```text
//! cargo run --release -p vidpairs-invariance --example ris -- FEATURES NUM_UNITS LABELS WORKERS ROUNDS [VERSION ...]
//! ```
//!
//! `FEATURES`: `images x NUM_UNITS` f32, little endian. `LABELS`: the instances of all images, then their classes, u32, little endian.
//! Prints one line: the seconds of each round, then the name of each version with its scores. The time includes checking that every number
//! is finite and grouping the labels, but not reading the files.

#![allow(clippy::print_stdout)] // The line is the output of this program.

use std::sync::Arc;
use std::time::Instant;
use std::{env, fs};

use vidpairs_invariance::measure::{Features, Labels, Plan, ScoreOptions, Version};
use vidpairs_invariance::run::{BlockCrew, score_features};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [features, num_units, labels, workers, rounds, versions @ ..] = arguments.as_slice() else {
        return Err("usage: ris FEATURES NUM_UNITS LABELS WORKERS ROUNDS [VERSION ...]".into());
    };
    let (num_units, workers, rounds): (usize, usize, u32) =
        (num_units.parse()?, workers.parse()?, rounds.parse()?);
    let mut options = ScoreOptions::default();
    if !versions.is_empty() {
        let versions = versions.iter().map(|name| Version::named(name));
        options.versions = versions.collect::<Option<_>>().ok_or("no such version")?;
    }
    let mut values: Vec<f32> = words(&fs::read(features)?)
        .map(f32::from_le_bytes)
        .collect();
    let labels: Vec<u32> = words(&fs::read(labels)?).map(u32::from_le_bytes).collect();
    let (instance, class) = labels.split_at(labels.len() / 2);
    let cancel = Arc::default();
    let crew = BlockCrew::quiet(workers, &cancel);
    for round in 1..=rounds {
        let start = Instant::now();
        let features = Arc::new(Features::new(values, num_units)?);
        let plan = Arc::new(Plan::new(Labels::new(instance, class)?, options.clone())?);
        let scores = score_features(&features, &plan, crew)?;
        print!("{:.4} ", start.elapsed().as_secs_f64());
        if round == rounds {
            for score in scores {
                print!("{}", score.version);
                score.top.iter().for_each(|top| print!(" {:.9}", top.mean));
                print!(" ");
            }
            println!();
        }
        values = Arc::try_unwrap(features)
            .map_err(|_| "a worker is left")?
            .into_values();
    }
    Ok(())
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().copied()
}
