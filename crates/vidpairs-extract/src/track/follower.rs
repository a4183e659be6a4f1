//! One region followed forward, frame by frame, until it is given up.

use vidpairs_types::{BoxXywh, SizePx, TrackedBox};

use super::tracklet::{in_sixteenths, in_thousandths};
use super::trust::broken_by_change;
use super::{Estimate, FollowRules, Mistrust, TrackFrame, Tracker, Tracklet};

/// A region on its way.
pub(super) struct Follower {
    /// `None` once it is given up.
    tracker: Option<Box<dyn Tracker>>,
    /// Where it began.
    anchor: BoxXywh,
    tracklet: Tracklet,
    /// Sum of the confidences after the anchor's.
    confidence_sum: f64,
    /// Frames in a row in which the target was lost.
    lost_frames: u32,
}

impl Follower {
    /// Begins at `region` in frame `anchor`, which is `frame`.
    pub fn start(
        rules: &FollowRules<'_>,
        anchor: u64,
        frame: &TrackFrame<'_>,
        region: BoxXywh,
    ) -> Self {
        let region = in_sixteenths(region);
        let tracker = (rules.start)(frame, region).ok();
        let mistrust = match tracker {
            Some(_) => None,
            None => Some(Mistrust::TrackerFailed),
        };
        let first = TrackedBox {
            frame: anchor,
            bbox: region,
            confidence: 1.0,
            psr: None,
        };
        Self {
            tracker,
            anchor: region,
            tracklet: Tracklet {
                boxes: vec![first],
                forward_backward_iou: None,
                mistrust,
            },
            confidence_sum: 0.0,
            lost_frames: 0,
        }
    }

    /// Whether it is still followed.
    pub fn is_live(&self) -> bool {
        self.tracklet.mistrust.is_none()
    }

    /// Looks for the region in the next frame, `left` frames before the last one.
    pub fn update(
        &mut self,
        rules: &FollowRules<'_>,
        index: u64,
        frame: &TrackFrame<'_>,
        left: u64,
    ) {
        let Some(tracker) = self.tracker.as_mut() else {
            return;
        };
        match tracker.update(frame) {
            Ok(estimate) => {
                self.note(index, &estimate);
                if let Some(reason) = self.broken_on_the_way(rules, frame.size(), &estimate, left) {
                    self.give_up(reason);
                }
            }
            Err(_) => self.give_up(Mistrust::TrackerFailed),
        }
    }

    fn note(&mut self, frame: u64, estimate: &Estimate) {
        self.lost_frames = match estimate.is_lost {
            true => self.lost_frames + 1,
            false => 0,
        };
        let confidence = in_thousandths(estimate.confidence);
        self.confidence_sum += confidence;
        self.tracklet.boxes.push(TrackedBox {
            frame,
            bbox: in_sixteenths(estimate.bbox),
            confidence,
            // JSON has no infinity, which a perfect response would give.
            psr: estimate
                .psr
                .filter(|psr| psr.is_finite())
                .map(in_thousandths),
        });
    }

    /// The rule that is broken for good: nothing that the frames to come may show can mend it.
    fn broken_on_the_way(
        &self,
        rules: &FollowRules<'_>,
        size: SizePx,
        estimate: &Estimate,
        left: u64,
    ) -> Option<Mistrust> {
        let trust = &rules.trust;
        if self.lost_frames > trust.max_lost_frames {
            return Some(Mistrust::Lost);
        }
        if !estimate.is_lost && estimate.confidence < trust.min_confidence {
            return Some(Mistrust::LowConfidence);
        }
        let num_tracked = self.tracklet.boxes.len() as u64 - 1;
        let best_sum = self.confidence_sum + left as f64;
        if best_sum < trust.min_confidence_mean * (num_tracked + left) as f64 {
            return Some(Mistrust::LowConfidence);
        }
        rules
            .boxes
            .broken_for_good_by(self.last_box(), size)
            .or_else(|| broken_by_change(trust, self.anchor, self.last_box()))
    }

    /// Judges what was found in the last frame, of `size`.
    pub fn judge_end(&mut self, rules: &FollowRules<'_>, size: SizePx) {
        if !self.is_live() {
            return;
        }
        let is_sure = self
            .tracklet
            .confidence()
            .is_some_and(|confidence| confidence.last >= rules.trust.min_confidence_last);
        let broken = if !self.is_in_sight() {
            Some(Mistrust::Lost)
        } else if !is_sure {
            Some(Mistrust::LowConfidence)
        } else {
            rules.boxes.broken_by(self.last_box(), size)
        };
        if let Some(reason) = broken {
            self.give_up(reason);
        }
    }

    /// Takes in what tracking back over a stretch came to.
    pub fn judge_stretch(&mut self, rules: &FollowRules<'_>, iou: f64) {
        let iou = in_thousandths(iou);
        let least = self.tracklet.forward_backward_iou;
        self.tracklet.forward_backward_iou = Some(least.map_or(iou, |least| least.min(iou)));
        if iou < rules.trust.min_forward_backward_iou {
            self.give_up(Mistrust::ForwardBackward);
        }
    }

    /// Follows it no further, and frees what the tracker learned.
    pub fn give_up(&mut self, reason: Mistrust) {
        self.tracklet.mistrust.get_or_insert(reason);
        self.tracker = None;
    }

    /// Whether the target was found in the last frame that was looked at.
    pub fn is_in_sight(&self) -> bool {
        self.lost_frames == 0
    }

    /// Where it was in frame `frame`.
    pub fn box_in(&self, frame: u64) -> Option<BoxXywh> {
        let boxes = &self.tracklet.boxes;
        let at = boxes.binary_search_by_key(&frame, |tracked| tracked.frame);
        Some(boxes.get(at.ok()?)?.bbox)
    }

    /// Where it was seen last.
    pub fn last_box(&self) -> BoxXywh {
        self.tracklet.last_box().unwrap_or(self.anchor)
    }

    /// What came of it so far.
    pub fn tracklet(&self) -> &Tracklet {
        &self.tracklet
    }

    /// What came of it.
    pub fn into_tracklet(self) -> Tracklet {
        self.tracklet
    }
}
