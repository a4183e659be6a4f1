//! Cuts the pairs of a clip into pieces for different workers.
//!
//! The cut depends on the clip and the pipeline only, so the bytes do not depend on the number of workers.

use std::ops::Range;

use vidpairs_pipeline::Pipeline;
use vidpairs_types::{PairPlan, SizePx, TrackedBox};

use super::regions::max_live_anchors;
use crate::codec::Codec;
use crate::decode::{ClipIndex, Cost};
use crate::sample::PairRule;

/// Decoded pixels that make a piece large enough for a thread: about 1,500 frames of 640 x 360.
const PIXELS_OF_A_PIECE: u64 = 1_500 * 640 * 360;
/// Encoded bytes after which a piece ends at the next cheap place.
const SOFT_MAX_BYTES: u64 = 8 << 20;
/// Encoded bytes after which a piece ends at any cost: the ceiling on memory.
const HARD_MAX_BYTES: u64 = 32 << 20;

/// Limits of a piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling {
    /// Approximate memory of a pair until its piece is written, bytes; in kind `regions` of an anchor with its regions.
    bytes_per_pair: u64,
    /// Additional memory for each frame that a pair is tracked through, bytes.
    bytes_per_followed_frame: u64,
    /// Maximum number of pairs that are tracked through one frame.
    max_followed: usize,
    /// Whether the frames between anchor and positive are watched for cuts.
    watches: bool,
}

impl Ceiling {
    /// Limits for a clip with frames of size `frame`.
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
            watches: pipeline.pairs.avoid_cuts(),
        }
    }

    fn bytes_of(&self, plan: &PairPlan) -> u64 {
        let num_followed = plan.last_frame() - plan.anchor + 1;
        self.bytes_per_pair + self.bytes_per_followed_frame * num_followed
    }
}

/// Cuts `plans` (ordered by anchor) into pieces.
///
/// Two pieces share no work, so frames that both need are decoded twice. A piece ends where it has enough work for a thread and the
/// next one repeats little of it; a video with one keyframe is never cut for speed. It also ends where it would exceed `ceiling`:
/// anchors whose regions are tracked through the same frames share a piece, unless there are too many.
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
        piece.add(plan, index, ceiling.watches);
        piece.bytes += ceiling.bytes_of(plan);
    }
    pieces.push(piece.start..plans.len());
    pieces
}

struct Piece {
    start: usize,
    /// Number of frames decoded so far.
    decoded: u64,
    /// End of the stored positions decoded so far, exclusive.
    end: u64,
    /// Memory of its pairs, bytes.
    bytes: u64,
    /// Last frames of the tracked pairs that had not ended when the last pair began.
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

    /// Number of frames that a new piece starting with `plan` would decode again.
    fn repeated_by(&self, plan: &PairPlan, index: &ClipIndex) -> u64 {
        self.end.saturating_sub(index.cost(plan.anchor).start)
    }

    /// Number of pairs that are tracked through frame `anchor`.
    fn num_followed_at(&mut self, anchor: u64) -> usize {
        self.followed_to.retain(|&last| last > anchor);
        self.followed_to.len()
    }

    /// - `watches`: see [`Ceiling`].
    fn add(&mut self, plan: &PairPlan, index: &ClipIndex, watches: bool) {
        // Frames that pairs before it are followed through are counted already.
        let counted_to = self.followed_to.iter().max().copied();
        if plan.is_followed {
            self.followed_to.push(plan.last_frame());
        } else if watches {
            let costs = index.costs_of_span(plan.anchor, plan.last_frame());
            return costs.into_iter().for_each(|cost| self.add_cost(cost));
        }
        let is_new = |&frame: &u64| counted_to.is_none_or(|last| frame > last);
        for frame in plan.frames().filter(is_new) {
            self.add_cost(index.cost(frame));
        }
    }

