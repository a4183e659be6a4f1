//! The order in which one epoch visits the records of a data set.

use rand::Rng;
use vidpairs_types::Seed;

/// Four make a Feistel network pseudo-random (Luby and Rackoff); the halves of a small data set are
/// so narrow that it takes more until every order is about as likely.
const NUM_ROUNDS: usize = 8;

/// A pseudo-random permutation of the records of a data set, one for every epoch: a pure function
/// of seed and epoch.
///
/// Any place of it is computed alone, in constant time and memory. So a run goes on in the middle of
/// an epoch without going over what came before, and the records of one video, which have consecutive
/// numbers, are spread over the whole epoch.
///
/// # Source
/// Luby and Rackoff, "How to construct pseudorandom permutations from pseudorandom functions", SIAM
/// J. Comput. 17(2), 1988, for the network. Black and Rogaway, "Ciphers with arbitrary finite
/// domains", CT-RSA 2002, for one over `0..rows * columns` instead of bits (their "generalized
/// Feistel"), and for walking on until a number below `num_records` comes ("cycle walking"). The
/// round function is the finaliser of SplitMix64 (Steele et al., OOPSLA 2014): it mixes well, and it
/// is no cipher, which nobody needs here.
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
    /// The network permutes the cells of a table that is about square and holds at least
    /// `num_records`: fewer than `rows` cells more, so that hardly ever a step is walked.
    rows: u64,
    columns: u64,
    keys: [u64; NUM_ROUNDS],
}

impl EpochOrder {
    /// The order of `epoch` (from 0) over records `0..num_records`.
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

    /// Records of an epoch: each comes once.
    pub fn num_records(&self) -> u64 {
        self.num_records
    }

    /// The record at `position` of the epoch; `position` is below [`num_records`](Self::num_records).
    ///
    /// Each record has one position. Past the end the order begins anew, as if it were repeated (a
    /// build with debug assertions stops there: the next epoch has an order of its own).
    pub fn record_at(&self, position: u64) -> u64 {
        debug_assert!(position < self.num_records, "past the end of the epoch");
        let mut cell = position % self.num_records.max(1);
        // The network permutes the table, so the walk from a number below `num_records` comes back
        // to one: at the latest to that which it began with.
        loop {
            cell = self.permuted(cell);
            if cell < self.num_records.max(1) {
                return cell;
            }
        }
    }

    /// The records from `position` to the end of the epoch.
    pub fn records_from(&self, position: u64) -> impl Iterator<Item = u64> + use<> {
        let order = *self;
        (position..self.num_records).map(move |position| order.record_at(position))
    }

    /// Two rounds at a time, so that the halves keep their ranges.
    fn permuted(&self, cell: u64) -> u64 {
        let (mut row, mut column) = (cell / self.columns, cell % self.columns);
        for keys in self.keys.chunks_exact(2) {
            row = shifted(row, scattered(column, keys[0], self.rows), self.rows);
            column = shifted(column, scattered(row, keys[1], self.columns), self.columns);
        }
        row * self.columns + column
    }
}

/// `(at + by) mod len` of two numbers below `len`.
fn shifted(at: u64, by: u64, len: u64) -> u64 {
    let sum = at + by;
    if sum < len { sum } else { sum - len }
}

/// A number below `len` that looks drawn, from `half` and `key`.
fn scattered(half: u64, key: u64, len: u64) -> u64 {
    let mut mixed = half.wrapping_add(key);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // The high word of the product: no division, and no favour for small numbers that would show.
    ((u128::from(mixed) * u128::from(len)) >> 64) as u64
}

#[cfg(test)]
mod tests;
