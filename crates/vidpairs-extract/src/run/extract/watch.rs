//! Looks for shot cuts while the frames of planned pairs pass by.

use std::ops::RangeInclusive;

use vidpairs_shard::StoredCut;
use vidpairs_types::{Frame, PairPlan};

use crate::cuts::{Cut, CutDetector, CutKind};
use crate::decode::ClipIndex;
use crate::sample::CutEnds;

/// Looks for cuts between the anchor and the positive of each pair, and nowhere else.
#[derive(Default)]
pub(super) struct Watch {
    spans: Vec<RangeInclusive<u64>>,
    /// Number of the span of the last frame, and its detector: frames of two spans show no cut between them.
    open: Option<(usize, CutDetector)>,
    cuts: Vec<Cut>,
}

impl Watch {
    pub fn over(plans: &[PairPlan]) -> Self {
        let ends = plans.iter().map(|plan| (plan.anchor, plan.last_frame()));
        let mut ends: Vec<(u64, u64)> = ends.collect();
        ends.sort_unstable();
        let mut spans: Vec<RangeInclusive<u64>> = Vec::new();
        for (first, last) in ends {
            match spans.last_mut() {
                Some(span) if first <= *span.end() => {
                    *span = *span.start()..=last.max(*span.end());
                }
                _ => spans.push(first..=last),
            }
        }
        Self {
            spans,
            ..Self::default()
        }
    }

    /// The frames from anchors to positives: ascending, none overlaps another.
    pub fn spans(&self) -> &[RangeInclusive<u64>] {
        &self.spans
    }

    /// Looks at the next frame. Frames outside the spans are ignored.
    pub fn see(&mut self, frame: &Frame) {
        let number = self.spans.partition_point(|span| *span.end() < frame.index);
        let span = self.spans.get(number);
        if !span.is_some_and(|span| span.contains(&frame.index)) {
            return;
        }
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            self.close();
            self.open = Some((number, CutDetector::new()));
        }
        if let Some((_, detector)) = &mut self.open {
            detector.push(frame.index, &frame.planes);
        }
    }

    fn close(&mut self) {
        if let Some((_, detector)) = self.open.take() {
            self.cuts.extend(detector.finish());
        }
    }

    /// All cuts, in order.
    pub fn into_cuts(mut self) -> Vec<Cut> {
        self.close();
        self.cuts
    }
}

/// A dissolve or a fade may begin and end so many frames outside of what is found: nineteen of twenty do by no more (docs/CUTS.md).
const GRADUAL_MARGIN: u64 = 4;

/// Frames before and after each of `cuts`, between which no end of a pair may lie.
pub(super) fn ends(cuts: &[Cut]) -> Vec<CutEnds> {
    let margin = |cut: &Cut| match cut.kind {
        CutKind::Hard => 0,
        CutKind::Gradual => GRADUAL_MARGIN,
    };
    let ends = |cut: &Cut| {
        let margin = margin(cut);
        (cut.before.saturating_sub(margin), cut.after + margin)
    };
    cuts.iter().map(ends).collect()
}

/// The cuts of a piece as they are stored.
pub(super) fn stored(cuts: &[Cut], index: &ClipIndex) -> Vec<StoredCut> {
    let cut = |cut: &Cut| StoredCut {
        before: cut.before,
        after: cut.after,
        kind: match cut.kind {
            CutKind::Hard => "hard",
            CutKind::Gradual => "gradual",
        }
        .to_owned(),
        seconds: index.pts_seconds(cut.after),
    };
    each_once(cuts.iter().map(cut).collect())
}

/// `cuts` in order, each once. Of cuts that overlap, which are one change of shot seen through different frames, the narrowest stays.
pub(super) fn each_once(mut cuts: Vec<StoredCut>) -> Vec<StoredCut> {
    cuts.sort_by_key(|cut| (cut.before, cut.after));
    let mut once: Vec<StoredCut> = Vec::new();
    for cut in cuts {
        match once.last_mut() {
            Some(last) if cut.before < last.after => {
                if cut.after - cut.before < last.after - last.before {
                    *last = cut;
                }
            }
            _ => once.push(cut),
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(before: u64, after: u64) -> StoredCut {
        StoredCut {
            before,
            after,
            kind: "hard".to_owned(),
            seconds: None,
        }
    }

    fn plan(anchor: u64, positive: u64) -> PairPlan {
        PairPlan {
            ordinal: 0,
            anchor,
            positive: Some(positive),
            boxes: None,
            is_followed: false,
        }
    }

    #[test]
    fn pairs_that_share_a_frame_are_watched_together() {
        let plans = [
            plan(50, 90),
            plan(0, 20),
            plan(10, 30),
            plan(30, 40),
            plan(41, 45),
            plan(60, 70),
        ];
        let watch = Watch::over(&plans);
        assert_eq!(watch.spans(), [0..=40, 41..=45, 50..=90]);
        assert!(Watch::over(&[]).spans().is_empty());
    }

    #[test]
    fn a_cut_that_was_seen_several_times_is_stored_once_and_as_exactly_as_it_was_seen() {
        let seen = vec![
            cut(200, 201),
            cut(96, 104),
            cut(99, 100),
            cut(99, 100),
            cut(98, 106),
            cut(106, 110),
            cut(108, 114),
        ];
        let expected = [cut(99, 100), cut(106, 110), cut(200, 201)];
        assert_eq!(each_once(seen), expected);
    }
}
