//! Counts of tracked regions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vidpairs_run::counted;
use vidpairs_shard::TrackletCounts;

/// Counts over the tracklets of a piece, a clip or a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in super::super) struct TrackTally {
    /// Number of frames through which at least one region was tracked, counted once for each piece, and again if a pair of it is drawn anew.
    pub frames_tracked: u64,
    /// Number of tracker updates, forward and backward.
    pub tracker_updates: u64,
    /// Number of anchor frames without a proposal.
    pub anchors_without_region: u64,
    /// Number of tracklets, and of rejected ones by reason.
    #[serde(flatten)]
    pub counts: TrackletCounts,
}

impl TrackTally {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.frames_tracked += other.frames_tracked;
        self.tracker_updates += other.tracker_updates;
        self.anchors_without_region += other.anchors_without_region;
        self.counts.add(&other.counts);
    }

    /// Reason why there is no record.
    pub fn why_none(&self) -> String {
        let num_rejected = self.counts.num_rejected();
        if num_rejected == 0 {
            let anchors = counted(self.anchors_without_region, "anchor frame");
            return format!("no region was proposed in {anchors}");
        }
        let tracklets = counted(num_rejected, "tracklet");
        format!(
            "no region was trusted: {tracklets} rejected ({})",
            by_reason(&self.counts.rejected)
        )
    }
}

/// `9 lost, 4 forward_backward`, the most frequent first.
pub(in super::super) fn by_reason(rejected: &BTreeMap<String, u64>) -> String {
    let mut reasons: Vec<(&String, u64)> = rejected.iter().map(|(name, &n)| (name, n)).collect();
    reasons.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let words: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_are_added_up_and_said_with_the_most_frequent_first() {
        let tally = |reasons: &[(&str, u64)]| TrackTally {
            anchors_without_region: 2,
            counts: TrackletCounts {
                tracklets: 20,
                rejected: reasons
                    .iter()
                    .map(|&(reason, count)| (reason.to_owned(), count))
                    .collect(),
            },
            ..TrackTally::default()
        };
        let mut sum = tally(&[("lost", 3), ("duplicate", 1)]);
        sum.add(&tally(&[("lost", 1), ("too_small", 9)]));
        assert_eq!((sum.counts.tracklets, sum.counts.num_rejected()), (40, 14));
        let words =
            "no region was trusted: 14 tracklets rejected (9 too_small, 4 lost, 1 duplicate)";
        assert_eq!(sum.why_none(), words);
        assert_eq!(
            tally(&[]).why_none(),
            "no region was proposed in 2 anchor frames"
        );
    }
}
