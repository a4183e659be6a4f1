//! Counts the results of an experiment.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use vidpairs_run::counted;

/// Numbers of results of each kind. `Display` gives a headline: `2 data sets, 6 training runs, 1 invariance`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Number of data sets of `vidpairs extract`.
    pub data_sets: usize,
    /// Number of sets of `vidpairs synth`.
    pub rendered_sets: usize,
    /// Number of runs of `vidpairs train`.
    pub training_runs: usize,
    /// Number of results of `vidpairs track`.
    pub tracker_scores: usize,
    /// Number of results of `vidpairs invariance`.
    pub invariances: usize,
    /// Number of results of `vidpairs probe`.
    pub probes: usize,
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.data_sets, "data set"),
            (self.rendered_sets, "rendered set"),
            (self.training_runs, "training run"),
            (self.invariances, "invariance"),
            (self.probes, "probe"),
            (self.tracker_scores, "tracker comparison"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, noun)| counted(count as u64, noun))
            .collect();
        f.write_str(&parts.join(", "))
    }
}
