//! Kind `regions`: proposes regions in anchor frames, tracks them to their positives, and stores the trusted ones.

mod lines;
mod pairs;
mod tally;

pub(super) use pairs::RegionPairs;
pub(super) use tally::{TrackTally, by_reason};

use vidpairs_pipeline::{Pipeline, Proposals, Tracker};
use vidpairs_types::{Seed, SizePx};

use self::lines::Lines;
use super::progress::Counters;
use super::record::ClipWords;
use crate::engine::Opencv;
use crate::propose::{ProposalRules, ProposerKind};
use crate::sample::RegionRule;
use crate::track::{BoxRules, FollowRules, StartTracker};

/// Maximum size of the frames that a worker keeps for backward tracking, without the anchors, bytes.
const MAX_KEPT_BYTES: u64 = 48 << 20;

/// Maximum number of regions that a worker tracks at once. It limits the memory of the trackers. More at once would save nothing:
/// decoding a frame costs little compared with tracking so many regions through it.
const MAX_LIVE_REGIONS: u64 = 64;

/// Maximum number of anchors whose regions one worker tracks at once, for frames of `size`: each anchor keeps its frame.
pub(super) fn max_live_anchors(rule: &RegionRule, size: SizePx) -> u64 {
    let affordable = MAX_KEPT_BYTES / (size.area() * 3 / 2).max(1);
    (MAX_LIVE_REGIONS / u64::from(rule.regions_per_frame))
        .min(affordable)
        .max(1)
}

/// Tracking rules for `rule` and the settings of the tracker.
///
/// - `start`: starts a tracker.
pub(super) fn follow_rules<'a>(
    rule: &RegionRule,
    tracker: &Tracker,
    start: &'a StartTracker,
) -> FollowRules<'a> {
    FollowRules {
        start,
        trust: tracker.trust,
        boxes: BoxRules {
            min_side_px: f64::from(rule.min_box_px),
            max_outside: rule.max_box_outside,
        },
        max_kept_bytes: MAX_KEPT_BYTES,
    }
}

/// Settings of the proposals.
#[derive(Clone, Copy)]
pub(super) struct ProposeSetup {
    pub kind: ProposerKind,
    pub rules: ProposalRules,
    /// Random seed of this clip and step.
    pub seed: Seed,
    pub opencv: Opencv,
}

impl ProposeSetup {
    pub fn new(rule: &RegionRule, proposals: &Proposals, seed: Seed, opencv: Opencv) -> Self {
        let rules = ProposalRules {
            count: rule.regions_per_frame as usize,
            min_side_px: f64::from(rule.min_box_px),
            min_side_share: proposals.min_side_share,
            max_side_share: proposals.max_side_share,
            max_aspect: proposals.max_aspect,
            max_overlap: proposals.max_overlap,
            border_share: proposals.border_share,
            min_texture: proposals.min_texture,
        };
        Self {
            kind: proposals.kind,
            rules,
            seed,
            opencv,
        }
    }

    /// Number of frames from the anchor to the neighbour frame, from which the motion is computed.
    fn neighbor_gap(&self) -> u64 {
        match self.kind {
            ProposerKind::Grid => 0,
            _ => 4,
        }
    }
}

/// The tracklets of a piece while it is made.
#[derive(Default)]
pub(super) struct Tracks {
    lines: Lines,
    tally: TrackTally,
}

impl Tracks {
    /// Adds those of a later round.
    pub fn append(&mut self, later: Self) {
        self.lines.append(later.lines);
        self.tally.add(&later.tally);
    }

    /// The tracklets of the finished piece.
    pub fn into_piece(self) -> PieceTracks {
        PieceTracks {
            zstd: self.lines.into_zstd(),
            tally: self.tally,
        }
    }
}

/// The tracklets of a piece.
#[derive(Default)]
pub(super) struct PieceTracks {
    /// Their lines, as one zstd frame; empty if there are none.
    pub zstd: Vec<u8>,
    pub tally: TrackTally,
}

/// Settings for the regions of one piece.
#[derive(Clone, Copy)]
pub(super) struct RegionSetup<'a> {
    pub pipeline: &'a Pipeline,
    pub rule: RegionRule,
    pub follow: &'a FollowRules<'a>,
    pub tracker: &'static str,
    pub clip: &'a ClipWords,
    pub propose: ProposeSetup,
    pub counters: &'a Counters,
}
