use std::time::Instant;

use super::*;

fn order(num_records: u64, seed: u64, epoch: u64) -> EpochOrder {
    EpochOrder::new(num_records, Seed::of_run(seed), epoch)
}

fn epoch_of(num_records: u64, seed: u64, epoch: u64) -> Vec<u64> {
    order(num_records, seed, epoch).records_from(0).collect()
}

#[test]
fn every_record_comes_once_for_any_number_of_records() {
    let around = (1..=16).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]);
    let primes = [307, 1009, 7919, 65_537, 99_991];
    for num_records in (1..=300).chain(around).chain(primes).chain([100_000]) {
        for epoch in 0..2 {
            let mut seen = vec![false; num_records as usize];
            for record in epoch_of(num_records, 3, epoch) {
                assert!(
                    !std::mem::replace(&mut seen[record as usize], true),
                    "record {record} of {num_records} comes twice"
                );
            }
            assert!(seen.iter().all(|&seen| seen), "{num_records}");
        }
    }
}

#[test]
fn large_data_sets_have_an_order_too() {
    for num_records in [(1 << 40) - 1, 1 << 40, 1 << 62] {
        let order = order(num_records, 0, 0);
        let ends = (0..1000).chain(num_records - 1000..num_records);
        let mut records: Vec<u64> = ends.map(|position| order.record_at(position)).collect();
        assert!(records.iter().all(|&record| record < num_records));
        records.sort_unstable();
        assert!(records.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn an_order_is_the_same_for_the_same_seed_and_epoch_and_another_for_any_other() {
    assert_eq!(epoch_of(1000, 1, 0), epoch_of(1000, 1, 0));
    let of_others = [
        epoch_of(1000, 1, 1),
        epoch_of(1000, 2, 0),
        epoch_of(1000, 1, u64::MAX),
        (0..1000).collect(),
    ];
    let first = epoch_of(1000, 1, 0);
    for other in of_others {
        // Two random orders agree in one place on average.
        let num_same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(num_same < 10, "{num_same}");
    }
}

#[test]
fn the_order_of_a_version_is_the_order_of_the_next() {
    // A resumed run must find the order it began with, so these numbers are not to change.
    assert_eq!(epoch_of(12, 7, 0), [6, 9, 10, 5, 0, 7, 2, 3, 4, 1, 8, 11]);
    assert_eq!(order(1 << 40, 7, 3).record_at(1 << 39), 963_904_331_181);
}

#[test]
fn all_orders_of_a_few_records_occur_about_equally_often() {
    let num_trials = 24_000u64;
    let mut counts = std::collections::BTreeMap::new();
    for epoch in 0..num_trials {
        *counts.entry(epoch_of(4, 0, epoch)).or_insert(0u64) += 1;
    }
    assert_eq!(counts.len(), 24);
    let chi_squared = chi_squared(counts.values().copied(), num_trials as f64 / 24.0);
    // 23 degrees of freedom: above 60 once in 30,000 times.
    assert!(chi_squared < 60.0, "{chi_squared}");
}

#[test]
fn records_of_one_video_are_spread_over_the_epoch() {
    let num_records = 60_000;
    let mut positions = vec![0u64; num_records as usize];
    for (position, record) in (0..).zip(epoch_of(num_records, 5, 0)) {
        positions[record as usize] = position;
    }
    for step in [1, 2, 12, 245] {
        // 245 is the side of the table that is permuted.
        let distances = positions.windows(step + 1);
        let distances = distances.map(|window| window[0].abs_diff(window[step]) as f64);
        let mean = distances.sum::<f64>() / (positions.len() - step) as f64;
        let third = num_records as f64 / 3.0;
        assert!(
            (mean / third - 1.0).abs() < 0.02,
            "records {step} apart: {mean}"
        );
    }
}

#[test]
fn a_batch_holds_two_records_of_one_video_as_often_as_a_random_one() {
    let (num_records, batch, group) = (120_000u64, 256usize, 12u64);
    let mut num_pairs = 0u64;
    let mut num_batches = 0u64;
    for epoch in 0..4 {
        for batch in epoch_of(num_records, 9, epoch).chunks_exact(batch) {
            let mut groups: Vec<u64> = batch.iter().map(|record| record / group).collect();
            groups.sort_unstable();
            let runs = groups.chunk_by(|a, b| a == b);
            num_pairs += runs
                .map(|run| run.len() as u64)
                .map(|len| len * (len - 1) / 2)
                .sum::<u64>();
            num_batches += 1;
        }
    }
    let pairs_in_batch = (batch * (batch - 1) / 2) as f64;
    let expected = pairs_in_batch * (group - 1) as f64 / (num_records - 1) as f64;
    let mean = num_pairs as f64 / num_batches as f64;
    // 1872 batches of about 3 pairs each: one standard deviation is 1.3 %.
    assert!((mean / expected - 1.0).abs() < 0.06, "{mean}, {expected}");
}

#[test]
fn no_stretch_of_the_epoch_prefers_a_stretch_of_the_records() {
    const SIDE: u64 = 20;
    for num_records in [40_000, 65_536, 99_991] {
        let mut counts = vec![0u64; (SIDE * SIDE) as usize];
        for (position, record) in (0..).zip(epoch_of(num_records, 1, 2)) {
            let cell = position * SIDE / num_records * SIDE + record * SIDE / num_records;
            counts[cell as usize] += 1;
        }
        let expected = num_records as f64 / (SIDE * SIDE) as f64;
        let chi_squared = chi_squared(counts, expected);
        // 361 degrees of freedom: mean 361, standard deviation 27.
        assert!((240.0..500.0).contains(&chi_squared), "{chi_squared}");
    }
}

#[test]
fn ten_million_positions_cost_seconds_at_most() {
    let started = Instant::now();
    let order = order(10_000_000, 0, 0);
    let sum = order.records_from(0).fold(0u64, u64::wrapping_add);
    assert_eq!(sum, 10_000_000 * 9_999_999 / 2);
    let secs = started.elapsed().as_secs_f64();
    // A tenth of it where nothing else runs; the rest is for crowded machines.
    assert!(secs < 10.0, "{secs}");
    println!("{:.1} ns a position", secs * 100.0);
}

fn chi_squared(counts: impl IntoIterator<Item = u64>, expected: f64) -> f64 {
    let counts = counts.into_iter();
    counts
        .map(|count| (count as f64 - expected).powi(2) / expected)
        .sum()
}
