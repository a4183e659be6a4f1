//! Counts the answers to queries.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::candidates::Candidacy;

/// Counts of answers. Tallies of different queries can be added.
///
/// A query without a candidate of its own target cannot be answered correctly: it is left out and counted in `num_alone`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetrievalTally {
    /// Scored queries.
    pub num_queries: u64,
    /// Scored queries whose nearest neighbour shows their target.
    pub num_found: u64,
    /// Scored queries whose features are all 0; they count as misses.
    pub num_zeros: u64,
    /// Queries left out because no image of their target is far enough from them.
    pub num_alone: u64,
    /// Sum over the scored queries of the share of candidates that show the query's target.
    pub sum_chance: f64,
    /// Counts of each target with scored queries.
    pub targets: BTreeMap<u32, TargetTally>,
}

/// Counts of the answers to the queries of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetTally {
    /// Scored queries.
    pub num_queries: u64,
    /// Scored queries whose nearest neighbour shows the target.
    pub num_found: u64,
}

impl RetrievalTally {
    /// Share of the scored queries whose nearest neighbour shows their target, 0 to 1; `None` without scored queries.
    pub fn share(&self) -> Option<f64> {
        (self.num_queries > 0).then(|| self.num_found as f64 / self.num_queries as f64)
    }

    /// Expected share when guessing among the candidates of each query, 0 to 1; `None` without scored queries.
    pub fn chance(&self) -> Option<f64> {
        (self.num_queries > 0).then(|| self.sum_chance / self.num_queries as f64)
    }

    /// Counts one query with these candidates; `is_zero`: whether its features are all 0.
    pub(super) fn count(&mut self, candidacy: Candidacy, is_zero: bool, is_found: bool) {
        let Candidacy {
            target,
            num,
            num_same,
        } = candidacy;
        if num_same == 0 {
            self.num_alone += 1;
            return;
        }
        self.num_queries += 1;
        self.num_found += u64::from(is_found);
        self.num_zeros += u64::from(is_zero);
        self.sum_chance += num_same as f64 / num as f64;
        *self.targets.entry(target).or_default() += TargetTally {
            num_queries: 1,
            num_found: u64::from(is_found),
        };
    }
}

impl AddAssign for RetrievalTally {
    fn add_assign(&mut self, other: Self) {
        self.num_queries += other.num_queries;
        self.num_found += other.num_found;
        self.num_zeros += other.num_zeros;
        self.num_alone += other.num_alone;
        self.sum_chance += other.sum_chance;
        for (target, tally) in other.targets {
            *self.targets.entry(target).or_default() += tally;
        }
    }
}

impl AddAssign for TargetTally {
    fn add_assign(&mut self, other: Self) {
        self.num_queries += other.num_queries;
        self.num_found += other.num_found;
    }
}
