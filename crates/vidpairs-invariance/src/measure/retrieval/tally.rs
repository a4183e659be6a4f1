//! Answers, counted.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::candidates::Candidacy;

/// The answers to a number of queries; those of more queries can be added.
///
/// A query that has no candidate of its own target cannot be right: it is left out, and counted apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetrievalTally {
    /// Queries that are scored.
    pub num_queries: u64,
    /// Those whose nearest neighbour shows their target.
    pub num_found: u64,
    /// Those whose features are all 0: misses.
    pub num_zeros: u64,
    /// Queries left out: no image of their target is far enough from them.
    pub num_alone: u64,
    /// Sum over the scored queries of the share of candidates that show the query's target.
    pub sum_chance: f64,
    /// The scored queries by their target.
    pub targets: BTreeMap<u32, TargetTally>,
}

/// The answers to the queries of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetTally {
    /// Queries that are scored.
    pub num_queries: u64,
    /// Those whose nearest neighbour shows the target too.
    pub num_found: u64,
}

impl RetrievalTally {
    /// Share of the scored queries whose nearest neighbour shows their target, 0 to 1; `None` without one.
    pub fn share(&self) -> Option<f64> {
        (self.num_queries > 0).then(|| self.num_found as f64 / self.num_queries as f64)
    }

    /// The share that guessing among each query's candidates would give, 0 to 1; `None` without a scored query.
    pub fn chance(&self) -> Option<f64> {
        (self.num_queries > 0).then(|| self.sum_chance / self.num_queries as f64)
    }

    /// Counts one query. `finds` tells whether its nearest neighbour shows the given target.
    pub(super) fn count(
        &mut self,
        candidacy: Option<Candidacy>,
        is_zero: bool,
        finds: impl FnOnce(u32) -> bool,
    ) {
        let Some(Candidacy {
            target,
            num,
            num_same,
        }) = candidacy.filter(|it| it.num_same > 0)
        else {
            self.num_alone += 1;
            return;
        };
        let found = u64::from(finds(target));
        self.num_queries += 1;
        self.num_found += found;
        self.num_zeros += u64::from(is_zero);
        self.sum_chance += num_same as f64 / num as f64;
        *self.targets.entry(target).or_default() += TargetTally {
            num_queries: 1,
            num_found: found,
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
