//! Cutting a clip's pairs into pieces that different workers can do.
//!
//! The cut depends on the clip and the pipeline alone, never on the workers: the bytes must not.

use std::ops::Range;

use crate::decode::ClipIndex;
use crate::types::PairPlan;

/// Decoded pixels that are worth a piece: about 1,500 frames of 640 x 360.
const PIXELS_OF_A_PIECE: u64 = 1_500 * 640 * 360;
/// Encoded bytes after which a piece ends at the next place that costs little.
const SOFT_MAX_BYTES: u64 = 8 << 20;
/// Encoded bytes after which a piece ends whatever it costs: the ceiling on memory.
const HARD_MAX_BYTES: u64 = 32 << 20;

/// Cuts `plans` (ordered by anchor) into pieces.
///
/// Two pieces share no work, so frames that both need are decoded twice. A piece ends where it has
/// work enough for a thread and the next one repeats little of it; a video with one keyframe is
/// never cut for speed.
pub(super) fn cut(plans: &[PairPlan], index: &ClipIndex, bytes_per_pair: u64) -> Vec<Range<usize>> {
    let frame_pixels = index.frame_size().area().max(1);
    let mut pieces = Vec::new();
    let mut piece = Piece::starting_at(0);
    for (at, plan) in plans.iter().enumerate() {
        let bytes = bytes_per_pair * (at - piece.start) as u64;
        let repeated = piece.repeated_by(plan, index);
        let is_worth_it = piece.decoded * frame_pixels >= PIXELS_OF_A_PIECE;
        let ends = (is_worth_it && repeated * 16 <= piece.decoded)
            || (bytes >= SOFT_MAX_BYTES && repeated * 4 <= piece.decoded)
            || bytes >= HARD_MAX_BYTES;
        if ends && at > piece.start {
            pieces.push(piece.start..at);
            piece = Piece::starting_at(at);
        }
        piece.add(plan, index);
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
}

impl Piece {
    fn starting_at(start: usize) -> Self {
        Self {
            start,
            decoded: 0,
            end: 0,
        }
    }

    /// Frames that a new piece beginning with `plan` would decode again.
    fn repeated_by(&self, plan: &PairPlan, index: &ClipIndex) -> u64 {
        self.end.saturating_sub(index.cost(plan.anchor).start)
    }

    fn add(&mut self, plan: &PairPlan, index: &ClipIndex) {
        for frame in plan.frames() {
            let cost = index.cost(frame);
            let start = cost.start.max(self.end);
            if cost.end >= start {
                self.decoded += cost.end + 1 - start;
                self.end = cost.end + 1;
            }
        }
    }
}
