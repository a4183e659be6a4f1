//! Sampling: which frames of a clip become anchors and positives, before any is decoded.
//!
//! **Takes** what is known of a clip ([`ClipFrames`]), the [`PairRule`], the [`Anchors`], a seed.
//! **Gives** [`PairPlan`]s, ordered by anchor. **Fails** with [`NoPair`] where a rule leaves the clip
//! out. **Source**: k frames apart as in Purushwalkam and Gupta 2020; where anchors lie is our choice
//! (the paper does not say): one from each of equal stretches, so that they spread over the clip.

mod boxes;

pub use vidpairs_pipeline::{Anchors, KRange, PairRule, RegionRule, TrackRule};

use rand::RngExt;
use vidpairs_types::{BoxXywh, PairPlan, Seed, SizePx};

/// What sampling needs to know of a clip.
#[derive(Debug, Clone, Copy)]
pub struct ClipFrames<'a> {
    /// Frame indices are `0..num_frames`.
    pub num_frames: u64,
    /// The indices that exist, ascending; `None` when all do.
    pub present: Option<&'a [u64]>,
    /// Of the upright frames.
    pub frame_size: SizePx,
    /// The object's box in each frame, where it is known and the data set calls it sound.
    pub boxes: &'a [Option<BoxXywh>],
}

/// Which rule leaves a clip without a pair. Skip the clip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPair {
    /// Shorter than the least k.
    #[error("{num_frames} frames; a pair {k} frames apart needs {}", k + 1)]
    TooShort {
        /// Of the clip.
        num_frames: u64,
        /// The least k that is asked for.
        k: u64,
    },
    /// No two frames k apart have boxes that the rules accept.
    #[error(
        "no two frames {k} apart both have a usable box: of {num_frames} frames {with_box} have a \
         box, {usable} of those are large enough and inside the frame"
    )]
    NoUsableBoxes {
        /// The least k that is asked for.
        k: u64,
        /// Of the clip.
        num_frames: u64,
        /// Frames with a box.
        with_box: usize,
        /// Frames with a box that the rules accept.
        usable: usize,
    },
    /// No two frames k apart exist.
    #[error("no two frames {k} apart both exist: {present} of {num_frames} numbers do")]
    Gaps {
        /// The least k that is asked for.
        k: u64,
        /// Numbers from the first to the last frame.
        num_frames: u64,
        /// Frames that exist.
        present: usize,
    },
}

/// Plans the pairs of one clip.
///
/// - Kind `images` pairs every anchor with nothing, k is 0. In kind `regions` a plan is an anchor with all its
///   regions, and needs the frames between too. The upper end of a range of k is lowered to
///   what the clip has.
/// - [`Anchors::PerVideo`] `n`: k is drawn for each pair; of the anchors that this k allows the i-th
///   pair takes one from the i-th of `n` equal stretches. A clip with fewer allowed anchors than `n`
///   gives at most one pair for each; no two pairs are the same.
/// - [`Anchors::Stride`] `s`: the anchors 0, s, 2 s, ... that the drawn k allows.
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
        PairRule::Tracks(rule) => Some(boxes::usable(clip, rule)),
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
                let stretch = stretch(pair, u64::from(num_pairs), choices.len());
                // Drawn even where the stretch is empty: what a pair draws must not depend on others.
                let len = stretch.end - stretch.start;
                let at = stretch.start + rng.random_range(0..len.max(1));
                (len > 0).then(|| (choices.get(at), k))
            })
            .collect(),
        Anchors::Stride(stride) => (0..clip.num_frames - low)
            .step_by(stride as usize)
            .map(|anchor| (anchor, rng.random_range(low..=high)))
            .filter(|&(anchor, k)| usable.is_usable(anchor) && usable.is_usable(anchor + k))
            .collect(),
    };
    ends.sort_unstable();
    ends.dedup();
    if ends.is_empty() {
        return Err(usable.none(low));
    }
    let plans = ends.into_iter().zip(0..);
    Ok(plans
        .map(|((anchor, k), ordinal)| usable.plan(ordinal, anchor, k, rule))
        .collect())
}

/// The `pair`-th of `num_pairs` equal stretches of `0..len`.
fn stretch(pair: u64, num_pairs: u64, len: u64) -> std::ops::Range<u64> {
    let end = |pair: u64| (u128::from(pair) * u128::from(len) / u128::from(num_pairs)) as u64;
    end(pair)..end(pair + 1)
}

/// The frames that may be used.
struct Usable<'a> {
    clip: &'a ClipFrames<'a>,
    /// In kind `tracks`: the box of each frame, where the rules accept it.
    boxes: Option<&'a [Option<BoxXywh>]>,
}

/// The anchors that a k allows.
enum Choices {
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
            Self::Listed(anchors) => anchors.get(at as usize).copied().unwrap_or(0),
        }
    }
}

impl Usable<'_> {
    fn is_usable(&self, frame: u64) -> bool {
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
                let has_positive = |&anchor: &u64| self.is_usable(anchor + k);
                Choices::Listed(present.iter().copied().filter(has_positive).collect())
            }
            (Some(boxes), _) => {
                let anchors = anchors.start..anchors.end.min(boxes.len() as u64);
                let is_pair = |&anchor: &u64| self.is_usable(anchor) && self.is_usable(anchor + k);
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
            boxes,
            is_followed: matches!(rule, PairRule::Regions(_)),
        }
    }

    fn none(&self, k: u64) -> NoPair {
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
