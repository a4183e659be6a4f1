//! Kind `regions`: regions of anchor frames, followed to their positives, and what is trusted of them.

mod lines;
mod pairs;
mod tally;

pub(super) use pairs::RegionPairs;
pub(super) use tally::{TrackTally, by_reason};

use vidpairs_pipeline::{Pipeline, Proposals, Tracker};
use vidpairs_types::{EncodedRecord, Seed, SizePx};

use super::progress::Counters;
use super::record::ClipWords;
use super::view::LostPair;
use crate::engine::Opencv;
use crate::propose::{ProposalRules, ProposerKind};
use crate::sample::RegionRule;
use crate::track::{BoxRules, FollowRules, StartTracker};

/// Most bytes of frames that a worker keeps to track back on, beside those of the anchors.
const MAX_KEPT_BYTES: u64 = 48 << 20;

/// Most regions that a worker follows at once. Their trackers' memory is bounded by it, and more at once
/// would save nothing: decoding a frame costs little beside following so many through it.
const MAX_LIVE_REGIONS: u64 = 64;

/// Most anchors of a clip of frames of `size` whose regions are followed at once by one worker: each keeps
/// its frame for a while.
pub(super) fn max_live_anchors(rule: &RegionRule, size: SizePx) -> u64 {
    let affordable = MAX_KEPT_BYTES / (size.area() * 3 / 2).max(1);
    (MAX_LIVE_REGIONS / u64::from(rule.regions_per_frame))
        .min(affordable)
        .max(1)
}

/// How `rule` and the pipeline's `trust` are followed with trackers from `start`.
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

/// How regions are proposed.
#[derive(Clone, Copy)]
pub(super) struct ProposeSetup {
    pub kind: ProposerKind,
    pub rules: ProposalRules,
    /// Of this clip and step.
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

    /// How many frames after the anchor the one comes whose motion against it is looked at.
    fn neighbor_gap(&self) -> u64 {
        match self.kind {
            ProposerKind::Grid => 0,
            _ => 4,
        }
    }
}

/// What the regions of a piece gave.
pub(super) struct MadeRegions {
    /// By their place among the pairs of the clip.
    pub records: Vec<(u64, EncodedRecord)>,
    /// Anchors that lack a frame, and pairs that lack a view.
    pub lost: Vec<LostPair>,
    pub tracks: PieceTracks,
}

/// The tracklets of a piece.
#[derive(Default)]
pub(super) struct PieceTracks {
    /// Their lines, as one zstd frame; empty if there are none.
    pub zstd: Vec<u8>,
    pub tally: TrackTally,
}

/// What the regions of one piece are made with.
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
