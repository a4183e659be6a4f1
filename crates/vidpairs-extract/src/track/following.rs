//! Tracks the regions of one anchor together to their positive.

use std::rc::Rc;

use vidpairs_types::{BoxXywh, Frame};

use super::backward::Stretch;
use super::follower::Follower;
use super::rules::{FollowRules, Mistrust};
use super::tracker::TrackFrame;
use super::tracklet::Tracklet;

/// Regions of one anchor, tracked to frame `last`.
///
/// Frames are kept for tracking back: the anchor's, and those whose index is a multiple of the step.
/// Several anchors share these frames; each is freed when no stretch needs it any more.
pub struct Following<'a> {
    rules: &'a FollowRules<'a>,
    followers: Vec<Follower>,
    last: u64,
    stretch: Stretch,
    num_updates: u64,
}

impl<'a> Following<'a> {
    /// Starts on `regions` in `frame`; `view` is the same frame. The regions are tracked up to
    /// frame `last`. A region on which the tracker cannot start is rejected at once.
    pub fn start(
        rules: &'a FollowRules<'a>,
        (frame, view): (&Rc<Frame>, &TrackFrame<'_>),
        last: u64,
        regions: &[BoxXywh],
    ) -> Self {
        let started = |&region: &BoxXywh| Follower::start(rules, frame.index, view, region);
        Self {
            rules,
            followers: regions.iter().map(started).collect(),
            last,
            stretch: Stretch::starting_at(frame, rules.tracks_back()),
            num_updates: 0,
        }
    }

    /// Tracks the regions in the next frame; `view` is the same frame. Frames after the last are ignored.
    pub fn follow(&mut self, frame: &Rc<Frame>, view: &TrackFrame<'_>) {
        if frame.index > self.last {
            return self.stretch.clear();
        }
        let left = self.last.saturating_sub(frame.index);
        for follower in self
            .followers
            .iter_mut()
            .filter(|follower| follower.is_live())
        {
            follower.update(self.rules, frame.index, view, left);
            self.num_updates += 1;
        }
        if self.is_over() {
            return self.stretch.clear();
        }
        if frame.index == self.last {
            for follower in &mut self.followers {
                follower.judge_end(self.rules, view.size());
            }
            self.track_back(frame, view);
            self.reject_duplicates();
            return self.stretch.clear();
        }
        let step = self.rules.step();
        if !self.rules.tracks_back() || !frame.index.is_multiple_of(step) {
            return;
        }
        // The stretch ends if the next kept frame would make it too long.
        let most_frames = self.rules.kept_frames(frame.planes.num_bytes()) * step;
        if frame.index + step > self.stretch.first() + most_frames {
            self.track_back(frame, view);
            self.stretch = Stretch::starting_at(frame, !self.is_over());
        } else {
            self.stretch.keep(frame);
        }
    }

    /// Whether all regions are rejected.
    pub fn is_over(&self) -> bool {
        !self.followers.iter().any(Follower::is_live)
    }

    /// Last boxes of the regions, in their order.
    pub fn boxes(&self) -> impl Iterator<Item = BoxXywh> {
        self.followers.iter().map(Follower::last_box)
    }

    /// Number of tracker updates so far, forward and backward.
    pub fn num_updates(&self) -> u64 {
        self.num_updates
    }

    /// Tracklets of the regions, in their order. Regions still being tracked are rejected, since the last frame is
    /// missing.
    pub fn into_tracklets(self) -> Vec<Tracklet> {
        let last = self.last;
        let finish = |mut follower: Follower| {
            if follower.box_in(last).is_none() && follower.is_live() {
                follower.reject(Mistrust::CutShort);
            }
            follower.into_tracklet()
        };
        self.followers.into_iter().map(finish).collect()
    }

    /// Tracks the live regions back over the current stretch, which ends with `frame`.
    fn track_back(&mut self, frame: &Frame, view: &TrackFrame<'_>) {
        if !self.rules.tracks_back() {
            return;
        }
        for follower in self
            .followers
            .iter_mut()
            .filter(|follower| follower.is_live())
        {
            // Without a target in the last frame there is nothing to track back.
            if !follower.is_in_sight() {
                follower.reject(Mistrust::Lost);
            }
        }
        let live = self
            .followers
            .iter_mut()
            .filter(|follower| follower.is_live());
        let mut followers: Vec<&mut Follower> = live.collect();
        let (now, start) = ((frame.index, view), self.rules.start);
        let (ious, num_updates) = self.stretch.track_back(now, &followers, start);
        self.num_updates += num_updates;
        for (follower, iou) in followers.iter_mut().zip(ious) {
            follower.judge_stretch(self.rules, iou);
        }
    }

    /// Keeps the best of the tracklets that ended on the same box.
    fn reject_duplicates(&mut self) {
        let quality = |follower: &Follower| {
            let tracklet = follower.tracklet();
            let iou = tracklet.forward_backward_iou.unwrap_or(0.0);
            let confidence = tracklet.confidence().map_or(0.0, |spread| spread.mean);
            (iou, confidence)
        };
        let live = self
            .followers
            .iter_mut()
            .filter(|follower| follower.is_live());
        let mut best_first: Vec<&mut Follower> = live.collect();
        // A stable sort: among equals, the earlier region stays.
        best_first.sort_by(|a, b| {
            let ((iou_a, mean_a), (iou_b, mean_b)) = (quality(a), quality(b));
            iou_b.total_cmp(&iou_a).then(mean_b.total_cmp(&mean_a))
        });
        let mut kept: Vec<BoxXywh> = Vec::new();
        for follower in best_first {
            let bbox = follower.last_box();
            let is_near = |&other: &BoxXywh| bbox.iou(other) > self.rules.trust.max_duplicate_iou;
            if kept.iter().any(is_near) {
                follower.reject(Mistrust::Duplicate);
            } else {
                kept.push(bbox);
            }
        }
    }
}
