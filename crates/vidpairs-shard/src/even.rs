//! Division of records over shards.

use std::ops::Range;

/// Records of shard `shard` of `num_shards`, if `num_records` records are divided in their order: the first shards have one record more
/// where the division leaves a remainder.
///
/// Loaders give every r-th shard to one of r processes, so the larger shards must not lie at a regular distance.
///
/// # Examples
/// ```
/// use vidpairs_shard::even_range;
///
/// let shards: Vec<_> = (0..4).map(|shard| even_range(10, 4, shard)).collect();
/// assert_eq!(shards, [0..3, 3..6, 6..8, 8..10]);
/// ```
pub fn even_range(num_records: u64, num_shards: u64, shard: u64) -> Range<u64> {
    let num_shards = num_shards.max(1);
    let (fewest, num_larger) = (num_records / num_shards, num_records % num_shards);
    let first_of = |shard: u64| shard * fewest + shard.min(num_larger);
    first_of(shard)..first_of(shard + 1)
}
