//! Runs several trackers on the same frames.

use std::ops::ControlFlow;
use std::time::Instant;

use vidpairs_types::{BoxXywh, Planes};

use crate::engine::Opencv;
use crate::track::{self, TrackError, TrackFrame, Tracker, TrackerKind};

/// Result of one tracker on one sequence: one entry for each frame from the first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Track {
    pub boxes: Vec<BoxXywh>,
    /// Confidence, 0 to 1; NaN for a frame that the tracker did not see.
    pub confidence: Vec<f64>,
    pub is_lost: Vec<bool>,
    /// Time of the start, then of each update, seconds; NaN for a frame that the tracker did not see.
    pub seconds: Vec<f64>,
}

impl Track {
    fn push(&mut self, bbox: BoxXywh, confidence: f64, is_lost: bool, seconds: f64) {
        self.boxes.push(as_written(bbox));
        self.confidence.push(confidence);
        self.is_lost.push(is_lost);
        self.seconds.push(seconds);
    }

    /// Number of updates, without the start.
    pub fn num_updates(&self) -> u64 {
        let updates = self.seconds.iter().skip(1);
        updates.filter(|seconds| seconds.is_finite()).count() as u64
    }

    /// Number of frames in which the tracker reported the target as lost.
    pub fn num_lost(&self) -> u64 {
        self.is_lost.iter().filter(|is_lost| **is_lost).count() as u64
    }
}

/// The box rounded to thousandths of a px, as in the files: a reader of the files computes the same score.
fn as_written(bbox: BoxXywh) -> BoxXywh {
    let sides: [f64; 4] = bbox.into();
    BoxXywh::from(sides.map(|side| (side * 1e3).round() / 1e3))
}

/// Several trackers side by side on one sequence.
pub(super) struct Followers {
    all: Vec<Follower>,
    first_frame: u64,
    /// Index of the next frame.
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

    /// Whether the trackers were started.
    pub fn are_started(&self) -> bool {
        self.next > self.first_frame
    }

    /// Updates the trackers with frame `index`; missing frames before it are skipped. Breaks if the first frame is missing, or once all
    /// trackers have failed.
    pub fn see(&mut self, index: u64, planes: &Planes) -> ControlFlow<()> {
        if !self.are_started() && index != self.first_frame {
            return ControlFlow::Break(());
        }
        self.pass_over_until(index);
        self.all.iter_mut().for_each(|tracker| tracker.see(planes));
        self.next = index + 1;
        match self.all.iter().all(|tracker| tracker.error.is_some()) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Skips the frames before `end`: the target is assumed to stay.
    pub fn pass_over_until(&mut self, end: u64) {
        for _ in self.next..end {
            self.all.iter_mut().for_each(Follower::pass_over);
            self.num_passed_over += 1;
        }
        self.next = self.next.max(end);
    }

    /// Number of skipped frames.
    pub fn num_passed_over(&self) -> u64 {
        self.num_passed_over
    }

    /// Result of each tracker, or the frame of the sequence in which it failed, with the error.
    pub fn finish(self) -> impl Iterator<Item = (TrackerKind, Result<Track, (usize, TrackError)>)> {
        let result = |tracker: Follower| match tracker.error {
            Some(error) => (tracker.kind, Err(error)),
            None => (tracker.kind, Ok(tracker.track)),
        };
        self.all.into_iter().map(result)
    }
}

/// One tracker on one sequence.
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

    /// Updates the tracker; does nothing after an error.
    fn see(&mut self, planes: &Planes) {
        if self.error.is_some() {
            return;
        }
        // A frame of its own, so that the conversion of the frame counts as time of this tracker.
        let frame = TrackFrame::new(planes);
        let begun = Instant::now();
        let said = match &mut self.tracker {
            Some(tracker) => tracker
                .update(&frame)
                .map(|estimate| (estimate.bbox, estimate.confidence, estimate.is_lost)),
            None => track::start(
                self.kind,
                &frame,
                self.target,
                self.opencv.map(|opencv| opencv as _),
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
