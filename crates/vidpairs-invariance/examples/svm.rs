//! Times the cross-validated support vector machines of a file of features, for `scripts/benchmarks/probe.py`.
//!
//! ```text
//! cargo run --release -p vidpairs-invariance --example svm -- FEATURES NUM_UNITS TRUTHS NUM_CLASSES WORKERS [COST ...]
//! ```
//!
//! `FEATURES`: `images x NUM_UNITS` f32, little endian, rows of length 1. `TRUTHS`: `NUM_CLASSES x images` bytes, 1 for a positive. Prints the
//! seconds, then for each class the chosen cost and the average precision on the training images, then the number of machines that did not
//! converge. The time does not include reading the files.

#![allow(clippy::print_stdout)] // The lines are the output of this program.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{env, fs, thread};

use vidpairs_invariance::measure::Features;
use vidpairs_invariance::probe::Truths;
use vidpairs_invariance::probe::precision::{ApKind, Ranking};
use vidpairs_invariance::probe::svm::{FittedSvm, SvmOptions, SvmSearch};
use vidpairs_types::{ProbeLabel, Seed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [
        features,
        num_units,
        truths,
        num_classes,
        workers,
        costs @ ..,
    ] = arguments.as_slice()
    else {
        return Err("usage: svm FEATURES NUM_UNITS TRUTHS NUM_CLASSES WORKERS [COST ...]".into());
    };
    let (num_classes, workers): (usize, usize) = (num_classes.parse()?, workers.parse()?);
    let bytes = fs::read(features)?;
    let (words, _) = bytes.as_chunks::<4>();
    let values: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    let shown = fs::read(truths)?;
    let num_images = shown.len() / num_classes;
    let label = |image: usize| {
        let classes = (0..num_classes).filter(|class| shown[class * num_images + image] == 1);
        ProbeLabel::Many {
            positive: classes.collect(),
            ignored: Vec::new(),
        }
    };
    let labels: Vec<ProbeLabel> = (0..num_images).map(label).collect();
    let mut options = SvmOptions::vissl();
    if !costs.is_empty() {
        options.costs = costs
            .iter()
            .map(|cost| cost.parse())
            .collect::<Result<_, _>>()?;
    }

    let start = Instant::now();
    let features = Features::new(values, num_units.parse()?)?;
    let truths = Truths::new(&labels, num_classes)?;
    let search = SvmSearch::new(&features, truths.clone(), options, Seed::of_run(0))?;
    let scores = on_threads(workers, search.num_blocks(), |block| {
        search.validate(&features, block)
    });
    let validated = start.elapsed().as_secs_f64();
    let mut choosing = search.choosing();
    for scores in scores {
        choosing.take(scores?);
    }
    let choices = choosing.finish();
    let fitted = on_threads(workers, num_classes, |class| {
        search.fit(&features, class, choices.per_class[class].cost)
    });
    let fitted: Vec<Option<FittedSvm>> = fitted.into_iter().collect::<Result<_, _>>()?;
    println!("{:.3} {validated:.3}", start.elapsed().as_secs_f64());

    let mut num_not_converged = 0;
    for (class, (choice, fitted)) in choices.per_class.iter().zip(&fitted).enumerate() {
        let fitted = fitted
            .as_ref()
            .ok_or("a class lacks a positive or a negative")?;
        let ranking = Ranking::new(&fitted.svm.decide_all(&features), truths.of_class(class))?;
        let ap = ranking.average_precision(ApKind::Steps).unwrap_or_default();
        println!("{} {ap:.6} {:?}", choice.cost, choice.scores);
        num_not_converged += choice.num_not_converged.iter().sum::<usize>();
        num_not_converged += usize::from(!fitted.convergence.is_converged);
    }
    println!("{num_not_converged}");
    Ok(())
}

/// The results of blocks `0..num_blocks` in order, computed on `workers` threads.
fn on_threads<T: Send>(
    workers: usize,
    num_blocks: usize,
    compute: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    if block >= num_blocks {
                        break;
                    }
                    let result = compute(block);
                    done.lock().expect("no thread panics").push((block, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panics");
    done.sort_by_key(|(block, _)| *block);
    done.into_iter().map(|(_, result)| result).collect()
}
