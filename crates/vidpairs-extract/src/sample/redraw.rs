//! Draws pairs anew that span a shot cut.

use std::collections::HashSet;
use std::ops::Range;

use rand::RngExt;
use vidpairs_types::{PairPlan, Seed};

use super::{Anchors, Choices, ClipFrames, PairRule, Usable, interval};

/// A pair is drawn anew at most so often.
pub const MAX_REDRAWS: u32 = 3;

/// The last frame before a cut, and the first one after it.
pub type CutEnds = (u64, u64);

/// Whether frames `anchor` and `positive` lie in one shot, as far as `cuts` are known: no cut lies between them, and neither of them
/// lies inside a gradual one.
pub fn is_in_one_shot(anchor: u64, positive: u64, cuts: &[CutEnds]) -> bool {
    let is_aside = |&(before, after): &CutEnds| positive <= before || anchor >= after;
    cuts.iter().all(is_aside)
}

/// How the pairs of a clip were planned.
#[derive(Debug, Clone)]
pub struct Redraw<'a> {
    /// Frames and boxes of the clip.
    pub clip: ClipFrames<'a>,
    /// Rule of the pairs.
    pub rule: &'a PairRule,
    /// Positions of the anchors.
    pub anchors: Anchors,
    /// Anchors that may be drawn: others may draw from the rest at the same time.
    pub range: Range<u64>,
    /// Random seed of this clip and step; not that of [`plan_pairs`](super::plan_pairs).
    pub seed: Seed,
}

impl Redraw<'_> {
    /// Draws each of `plans`, which span one of `cuts`, anew with its k. A plan without a place in one shot is left out.
    ///
    /// The anchor is drawn from the stretch that it was drawn from (an interval of [`Anchors::PerVideo`], or the frames up to the next
    /// anchor of [`Anchors::Stride`]), so that anchors stay spread; without room there, from the shot of the old anchor, then from that of
    /// the old positive. Shots are those between the known `cuts`: other frames may not have been looked at. So the last time it takes the
    /// place next to a known cut, where a shot of more than k frames has room for sure.
    ///
    /// - `taken`: anchor and k of the pairs that there are; the new ones are added. No pair occurs twice.
    /// - `round`: 1 the first time that they are drawn anew, at most [`MAX_REDRAWS`].
    pub fn draw(
        &self,
        plans: &[PairPlan],
        cuts: &[CutEnds],
        taken: &mut HashSet<(u64, u64)>,
        round: u32,
    ) -> Vec<PairPlan> {
        let boxes = match self.rule {
            PairRule::Tracks(rule) => Some(super::usable_boxes(&self.clip, rule)),
            _ => None,
        };
        let usable = Usable {
            clip: &self.clip,
            boxes: boxes.as_deref(),
        };
        let drawn = plans.iter().filter_map(|plan| {
            let k = plan.last_frame() - plan.anchor;
            let is_free = |&anchor: &u64| {
                self.range.contains(&anchor)
                    && is_in_one_shot(anchor, anchor + k, cuts)
                    && !taken.contains(&(anchor, k))
            };
            let own = self.stretch_of(plan.anchor, k, &usable);
            let mut places: Vec<u64> = own.into_iter().filter(is_free).collect();
            for frame in [plan.anchor, plan.last_frame()] {
                if places.is_empty() {
                    let (first, end) = shot_of(frame, cuts);
                    let end = end.min(self.clip.num_frames).saturating_sub(k);
                    let is_pair = |&anchor: &u64| usable.has(anchor) && usable.has(anchor + k);
                    let range = first.max(self.range.start)..end.min(self.range.end);
                    places = range.filter(is_free).filter(is_pair).collect();
                }
            }
            let near = |anchor: &u64| room_to_cut(*anchor, *anchor + k, cuts);
            let anchor = match round >= MAX_REDRAWS {
                true => places.iter().copied().min_by_key(near)?,
                false if places.is_empty() => return None,
                false => {
                    let step = format!("{} {round}", plan.ordinal);
                    let mut rng = self.seed.for_step("redraw", &step).rng();
                    places[rng.random_range(0..places.len() as u64) as usize]
                }
            };
            taken.insert((anchor, k));
            Some(usable.plan(plan.ordinal, anchor, k, self.rule))
        });
        drawn.collect()
    }

    /// The anchors from which that of a pair was drawn, ascending.
    fn stretch_of(&self, anchor: u64, k: u64, usable: &Usable<'_>) -> Vec<u64> {
        match self.anchors {
            Anchors::Stride(stride) => {
                let stride = u64::from(stride);
                let start = anchor / stride * stride;
                let end = (start + stride).min(self.clip.num_frames.saturating_sub(k));
                let is_pair = |&anchor: &u64| usable.has(anchor) && usable.has(anchor + k);
                (start..end).filter(is_pair).collect()
            }
            Anchors::PerVideo(num_pairs) => {
                let choices = usable.choices(k);
                let num_pairs = u64::from(num_pairs);
                let at = match &choices {
                    Choices::First(_) => anchor,
                    Choices::Listed(listed) => {
                        listed.partition_point(|&other| other < anchor) as u64
                    }
                };
                let intervals = (0..num_pairs).map(|pair| interval(pair, num_pairs, choices.len()));
                let own = intervals
                    .into_iter()
                    .find(|interval| interval.contains(&at));
                own.unwrap_or_default().map(|at| choices.get(at)).collect()
            }
        }
    }
}

/// First frame of the known shot that contains `frame`, and the frame after its last one; nothing if it lies inside a gradual cut.
fn shot_of(frame: u64, cuts: &[CutEnds]) -> CutEnds {
    let (mut first, mut end) = (0, u64::MAX);
    for &(before, after) in cuts {
        if frame <= before {
            end = end.min(before + 1);
        } else if frame >= after {
            first = first.max(after);
        } else {
            return (0, 0);
        }
    }
    (first, end)
}

/// Number of frames between a pair and the nearest of `cuts`.
fn room_to_cut(anchor: u64, positive: u64, cuts: &[CutEnds]) -> u64 {
    let room = |&(before, after): &CutEnds| match positive <= before {
        true => before - positive,
        false => anchor.saturating_sub(after),
    };
    cuts.iter().map(room).min().unwrap_or(0)
}
