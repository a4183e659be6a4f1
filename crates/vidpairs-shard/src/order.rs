//! Random order of the records of a data set, one for each epoch.

use rand::Rng;
use vidpairs_types::Seed;

/// Rounds of the Feistel network. Four make it pseudo-random (Luby and Rackoff); the narrow halves of a small data set
/// need more until all orders are about equally likely.
const NUM_ROUNDS: usize = 8;

/// Pseudo-random permutation of the records of a data set, determined by seed and epoch.
///
/// Each position is computed independently, in constant time and memory, so a run can resume in the middle of an
/// epoch. The records of one video, which have consecutive numbers, are spread over the whole epoch.
///
/// # Source
/// - Feistel network: Luby and Rackoff, "How to construct pseudorandom permutations from pseudorandom functions", SIAM
///   J. Comput. 17(2), 1988.
/// - Generalized Feistel network over `0..rows * columns`, and cycle walking to a number below `num_records`: Black and
///   Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
/// - Round function: the finalizer of SplitMix64 (Steele et al., OOPSLA 2014). It mixes well; it is not a cipher.
///
/// # Examples
/// ```
/// use vidpairs_shard::EpochOrder;
/// use vidpairs_types::Seed;
///
/// let order = EpochOrder::new(1000, Seed::of_run(7), 0);
/// let epoch: Vec<u64> = order.records_from(0).collect();
/// assert_eq!(order.record_at(600), epoch[600]);
/// assert!(order.records_from(600).eq(epoch[600..].iter().copied()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochOrder {
    num_records: u64,
    /// Rows of the table whose cells the network permutes. The table is about square and has fewer than `rows` cells
    /// more than there are records, so cycle walking is rare.
    rows: u64,
    columns: u64,
    keys: [u64; NUM_ROUNDS],
}

impl EpochOrder {
    /// Order of the records `0..num_records` in epoch `epoch`, from 0.
    pub fn new(num_records: u64, seed: Seed, epoch: u64) -> Self {
        let root = num_records.isqrt();
        let rows = if root * root < num_records {
            root + 1
        } else {
            root.max(1)
        };
        let mut rng = seed.for_step("epoch order", &epoch.to_string()).rng();
        Self {
            num_records,
            rows,
            columns: num_records.div_ceil(rows).max(1),
            keys: std::array::from_fn(|_| rng.next_u64()),
        }
    }

    /// Number of records. Each appears once in an epoch.
    pub fn num_records(&self) -> u64 {
        self.num_records
    }

    /// Record at `position` of the epoch, below [`num_records`](Self::num_records).
    ///
    /// # Panics
    /// With debug assertions, if `position` is not below `num_records`. Without them the same order repeats.
    pub fn record_at(&self, position: u64) -> u64 {
        debug_assert!(position < self.num_records, "past the end of the epoch");
        let mut cell = position % self.num_records.max(1);
        // The network permutes the table, so a walk that starts below `num_records` returns below it, at the latest
        // at its start.
        loop {
            cell = self.permuted(cell);
            if cell < self.num_records.max(1) {
                return cell;
            }
        }
    }

    /// Records from `position` to the end of the epoch.
    pub fn records_from(&self, position: u64) -> impl Iterator<Item = u64> + use<> {
        let order = *self;
        (position..self.num_records).map(move |position| order.record_at(position))
    }

    /// Applies the network to a cell. Each step does two rounds, so the halves keep their ranges.
    fn permuted(&self, cell: u64) -> u64 {
        let (mut row, mut column) = (cell / self.columns, cell % self.columns);
        for keys in self.keys.chunks_exact(2) {
            row = shifted(row, scattered(column, keys[0], self.rows), self.rows);
            column = shifted(column, scattered(row, keys[1], self.columns), self.columns);
        }
        row * self.columns + column
    }
}

/// `(at + by) mod len`, for two numbers below `len`.
fn shifted(at: u64, by: u64, len: u64) -> u64 {
    let sum = at + by;
    if sum < len { sum } else { sum - len }
}

