//! The regions of one anchor, followed together to their positive.

use std::rc::Rc;

use vidpairs_types::{BoxXywh, Frame};

use super::backward::Stretch;
use super::follower::Follower;
use super::{BoxRules, Mistrust, TrackError, TrackFrame, Tracker, Tracklet, TrustRules};

/// Starts a tracker on a box in a frame.
pub type StartTracker = dyn Fn(&TrackFrame<'_>, BoxXywh) -> Result<Box<dyn Tracker>, TrackError>;

/// How regions are followed, and when they are trusted.
pub struct FollowRules<'a> {
    /// Starts the tracker: `|frame, target| track::start(kind, frame, target)`.
    pub start: &'a StartTracker,
    /// Which tracklets are trusted.
    pub trust: TrustRules,
    /// Which boxes are regions.
    pub boxes: BoxRules,
    /// Most bytes of frames that are kept to track back on; see [`kept_frames`](Self::kept_frames).
    pub max_kept_bytes: u64,
}

/// The longest stretch that is tracked back in one go, frames.
const MAX_STRETCH: u64 = 64;

impl FollowRules<'_> {
    /// Frames of `frame_bytes` each that are kept at once, beside that of the anchor: those of one stretch,
    /// at least one.
    pub fn kept_frames(&self, frame_bytes: u64) -> u64 {
        let of_a_stretch = MAX_STRETCH / u64::from(self.trust.forward_backward_step.max(1));
        let affordable = self.max_kept_bytes / frame_bytes.max(1);
        of_a_stretch.min(affordable).max(1)
    }

    /// Frames of a stretch.
    fn stretch_len(&self, frame: &Frame) -> u64 {
        let step = u64::from(self.trust.forward_backward_step.max(1));
        self.kept_frames(frame.planes.num_bytes()) * step
    }

    fn tracks_back(&self) -> bool {
        self.trust.min_forward_backward_iou > 0.0
    }
}

/// The regions of one anchor on their way to frame `last`.
///
/// Frames are kept for tracking back: that of the anchor, and those whose index is a multiple of the step.
/// So two anchors keep the same frames, which are held once, and go when no stretch needs them.
pub struct Following<'a> {
    rules: &'a FollowRules<'a>,
    followers: Vec<Follower>,
    last: u64,
    stretch: Stretch,
    num_updates: u64,
}

impl<'a> Following<'a> {
    /// Begins at `regions` in `frame`; `view` is the same frame. The regions are to be found again up to
    /// frame `last`. A region on which the tracker cannot begin is rejected at once.
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
            stretch: Stretch::beginning_at(frame, rules.tracks_back()),
            num_updates: 0,
        }
    }

    /// Looks for the regions in the next frame; `view` is the same frame. One after the last is passed over.
    pub fn follow(&mut self, frame: &Rc<Frame>, view: &TrackFrame<'_>) {
        if frame.index > self.last {
            return self.stretch.clear();
        }
        let left = self.last.saturating_sub(frame.index);
        for follower in self.followers.iter_mut().filter(|one| one.is_live()) {
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
        let step = u64::from(self.rules.trust.forward_backward_step.max(1));
        if !self.rules.tracks_back() || !frame.index.is_multiple_of(step) {
            return;
        }
        // It ends where the next frame to keep would make it too long.
        if frame.index + step > self.stretch.first() + self.rules.stretch_len(frame) {
            self.track_back(frame, view);
            self.stretch = Stretch::beginning_at(frame, !self.is_over());
        } else {
            self.stretch.keep(frame);
        }
    }

    /// Whether nothing is followed any more: all are given up.
    pub fn is_over(&self) -> bool {
        !self.followers.iter().any(Follower::is_live)
    }

    /// Where the regions were seen last, in their order.
    pub fn boxes(&self) -> impl Iterator<Item = BoxXywh> {
        self.followers.iter().map(Follower::last_box)
    }

    /// Updates of trackers so far, back and forth.
    pub fn num_updates(&self) -> u64 {
        self.num_updates
    }

    /// What came of the regions, in their order. One that is still followed, since the last frame did not
    /// come, is rejected.
    pub fn into_tracklets(self) -> Vec<Tracklet> {
        let (last, followers) = (self.last, self.followers.into_iter());
        let tracklets = followers.map(|mut follower| {
            if follower.box_in(last).is_none() && follower.is_live() {
                follower.give_up(Mistrust::CutShort);
            }
            follower.into_tracklet()
        });
        tracklets.collect()
    }

    fn track_back(&mut self, frame: &Frame, view: &TrackFrame<'_>) {
        if !self.rules.tracks_back() {
            return;
        }
        for follower in self.followers.iter_mut().filter(|one| one.is_live()) {
            // From a place where it was not seen nothing can be tracked back.
            if !follower.is_in_sight() {
                follower.give_up(Mistrust::Lost);
            }
        }
        let followers = self.followers.iter_mut().filter(|one| one.is_live());
        let mut followers: Vec<&mut Follower> = followers.collect();
        let (now, start) = ((frame.index, view), self.rules.start);
        let (ious, num_updates) = self.stretch.track_back(now, &followers, start);
        self.num_updates += num_updates;
        for (follower, iou) in followers.iter_mut().zip(ious) {
            follower.judge_stretch(self.rules, iou);
        }
    }

    /// Of trusted tracklets that ended on the same box, keeps the best.
    fn reject_duplicates(&mut self) {
        let worth = |follower: &Follower| {
            let tracklet = follower.tracklet();
            let iou = tracklet.forward_backward_iou.unwrap_or(0.0);
            let confidence = tracklet.confidence().map_or(0.0, |spread| spread.mean);
            (iou, confidence)
        };
        let live = self.followers.iter_mut().filter(|one| one.is_live());
        let mut best_first: Vec<&mut Follower> = live.collect();
        // Stable: of equals the earlier region stays.
        best_first.sort_by(|a, b| {
            let ((iou_a, sure_a), (iou_b, sure_b)) = (worth(a), worth(b));
            iou_b.total_cmp(&iou_a).then(sure_b.total_cmp(&sure_a))
        });
        let mut kept: Vec<BoxXywh> = Vec::new();
        for follower in best_first {
            let bbox = follower.last_box();
            let is_near = |&other: &BoxXywh| bbox.iou(other) > self.rules.trust.max_duplicate_iou;
            if kept.iter().any(is_near) {
                follower.give_up(Mistrust::Duplicate);
            } else {
                kept.push(bbox);
            }
        }
    }
}
