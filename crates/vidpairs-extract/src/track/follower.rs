//! Tracks one region forward, frame by frame, until it is rejected.

use vidpairs_types::{BoxXywh, SizePx, TrackedBox};

use super::rules::{FollowRules, Mistrust, broken_by_change};
use super::tracker::{Estimate, TrackFrame, Tracker};
use super::tracklet::{Tracklet, in_sixteenths, in_thousandths};

/// A region between its anchor and its positive.
pub(super) struct Follower {
    /// `None` after rejection.
    tracker: Option<Box<dyn Tracker>>,
    /// Box in the anchor's frame.
    anchor: BoxXywh,
    tracklet: Tracklet,
    /// Sum of the confidences after the anchor's.
    confidence_sum: f64,
    /// Consecutive frames in which the target was lost, up to now.
    lost_frames: u32,
}

impl Follower {
    /// Starts on `region` in `frame`, which has the index `anchor`.
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

    /// Whether the region is still tracked.
    pub fn is_live(&self) -> bool {
        self.tracklet.mistrust.is_none()
    }

    /// Tracks the region in the next frame, `left` frames before the last one.
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
                self.record(index, &estimate);
                if let Some(reason) = self.broken_for_good(rules, frame.size(), &estimate, left) {
                    self.reject(reason);
                }
            }
            Err(_) => self.reject(Mistrust::TrackerFailed),
        }
    }

    fn record(&mut self, frame: u64, estimate: &Estimate) {
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
            // A perfect response has an infinite ratio, which JSON cannot store.
            psr: estimate
                .psr
                .filter(|psr| psr.is_finite())
                .map(in_thousandths),
        });
    }

    /// The rule that is broken whatever the remaining frames show, if any.
    fn broken_for_good(
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

    /// Judges the box in the last frame, of size `size`.
    pub fn judge_end(&mut self, rules: &FollowRules<'_>, size: SizePx) {
        if !self.is_live() {
            return;
        }
        let is_confident = self
            .tracklet
            .confidence()
            .is_some_and(|confidence| confidence.last >= rules.trust.min_confidence_last);
        let broken = if !self.is_in_sight() {
            Some(Mistrust::Lost)
        } else if !is_confident {
            Some(Mistrust::LowConfidence)
        } else {
            rules.boxes.broken_by(self.last_box(), size)
        };
        if let Some(reason) = broken {
            self.reject(reason);
        }
    }

    /// Judges the overlap after tracking back over a stretch.
    pub fn judge_stretch(&mut self, rules: &FollowRules<'_>, iou: f64) {
        let iou = in_thousandths(iou);
        let least = self.tracklet.forward_backward_iou;
        self.tracklet.forward_backward_iou = Some(least.map_or(iou, |least| least.min(iou)));
        if iou < rules.trust.min_forward_backward_iou {
            self.reject(Mistrust::ForwardBackward);
        }
    }

    /// Rejects the region and frees its tracker. The first reason stays.
    pub fn reject(&mut self, reason: Mistrust) {
        self.tracklet.mistrust.get_or_insert(reason);
        self.tracker = None;
    }

    /// Whether the target was found in the last tracked frame.
    pub fn is_in_sight(&self) -> bool {
        self.lost_frames == 0
    }

    /// Box in frame `frame`.
    pub fn box_in(&self, frame: u64) -> Option<BoxXywh> {
        let boxes = &self.tracklet.boxes;
        let at = boxes.binary_search_by_key(&frame, |tracked| tracked.frame);
        Some(boxes.get(at.ok()?)?.bbox)
    }

    /// Box in the last tracked frame.
    pub fn last_box(&self) -> BoxXywh {
        let last = self.tracklet.last_box();
        last.expect("a tracklet starts with the anchor's box")
    }

    /// The tracklet so far.
    pub fn tracklet(&self) -> &Tracklet {
        &self.tracklet
    }

    /// The finished tracklet.
    pub fn into_tracklet(self) -> Tracklet {
        self.tracklet
    }
}
