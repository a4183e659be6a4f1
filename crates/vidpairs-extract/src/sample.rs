//! Samples anchors and positives from the frames of a clip, before any is decoded.
//!
//! **Takes** the frames of a clip ([`ClipFrames`]), the [`PairRule`], the [`Anchors`], a seed.
//! **Gives** [`PairPlan`]s, ordered by anchor. **Fails** with [`NoPair`] if a rule excludes the clip.
//! **Source**: k frames apart as in Purushwalkam and Gupta 2020. The paper does not say how anchors are chosen; here one is drawn
//! from each of equal intervals, so that they spread over the clip.

mod objects;
mod redraw;

pub use objects::{BadObjects, ObjectPlans, plan_objects};
pub use redraw::{CutEnds, MAX_REDRAWS, Redraw, is_in_one_shot};
pub use vidpairs_pipeline::{Anchors, KRange, ObjectRule, PairRule, RegionRule, TrackRule};

use rand::RngExt;
use vidpairs_types::{BoxXywh, KnownBoxes, PairPlan, Seed, SizePx};

/// Frames and boxes of a clip.
#[derive(Debug, Clone, Copy)]
pub struct ClipFrames<'a> {
    /// Number of frames: indices are `0..num_frames`.
    pub num_frames: u64,
    /// Indices that exist, ascending; `None` if all do.
    pub present: Option<&'a [u64]>,
    /// Size of the upright frames.
    pub frame_size: SizePx,
    /// Box of the object in each frame, if it is known and valid.
    pub boxes: &'a [Option<BoxXywh>],
}

/// The rule that leaves a clip without a pair. Skip the clip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPair {
    /// The clip is shorter than the least k.
    #[error("{num_frames} frames; a pair {k} frames apart needs {}", k + 1)]
    TooShort {
        /// Frames of the clip.
        num_frames: u64,
        /// Least k of the rule.
        k: u64,
    },
    /// No two frames k apart both have a box that the rule accepts.
    #[error(
        "no two frames {k} apart both have a usable box: of {num_frames} frames {with_box} have a \
         box, {usable} of those are large enough and inside the frame"
    )]
    NoUsableBoxes {
        /// Least k of the rule.
        k: u64,
        /// Frames of the clip.
        num_frames: u64,
        /// Frames with a box.
        with_box: usize,
        /// Frames with a box that the rule accepts.
        usable: usize,
    },
    /// No two frames k apart both exist.
    #[error("no two frames {k} apart both exist: {present} of {num_frames} numbers do")]
    Gaps {
        /// Least k of the rule.
        k: u64,
        /// Indices from the first to the last frame.
        num_frames: u64,
        /// Frames that exist.
        present: usize,
    },
}

/// Plans the pairs of one clip.
///
/// - In kind `images` an anchor has no positive, and k is 0. In kind `regions` a plan covers all regions of an anchor,
///   and needs the frames in between as well. The upper end of a range of k is lowered to the length of the clip.
/// - [`Anchors::PerVideo`] `n`: k is drawn for each pair. The anchors that this k allows are divided into `n` equal
///   intervals, and the i-th pair draws its anchor from the i-th. A clip with fewer allowed anchors than `n`
///   gives at most one pair for each; no pair occurs twice.
/// - [`Anchors::Stride`] `s`: those of the anchors 0, s, 2 s, ... that the drawn k allows.
///
/// # Errors
/// [`NoPair`] if no pair is left.
pub fn plan_pairs(
    clip: &ClipFrames<'_>,
    rule: &PairRule,
    anchors: Anchors,
    seed: Seed,
) -> Result<Vec<PairPlan>, NoPair> {
    let (low, high) = rule
        .k()
        .map_or((0, 0), |k| (u64::from(k.low), u64::from(k.high)));
    if clip.num_frames <= low {
        return Err(NoPair::TooShort {
            num_frames: clip.num_frames,
            k: low,
        });
    }
    let high = high.min(clip.num_frames - 1);
    let boxes = match rule {
        PairRule::Tracks(rule) => Some(usable_boxes(clip, rule)),
        _ => None,
    };
    let usable = Usable {
        clip,
        boxes: boxes.as_deref(),
    };
    let mut rng = seed.rng();
    let mut ends: Vec<(u64, u64)> = match anchors {
        Anchors::PerVideo(num_pairs) => (0..u64::from(num_pairs))
            .filter_map(|pair| {
                let k = rng.random_range(low..=high);
                let choices = usable.choices(k);
                let interval = interval(pair, u64::from(num_pairs), choices.len());
                // Drawn even if the interval is empty: the draws of a pair must not depend on other pairs.
                let len = interval.end - interval.start;
                let at = interval.start + rng.random_range(0..len.max(1));
                (len > 0).then(|| (choices.get(at), k))
            })
            .collect(),
        Anchors::Stride(stride) => (0..clip.num_frames - low)
            .step_by(stride as usize)
            .map(|anchor| (anchor, rng.random_range(low..=high)))
            .filter(|&(anchor, k)| usable.has(anchor) && usable.has(anchor + k))
            .collect(),
    };
    ends.sort_unstable();
    ends.dedup();
    if ends.is_empty() {
        return Err(usable.no_pair(low));
    }
    Ok((0..)
        .zip(ends)
        .map(|(ordinal, (anchor, k))| usable.plan(ordinal, anchor, k, rule))
        .collect())
}