/// Round function: a pseudo-random number below `len`, from `half` and `key`.
fn scattered(half: u64, key: u64, len: u64) -> u64 {
    let mut mixed = half.wrapping_add(key);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // High word of the product: no division, and the bias is negligible.
    ((u128::from(mixed) * u128::from(len)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn order(num_records: u64, seed: u64, epoch: u64) -> EpochOrder {
        EpochOrder::new(num_records, Seed::of_run(seed), epoch)
    }

    fn epoch_of(num_records: u64, seed: u64, epoch: u64) -> Vec<u64> {
        order(num_records, seed, epoch).records_from(0).collect()
    }

    #[test]
    fn every_record_appears_once_for_any_number_of_records() {
        let around = (1..=16).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]);
        let primes = [307, 1009, 7919, 65_537, 99_991];
        for num_records in (1..=300).chain(around).chain(primes).chain([100_000]) {
            for epoch in 0..2 {
                let mut seen = vec![false; num_records as usize];
                for record in epoch_of(num_records, 3, epoch) {
                    assert!(
                        !std::mem::replace(&mut seen[record as usize], true),
                        "record {record} of {num_records} appears twice"
                    );
                }
                assert!(seen.iter().all(|&seen| seen), "{num_records}");
            }
        }
    }

    #[test]
    fn orders_of_large_data_sets_are_permutations() {
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
    fn equal_seed_and_epoch_give_equal_orders_and_others_differ() {
        assert_eq!(epoch_of(1000, 1, 0), epoch_of(1000, 1, 0));
        let of_others = [
            epoch_of(1000, 1, 1),
            epoch_of(1000, 2, 0),
            epoch_of(1000, 1, u64::MAX),
            (0..1000).collect(),
        ];
        let first = epoch_of(1000, 1, 0);
        for other in of_others {
            // Two random orders agree at one position on average.
            let num_same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(num_same < 10, "{num_same}");
        }
    }

    #[test]
    fn the_order_is_unchanged_between_versions() {
        // A resumed run needs the order it started with, so these numbers must not change.
        assert_eq!(epoch_of(12, 7, 0), [6, 9, 10, 5, 0, 7, 2, 3, 4, 1, 8, 11]);
        assert_eq!(order(1 << 40, 7, 3).record_at(1 << 39), 963_904_331_181);
    }

    #[test]
    fn all_orders_of_four_records_are_about_equally_frequent() {
        let num_trials = 24_000u64;
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..num_trials {
            *counts.entry(epoch_of(4, 0, epoch)).or_insert(0u64) += 1;
        }
        assert_eq!(counts.len(), 24);
        let chi_squared = chi_squared(counts.values().copied(), num_trials as f64 / 24.0);
        // 23 degrees of freedom: above 60 with probability 1 / 30,000.
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
            // 245 is the side of the permuted table.
            let distances = positions
                .windows(step + 1)
                .map(|window| window[0].abs_diff(window[step]) as f64);
            let mean = distances.sum::<f64>() / (positions.len() - step) as f64;
            let third = num_records as f64 / 3.0;
            assert!(
                (mean / third - 1.0).abs() < 0.02,
                "records {step} apart: {mean}"
            );
        }
    }

    #[test]
    fn batches_hold_two_records_of_one_video_as_often_as_random_batches() {
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
    fn every_part_of_the_epoch_draws_evenly_from_all_records() {
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
    fn ten_million_positions_take_less_than_ten_seconds() {
        let started = Instant::now();
        let order = order(10_000_000, 0, 0);
        let sum = order.records_from(0).fold(0u64, u64::wrapping_add);
        assert_eq!(sum, 10_000_000 * 9_999_999 / 2);
        let secs = started.elapsed().as_secs_f64();
        // An idle machine needs a tenth of it.
        assert!(secs < 10.0, "{secs}");
        println!("{:.1} ns a position", secs * 100.0);
    }

    fn chi_squared(counts: impl IntoIterator<Item = u64>, expected: f64) -> f64 {
        counts
            .into_iter()
            .map(|count| (count as f64 - expected).powi(2) / expected)
            .sum()
    }
}
