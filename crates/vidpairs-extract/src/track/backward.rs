//! Runs the forward-backward check: a correctly tracked target is found again when tracking backward.
//!
//! A new tracker starts on the box where the forward one arrived, and runs backward over some of the frames. The motion of the
//! forward path between them is compensated first ([`Tracker::nudge`]), so few frames suffice; a tracker without a nudge
//! needs every frame. The nudge does not hide drift: a drifted tracklet ends on something that looks different from its start,
//! and is not found there. **Source**: Kalal et al., "Forward-Backward Error", ICPR
//! 2010, which tracks back on every frame and without a nudge.

use std::rc::Rc;

use vidpairs_types::{BoxXywh, Frame};

use super::follower::Follower;
use super::rules::StartTracker;
use super::tracker::{TrackFrame, Tracker};

/// An interval of frames that is tracked back at once.
pub(super) struct Stretch {
    first: u64,
    /// Kept frames, ascending, beginning with the first; empty if nothing is tracked back.
    kept: Vec<Rc<Frame>>,
}

/// A tracker running backward.
struct Return<'a> {
    follower: &'a Follower,
    /// `None` after a failure.
    tracker: Option<Box<dyn Tracker>>,
    /// Forward box in the last visited frame.
    forward: BoxXywh,
    /// Backward box in the last visited frame, unless the target was lost.
    backward: Option<BoxXywh>,
}

impl Stretch {
    /// A stretch that starts with `frame`, kept if `is_needed`.
    pub fn starting_at(frame: &Rc<Frame>, is_needed: bool) -> Self {
        Self {
            first: frame.index,
            kept: is_needed.then(|| Rc::clone(frame)).into_iter().collect(),
        }
    }

    /// Index of its first frame.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Keeps a frame for tracking back.
    pub fn keep(&mut self, frame: &Rc<Frame>) {
        self.kept.push(Rc::clone(frame));
    }

    /// Releases the frames.
    pub fn clear(&mut self) {
        self.kept = Vec::new();
    }

    /// Tracks each of `followers` back from frame `now` to the first frame of the stretch. Returns the overlap (IoU) of its
    /// backward and forward boxes there, 0 if the target was not found, and the number of updates.
    pub fn track_back(
        &self,
        (now, view): (u64, &TrackFrame<'_>),
        followers: &[&mut Follower],
        start: &StartTracker,
    ) -> (Vec<f64>, u64) {
        let mut returns: Vec<Return<'_>> = followers
            .iter()
            .map(|follower| Return {
                tracker: start(view, follower.last_box()).ok(),
                forward: follower.last_box(),
                backward: None,
                follower,
            })
            .collect();
        let mut num_updates = 0;
        let before_now = self.kept.iter().rev().filter(|kept| kept.index < now);
        for frame in before_now {
            let view = TrackFrame::new(&frame.planes);
            for tracker in &mut returns {
                num_updates += u64::from(tracker.step(frame.index, &view));
            }
        }
        let iou = |tracker: &Return<'_>| {
            let forward = tracker.follower.box_in(self.first);
            match (tracker.backward, forward) {
                (Some(backward), Some(forward)) => backward.iou(forward),
                _ => 0.0,
            }
        };
        (returns.iter().map(iou).collect(), num_updates)
    }
}

impl Return<'_> {
    /// Steps back to frame `index`. Returns whether the tracker was updated.
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
                self.backward = (!estimate.is_lost).then_some(estimate.bbox);
            }
            Err(_) => (self.tracker, self.backward) = (None, None),
        }
        true
    }
}

fn centre(bbox: BoxXywh) -> (f64, f64) {
    (bbox.x + bbox.w / 2.0, bbox.y + bbox.h / 2.0)
}
