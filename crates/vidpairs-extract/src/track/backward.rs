//! The forward-backward check: a target that was held is found again on the way back.
//!
//! A fresh tracker begins on the box where the forward one arrived, and runs back over some of the frames.
//! What the forward path tells of the motion between them is taken out first ([`Tracker::nudge`]), so few
//! frames do; a tracker that cannot be told needs every frame. That does not help a tracklet that drifted: what it held at its end looks other than what it
//! held in the beginning, and is not found there. **Source**: Kalal et al., "Forward-Backward Error", ICPR
//! 2010, which tracks back on every frame and without the nudge.

use std::rc::Rc;

use vidpairs_types::{BoxXywh, Frame};

use super::follower::Follower;
use super::{StartTracker, TrackFrame, Tracker};

/// A stretch of frames that is tracked back in one go.
pub(super) struct Stretch {
    first: u64,
    /// The frames that are kept, ascending, the first one first; none where nothing is tracked back.
    kept: Vec<Rc<Frame>>,
}

/// A tracker on its way back.
struct Return<'a> {
    follower: &'a Follower,
    /// `None` once it failed.
    tracker: Option<Box<dyn Tracker>>,
    /// Where the forward path was when it was last asked.
    forward: BoxXywh,
    /// Where the way back arrived, unless it was lost.
    found: Option<BoxXywh>,
}

impl Stretch {
    /// A stretch that begins with `frame`, kept if `is_needed`.
    pub fn beginning_at(frame: &Rc<Frame>, is_needed: bool) -> Self {
        Self {
            first: frame.index,
            kept: is_needed.then(|| Rc::clone(frame)).into_iter().collect(),
        }
    }

    /// Index of its first frame.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Keeps a frame to track back on.
    pub fn keep(&mut self, frame: &Rc<Frame>) {
        self.kept.push(Rc::clone(frame));
    }

    /// Lets the frames go.
    pub fn clear(&mut self) {
        self.kept = Vec::new();
    }

    /// Tracks each of `followers` back from the frame that they are at to the first of the stretch: the overlap
    /// (IoU) there with where it was, 0 if it was not found, and the number of updates.
    pub fn track_back(
        &self,
        (now, view): (u64, &TrackFrame<'_>),
        followers: &[&mut Follower],
        start: &StartTracker,
    ) -> (Vec<f64>, u64) {
        let begun = |follower: &'_ &mut Follower| start(view, follower.last_box()).ok();
        let mut returns: Vec<Return<'_>> = followers
            .iter()
            .map(|follower| Return {
                tracker: begun(follower),
                forward: follower.last_box(),
                found: None,
                follower,
            })
            .collect();
        let mut num_updates = 0;
        let before_now = self.kept.iter().rev().filter(|kept| kept.index < now);
        for frame in before_now {
            let view = TrackFrame::new(&frame.planes);
            for one in &mut returns {
                num_updates += u64::from(one.step(frame.index, &view));
            }
        }
        let iou = |one: &Return<'_>| match (one.found, one.follower.box_in(self.first)) {
            (Some(found), Some(forward)) => found.iou(forward),
            _ => 0.0,
        };
        (returns.iter().map(iou).collect(), num_updates)
    }
}

impl Return<'_> {
    /// Goes back to frame `index`; whether the tracker was asked.
    fn step(&mut self, index: u64, view: &TrackFrame<'_>) -> bool {
        let (Some(tracker), Some(forward)) = (self.tracker.as_mut(), self.follower.box_in(index))
        else {
            return false;
        };
        let (from, to) = (centre(self.forward), centre(forward));
        tracker.nudge(to.0 - from.0, to.1 - from.1);
        self.forward = forward;
        match tracker.update(view) {
            Ok(estimate) => {
                self.found = (!estimate.is_lost).then_some(estimate.bbox);
            }
            Err(_) => (self.tracker, self.found) = (None, None),
        }
        true
    }
}

fn centre(bbox: BoxXywh) -> (f64, f64) {
    (bbox.x + bbox.w / 2.0, bbox.y + bbox.h / 2.0)
}
