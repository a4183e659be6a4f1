//! Cutting a clip's pairs into pieces that different workers can do.
//!
//! The cut depends on the clip and the pipeline alone, never on the workers: the bytes must not.

use std::ops::Range;

use super::regions::max_live_anchors;
use crate::codec::Codec;
use crate::decode::ClipIndex;
use crate::pipeline::Pipeline;
use crate::sample::PairRule;
use crate::types::{PairPlan, SizePx, TrackedBox};

/// Decoded pixels that are worth a piece: about 1,500 frames of 640 x 360.
const PIXELS_OF_A_PIECE: u64 = 1_500 * 640 * 360;
/// Encoded bytes after which a piece ends at the next place that costs little.
const SOFT_MAX_BYTES: u64 = 8 << 20;
/// Encoded bytes after which a piece ends whatever it costs: the ceiling on memory.
const HARD_MAX_BYTES: u64 = 32 << 20;

/// What a piece may hold at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling {
    /// Bytes that a pair takes until its piece is written, roughly; of kind `regions` an anchor with its regions.
    bytes_per_pair: u64,
    /// The same for each frame that a pair is followed through.
    bytes_per_followed_frame: u64,
    /// Pairs that are followed through one frame.
    max_followed: usize,
}

impl Ceiling {
    /// For a clip whose frames are of `frame`.
    pub fn of(pipeline: &Pipeline, frame: SizePx) -> Self {
        let image = frame
            .shrunk_to_short_side(pipeline.images.short_side_px)
            .area();
        let bytes_per_image = match pipeline.images.codec {
            Codec::Jpeg { .. } => image / 2,
            Codec::RgbZstd { .. } => image * 2,
        };
        let (num_regions, num_images, max_followed) = match pipeline.pairs.rule {
            PairRule::Images => (0, 1, 1),
            PairRule::Frames { .. } => (0, 2, 1),
            PairRule::Tracks(rule) => (0, 2 + 2 * u64::from(rule.with_frames), 1),
            PairRule::Regions(rule) => {
                let num_regions = u64::from(rule.regions_per_frame);
                let num_images = 2 * num_regions + 2 * u64::from(rule.with_frames);
                (num_regions, num_images, max_live_anchors(&rule, frame))
            }
        };
        Self {
            bytes_per_pair: (bytes_per_image * num_images).max(1),
            bytes_per_followed_frame: num_regions * size_of::<TrackedBox>() as u64,
            max_followed: usize::try_from(max_followed).unwrap_or(usize::MAX),
        }
    }

    fn bytes_of(&self, plan: &PairPlan) -> u64 {
        let num_followed = plan.last_frame() - plan.anchor + 1;
        self.bytes_per_pair + self.bytes_per_followed_frame * num_followed
    }
}

/// Cuts `plans` (ordered by anchor) into pieces.
///
/// Two pieces share no work, so frames that both need are decoded twice. A piece ends where it has
/// work enough for a thread and the next one repeats little of it; a video with one keyframe is
/// never cut for speed. It ends as well where it would hold more than `ceiling`: so anchors whose
/// regions are followed through the same frames share a piece, unless they are very many.
pub(super) fn cut(plans: &[PairPlan], index: &ClipIndex, ceiling: &Ceiling) -> Vec<Range<usize>> {
    let frame_pixels = index.frame_size().area().max(1);
    let mut pieces = Vec::new();
    let mut piece = Piece::starting_at(0);
    for (at, plan) in plans.iter().enumerate() {
        let repeated = piece.repeated_by(plan, index);
        let bytes = piece.bytes;
        let is_worth_it = piece.decoded * frame_pixels >= PIXELS_OF_A_PIECE;
        let ends = (is_worth_it && repeated * 16 <= piece.decoded)
            || (bytes >= SOFT_MAX_BYTES && repeated * 4 <= piece.decoded)
            || bytes >= HARD_MAX_BYTES
            || (plan.is_followed && piece.num_followed_at(plan.anchor) >= ceiling.max_followed);
        if ends && at > piece.start {
            pieces.push(piece.start..at);
            piece = Piece::starting_at(at);
        }
        piece.add(plan, index);
        piece.bytes += ceiling.bytes_of(plan);
    }
    pieces.push(piece.start..plans.len());
    pieces
}

struct Piece {
    start: usize,
    /// Frames decoded so far.
    decoded: u64,
    /// Stored places decoded so far end here, exclusive.
    end: u64,
    /// Bytes that its pairs take.
    bytes: u64,
    /// Last frames of the pairs that are followed, of those that had not ended when the last one began.
    followed_to: Vec<u64>,
}

impl Piece {
    fn starting_at(start: usize) -> Self {
        Self {
            start,
            decoded: 0,
            end: 0,
            bytes: 0,
            followed_to: Vec::new(),
        }
    }

    /// Frames that a new piece beginning with `plan` would decode again.
    fn repeated_by(&self, plan: &PairPlan, index: &ClipIndex) -> u64 {
        self.end.saturating_sub(index.cost(plan.anchor).start)
    }

    /// Pairs that are followed through frame `anchor`.
    fn num_followed_at(&mut self, anchor: u64) -> usize {
        self.followed_to.retain(|&last| last > anchor);
        self.followed_to.len()
    }

    fn add(&mut self, plan: &PairPlan, index: &ClipIndex) {
        // Frames that pairs before it are followed through are counted already.
        let counted_to = self.followed_to.iter().max().copied();
        if plan.is_followed {
            self.followed_to.push(plan.last_frame());
        }
        let is_new = |&frame: &u64| counted_to.is_none_or(|last| frame > last);
        for frame in plan.frames().filter(is_new) {
            let cost = index.cost(frame);
            let start = cost.start.max(self.end);
            if cost.end >= start {
                self.decoded += cost.end + 1 - start;
                self.end = cost.end + 1;
            }
        }
    }
}