    fn add_cost(&mut self, cost: Cost) {
        let start = cost.start.max(self.end);
        if cost.end >= start {
            self.decoded += cost.end + 1 - start;
            self.end = cost.end + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use vidpairs_types::parallel::Heartbeat;
    use vidpairs_types::{Media, RgbImage};

    use super::*;
    use crate::decode;

    const SIZE: SizePx = SizePx {
        width: 64,
        height: 48,
    };

    /// So many frames, each a keyframe.
    fn index(dir: &Path, num_frames: u64) -> ClipIndex {
        let image = RgbImage {
            size: SIZE,
            pixels: vec![90; 3 * SIZE.area() as usize],
        };
        let jpeg = crate::codec::encode(&image, Codec::Jpeg { quality: 50 }).unwrap();
        fs::write(dir.join("0.jpg"), jpeg).unwrap();
        for frame in 1..num_frames {
            fs::hard_link(dir.join("0.jpg"), dir.join(format!("{frame}.jpg"))).unwrap();
        }
        let media = Media::JpegFolder {
            path: dir.to_owned(),
            fps: None,
            first_number: None,
        };
        decode::index(&media, &Arc::new(Heartbeat::default())).unwrap()
    }

    fn ceiling(pipeline: &str, frame: SizePx) -> Ceiling {
        let text = format!("[source]\nkind = 'videos'\n{pipeline}");
        Ceiling::of(&Pipeline::from_str(&text, "a.toml", &[]).unwrap(), frame)
    }

    fn plans(num: u64, stride: u64, k: u64) -> Vec<PairPlan> {
        let plan = |ordinal: u64| PairPlan {
            ordinal: ordinal as u32,
            anchor: ordinal * stride,
            positive: Some(ordinal * stride + k),
            boxes: None,
            is_followed: true,
        };
        (0..num).map(plan).collect()
    }

    #[test]
    fn anchors_followed_through_the_same_frames_share_a_piece_unless_they_are_very_many() {
        let dir = tempfile::tempdir().unwrap();
        let index = index(dir.path(), 1200);
        let regions = "[pairs]\nkind = 'regions'\nregions_per_frame = 4\n";
        let ceiling = ceiling(regions, SIZE);
        let few = cut(&plans(20, 30, 60), &index, &ceiling);
        assert_eq!((few.len(), few[0].clone()), (1, 0..20));
        // 200 anchors in a row, each followed through 1,000 frames: 64 regions at once.
        let many = cut(&plans(200, 1, 1000), &index, &ceiling);
        assert!(many.iter().all(|piece| piece.len() <= 16), "{many:?}");
        assert!(
            many.iter().rev().skip(1).all(|piece| piece.len() == 16),
            "{many:?}"
        );
        assert!(many.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((many[0].start, many[many.len() - 1].end), (0, 200));
    }

    #[test]
    fn large_frames_and_long_ways_let_a_piece_have_fewer_anchors() {
        let regions = "[pairs]\nkind = 'regions'\nregions_per_frame = 4\n";
        let size = |width, height| SizePx { width, height };
        let max_followed = |size| ceiling(regions, size).max_followed;
        assert_eq!(max_followed(size(1920, 1080)), 16);
        assert_eq!(max_followed(size(3840, 2160)), 4);
        assert_eq!(max_followed(size(8192, 8192)), 1);
        let dir = tempfile::tempdir().unwrap();
        let index = index(dir.path(), 50);
        // Boxes alone: 4 regions x 64 bytes x 100,001 frames.
        let long = cut(&plans(9, 1, 100_000), &index, &ceiling(regions, SIZE));
        assert_eq!(long, [0..2, 2..4, 4..6, 6..8, 8..9]);
    }

    #[test]
    fn every_frame_on_the_way_counts_as_decoded_once() {
        let dir = tempfile::tempdir().unwrap();
        let index = index(dir.path(), 200);
        let mut piece = Piece::starting_at(0);
        for plan in plans(4, 20, 60) {
            piece.add(&plan, &index, true);
        }
        assert_eq!(piece.decoded, 121);
    }

    #[test]
    fn pairs_that_are_watched_cost_the_frames_between_where_they_are_decoded() {
        let dir = tempfile::tempdir().unwrap();
        let index = index(dir.path(), 200);
        let plan = PairPlan {
            is_followed: false,
            ..plans(1, 1, 62)[0].clone()
        };
        for (watches, expected) in [(false, 2), (true, 17)] {
            let mut piece = Piece::starting_at(0);
            piece.add(&plan, &index, watches);
            assert_eq!(piece.decoded, expected, "watched: {watches}");
        }
    }
}
