//! Trackers that see the same frames, and what each of them says.

use std::ops::ControlFlow;
use std::time::Instant;

use vidpairs_types::{BoxXywh, Planes};

use crate::engine::Opencv;
use crate::track::{self, TrackError, TrackFrame, Tracker, TrackerKind};

/// What one tracker said of one sequence, frame by frame from the first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Track {
    pub boxes: Vec<BoxXywh>,
    /// NaN where the tracker never saw the frame.
    pub confidence: Vec<f64>,
    pub is_lost: Vec<bool>,
    /// Of the start, then of each update; NaN where the tracker never saw the frame.
    pub seconds: Vec<f64>,
}

impl Track {
    fn push(&mut self, bbox: BoxXywh, confidence: f64, is_lost: bool, seconds: f64) {
        self.boxes.push(as_written(bbox));
        self.confidence.push(confidence);
        self.is_lost.push(is_lost);
        self.seconds.push(seconds);
    }

    /// Updates, the start left out.
    pub fn num_updates(&self) -> u64 {
        let updates = self.seconds.iter().skip(1);
        updates.filter(|it| it.is_finite()).count() as u64
    }

    /// Frames in which the target was called lost.
    pub fn num_lost(&self) -> u64 {
        self.is_lost.iter().filter(|it| **it).count() as u64
    }
}

/// The box in thousandths of a px, as the files have it: whoever reads those computes the same score.
fn as_written(bbox: BoxXywh) -> BoxXywh {
    let sides: [f64; 4] = bbox.into();
    BoxXywh::from(sides.map(|side| (side * 1e3).round() / 1e3))
}

/// Several trackers side by side on one sequence.
pub(super) struct Followers {
    all: Vec<Follower>,
    first_frame: u64,
    /// The frame that has not been seen yet.
    next: u64,
    num_passed_over: u64,
}

impl Followers {
    /// Trackers of `kinds` that start on `target` in frame `first_frame`.
    pub fn new(kinds: &[TrackerKind], opencv: Opencv, first_frame: u64, target: BoxXywh) -> Self {
        let all = (kinds.iter()).map(|&kind| Follower::new(kind, opencv, target));
        Self {
            all: all.collect(),
            first_frame,
            next: first_frame,
            num_passed_over: 0,
        }
    }

    /// Whether the trackers have seen the first frame.
    pub fn are_started(&self) -> bool {
        self.next > self.first_frame
    }

    /// Shows them frame `index`; frames left out before it are passed over. Without the first frame nothing can
    /// start: then, and once all have failed, there is no use in going on.
    pub fn see(&mut self, index: u64, planes: &Planes) -> ControlFlow<()> {
        if !self.are_started() && index != self.first_frame {
            return ControlFlow::Break(());
        }
        self.pass_over_until(index);
        self.all.iter_mut().for_each(|it| it.see(planes));
        self.next = index + 1;
        match self.all.iter().all(|it| it.error.is_some()) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Passes over the frames up to `end`, which is not one of them: the target is taken to stay.
    pub fn pass_over_until(&mut self, end: u64) {
        for _ in self.next..end {
            self.all.iter_mut().for_each(Follower::pass_over);
            self.num_passed_over += 1;
        }
        self.next = self.next.max(end);
    }

    /// Frames that could not be shown.
    pub fn num_passed_over(&self) -> u64 {
        self.num_passed_over
    }

    /// What each said of all frames, or in which frame of the sequence it failed and why.
    pub fn finish(self) -> impl Iterator<Item = (TrackerKind, Result<Track, (usize, TrackError)>)> {
        let told = |it: Follower| match it.error {
            Some(error) => (it.kind, Err(error)),
            None => (it.kind, Ok(it.track)),
        };
        self.all.into_iter().map(told)
    }
}

/// One tracker at work.
struct Follower {
    kind: TrackerKind,
    opencv: Opencv,
    target: BoxXywh,
    tracker: Option<Box<dyn Tracker>>,
    track: Track,
    error: Option<(usize, TrackError)>,
}

impl Follower {
    fn new(kind: TrackerKind, opencv: Opencv, target: BoxXywh) -> Self {
        Self {
            kind,
            opencv,
            target,
            tracker: None,
            track: Track::default(),
            error: None,
        }
    }

    /// Nothing happens after an error.
    fn see(&mut self, planes: &Planes) {
        if self.error.is_some() {
            return;
        }
        // A frame of its own: what a tracker makes of it once for all targets counts as its time.
        let frame = TrackFrame::new(planes);
        let begun = Instant::now();
        let said = match &mut self.tracker {
            Some(tracker) => tracker
                .update(&frame)
                .map(|it| (it.bbox, it.confidence, it.is_lost)),
            None => track::start(
                self.kind,
                &frame,
                self.target,
                self.opencv.map(|it| it as _),
            )
            .map(|tracker| {
                self.tracker = Some(tracker);
                (self.target, 1.0, false)
            }),
        };
        let seconds = begun.elapsed().as_secs_f64();
        match said {
            Ok((bbox, confidence, is_lost)) => self.track.push(bbox, confidence, is_lost, seconds),
            Err(err) => self.error = Some((self.track.boxes.len(), err)),
        }
    }

    fn pass_over(&mut self) {
        if let Some(&bbox) = self.track.boxes.last().filter(|_| self.error.is_none()) {
            self.track.push(bbox, f64::NAN, false, f64::NAN);
        }
    }
}
