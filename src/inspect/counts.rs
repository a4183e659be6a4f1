//! Counts how many records have each value, in bounded memory.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::Serialize;

/// Maximum number of different values. Further values, such as one label for each of millions of clips, are counted together, so that
/// memory does not grow with the data set.
const MAX_DISTINCT: usize = 1 << 16;

/// How many records have each value.
#[derive(Debug, Clone)]
pub(super) struct Counts<V> {
    by_value: BTreeMap<V, u64>,
    /// Records with a value beyond the first [`MAX_DISTINCT`].
    beyond: u64,
}

impl<V> Default for Counts<V> {
    fn default() -> Self {
        Self {
            by_value: BTreeMap::new(),
            beyond: 0,
        }
    }
}

impl<V: Ord + Clone> Counts<V> {
    /// Counts one record with `value`.
    pub fn add<Q>(&mut self, value: &Q)
    where
        V: Borrow<Q>,
        Q: Ord + ToOwned<Owned = V> + ?Sized,
    {
        match self.by_value.get_mut(value) {
            Some(count) => *count += 1,
            None => self.add_new(value.to_owned(), 1),
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: Self) {
        self.beyond += other.beyond;
        for (value, records) in other.by_value {
            match self.by_value.get_mut(&value) {
                Some(count) => *count += records,
                None => self.add_new(value, records),
            }
        }
    }

    fn add_new(&mut self, value: V, records: u64) {
        if self.by_value.len() < MAX_DISTINCT {
            self.by_value.insert(value, records);
        } else {
            self.beyond += records;
        }
    }

    /// Values, ascending, and their numbers of records.
    pub fn ascending(&self) -> impl DoubleEndedIterator<Item = (&V, u64)> {
        self.by_value
            .iter()
            .map(|(value, &records)| (value, records))
    }

    /// The `max_shown` most frequent values; ascending among equally frequent ones.
    pub fn top(&self, max_shown: usize) -> Top<V> {
        let mut shares: Vec<Share<V>> = self
            .ascending()
            .map(|(value, records)| Share {
                value: value.clone(),
                records,
            })
            .collect();
        shares.sort_by_key(|share| std::cmp::Reverse(share.records));
        let more = shares.split_off(max_shown.min(shares.len()));
        Top {
            top: shares,
            more_values: more.len() as u64,
            more_records: more.iter().map(|share| share.records).sum::<u64>() + self.beyond,
        }
    }
}

/// A value and its number of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share<V> {
    /// The value.
    pub value: V,
    /// Records with the value.
    pub records: u64,
}

/// The most frequent values, and the number of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Top<V> {
    /// Most frequent value first.
    pub top: Vec<Share<V>>,
    /// Number of other values.
    pub more_values: u64,
    /// Records with one of the other values.
    pub more_records: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_values_come_first_and_the_others_are_added_up() {
        let mut counts = Counts::<String>::default();
        for value in ["b", "a", "c", "b", "d"] {
            counts.add(value);
        }
        let top = counts.top(2);
        let shown: Vec<_> = top.top.iter().map(|share| share.value.as_str()).collect();
        assert_eq!((shown, top.top[0].records), (vec!["b", "a"], 2));
        assert_eq!((top.more_values, top.more_records), (2, 2));
    }

    #[test]
    fn values_beyond_the_maximum_are_counted_together() {
        let mut counts = Counts::default();
        for value in 0..=MAX_DISTINCT as u64 {
            counts.add(&value);
        }
        assert_eq!(counts.by_value.len(), MAX_DISTINCT);
        assert_eq!(counts.top(1).more_records, MAX_DISTINCT as u64);
    }
}
