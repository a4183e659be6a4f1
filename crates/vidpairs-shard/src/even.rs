//! Division of records over shards.

use std::ops::Range;

/// Records of shard `shard` of `num_shards`, if `num_records` records are divided in their order: the numbers of records of two shards
/// differ by at most one.
///
/// # Examples
/// ```
/// use vidpairs_shard::even_range;
///
/// let shards: Vec<_> = (0..3).map(|shard| even_range(10, 3, shard)).collect();
/// assert_eq!(shards, [0..3, 3..6, 6..10]);
/// ```
pub fn even_range(num_records: u64, num_shards: u64, shard: u64) -> Range<u64> {
    let first_of = |shard| {
        let product = u128::from(num_records) * u128::from(shard);
        (product / u128::from(num_shards.max(1))) as u64
    };
    first_of(shard)..first_of(shard + 1)
}