/// The boxes that `rule` accepts: shorter side at least `min_box_px`, and at most `max_box_outside`
/// of the area outside the frame (a box cut by the frame shows only a part of the object).
fn usable_boxes(clip: &ClipFrames<'_>, rule: &TrackRule) -> Vec<Option<BoxXywh>> {
    let is_usable = |bbox: &BoxXywh| {
        let inside = bbox.clipped(clip.frame_size).map_or(0.0, BoxXywh::area);
        bbox.is_valid()
            && bbox.w.min(bbox.h) >= f64::from(rule.min_box_px)
            && 1.0 - inside / bbox.area() <= rule.max_box_outside
    };
    clip.boxes
        .iter()
        .map(|bbox| bbox.filter(is_usable))
        .collect()
}

/// The `pair`-th of `num_pairs` equal intervals of `0..len`.
fn interval(pair: u64, num_pairs: u64, len: u64) -> std::ops::Range<u64> {
    let end = |pair: u64| (u128::from(pair) * u128::from(len) / u128::from(num_pairs)) as u64;
    end(pair)..end(pair + 1)
}

/// Frames that may be anchors or positives.
struct Usable<'a> {
    clip: &'a ClipFrames<'a>,
    /// In kind `tracks`: the box of each frame, if the rule accepts it.
    boxes: Option<&'a [Option<BoxXywh>]>,
}

/// Anchors that a k allows.
enum Choices {
    /// Frames `0..n`.
    First(u64),
    Listed(Vec<u64>),
}

impl Choices {
    fn len(&self) -> u64 {
        match self {
            Self::First(len) => *len,
            Self::Listed(anchors) => anchors.len() as u64,
        }
    }

    fn get(&self, at: u64) -> u64 {
        match self {
            Self::First(_) => at,
            Self::Listed(anchors) => anchors[at as usize],
        }
    }
}

impl Usable<'_> {
    fn has(&self, frame: u64) -> bool {
        let is_present = match self.clip.present {
            Some(present) => present.binary_search(&frame).is_ok(),
            None => frame < self.clip.num_frames,
        };
        let has_box = |boxes: &[Option<BoxXywh>]| {
            usize::try_from(frame)
                .ok()
                .and_then(|frame| *boxes.get(frame)?)
                .is_some()
        };
        is_present && self.boxes.is_none_or(has_box)
    }

    fn choices(&self, k: u64) -> Choices {
        let anchors = 0..self.clip.num_frames - k;
        match (self.boxes, self.clip.present) {
            (None, None) => Choices::First(anchors.end),
            (None, Some(present)) => {
                let has_positive = |&anchor: &u64| self.has(anchor + k);
                Choices::Listed(present.iter().copied().filter(has_positive).collect())
            }
            (Some(boxes), _) => {
                let anchors = anchors.start..anchors.end.min(boxes.len() as u64);
                let is_pair = |&anchor: &u64| self.has(anchor) && self.has(anchor + k);
                Choices::Listed(anchors.filter(is_pair).collect())
            }
        }
    }

    fn plan(&self, ordinal: u32, anchor: u64, k: u64, rule: &PairRule) -> PairPlan {
        let positive = (*rule != PairRule::Images).then_some(anchor + k);
        let box_at = |frame: u64| *self.boxes?.get(usize::try_from(frame).ok()?)?;
        let boxes = positive.and_then(|positive| Some([box_at(anchor)?, box_at(positive)?]));
        PairPlan {
            ordinal,
            anchor,
            positive,
            boxes: boxes.map(KnownBoxes::Track),
            is_followed: matches!(rule, PairRule::Regions(_)),
        }
    }

    fn no_pair(&self, k: u64) -> NoPair {
        let num_frames = self.clip.num_frames;
        match (self.boxes, self.clip.present) {
            (Some(boxes), _) => NoPair::NoUsableBoxes {
                k,
                num_frames,
                with_box: self.clip.boxes.iter().flatten().count(),
                usable: boxes.iter().flatten().count(),
            },
            (None, present) => NoPair::Gaps {
                k,
                num_frames,
                present: present.map_or(0, <[u64]>::len),
            },
        }
    }
}

#[cfg(test)]
mod tests;
