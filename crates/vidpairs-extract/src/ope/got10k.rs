//! Computes average overlap and success rates like the GOT-10k toolkit.
//!
//! The overlap of two boxes is their intersection over union (IoU). Scored frames of all sequences are pooled, so that a long
//! sequence weighs more than a short one:
//!
//! - `AO = mean(IoU)`, `SR_t = share(IoU > t)`; the success curve is `SR_t` for `t` in 0, 0.01, ... 1.
//!
//! The first frame and every frame whose `cover.label` is 0 are excluded. Source: got10k 0.1.3,
//! `experiments/got10k.py` and `utils/metrics.py`. One departure: if a box is missing or has a number that
//! is not finite, the toolkit stops or returns NaN for everything; here that frame is a miss.

use serde::{Deserialize, Serialize};
use vidpairs_types::{BoxXywh, SizePx};

/// Number of thresholds of the success curve: 0, 0.01, ... 1.
const NUM_THRESHOLDS: usize = 101;

/// Indices of the published rates in the success curve.
const AT_50: usize = 50;
const AT_75: usize = 75;

/// Threshold `index` of the success curve.
pub fn threshold(index: usize) -> f64 {
    index as f64 * 0.01
}

/// Intersection over union of two boxes, each first clipped to an image of `size` like in the toolkit: left
/// and top are moved into the image while width and height stay, then the part beyond the right and the
/// bottom edge is cut off. A box without area has no overlap.
pub fn overlap(tracked: BoxXywh, truth: BoxXywh, size: SizePx) -> f64 {
    let (a, b) = (clipped(tracked, size), clipped(truth, size));
    let width = ((a.x + a.w).min(b.x + b.w) - a.x.max(b.x)).max(0.0);
    let height = ((a.y + a.h).min(b.y + b.h) - a.y.max(b.y)).max(0.0);
    let shared = width * height;
    (shared / (a.area() + b.area() - shared + f64::EPSILON)).clamp(0.0, 1.0)
}

fn clipped(bbox: BoxXywh, size: SizePx) -> BoxXywh {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let (x, y) = (bbox.x.clamp(0.0, width), bbox.y.clamp(0.0, height));
    BoxXywh {
        x,
        y,
        w: bbox.w.clamp(0.0, width - x),
        h: bbox.h.clamp(0.0, height - y),
    }
}

/// The overlap of every scored frame; `None` for the first frame and for frames without a true box.
///
/// - `tracked`: the tracker's box of each frame; a missing one is a miss.
/// - `truth`: the true box of each frame, `None` if the frame is not scored.
/// - `size`: size of the frames.
pub fn overlaps(tracked: &[BoxXywh], truth: &[Option<BoxXywh>], size: SizePx) -> Vec<Option<f64>> {
    let of_frame = |(frame, truth): (usize, &Option<BoxXywh>)| {
        let truth = truth.filter(|_| frame > 0)?;
        let tracked = super::finite_box(tracked, frame);
        Some(tracked.map_or(0.0, |tracked| overlap(tracked, truth, size)))
    };
    truth.iter().enumerate().map(of_frame).collect()
}

/// Counts of overlaps. Tallies of several sequences can be merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    num_frames: u64,
    sum: f64,
    /// Number of overlaps above each threshold.
    num_above: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            num_frames: 0,
            sum: 0.0,
            num_above: vec![0; NUM_THRESHOLDS],
        }
    }
}

impl Tally {
    /// Counts the overlaps of one sequence.
    pub fn of(overlaps: &[Option<f64>]) -> Self {
        let mut tally = Self::default();
        let scored = overlaps.iter().flatten();
        scored.for_each(|&overlap| tally.add(overlap));
        tally
    }

    fn add(&mut self, overlap: f64) {
        self.num_frames += 1;
        self.sum += overlap;
        for (index, num_above) in self.num_above.iter_mut().enumerate() {
            *num_above += u64::from(overlap > threshold(index));
        }
    }

    /// Adds the frames of another sequence.
    pub fn merge(&mut self, other: &Self) {
        self.num_frames += other.num_frames;
        self.sum += other.sum;
        for (ours, theirs) in self.num_above.iter_mut().zip(&other.num_above) {
            *ours += theirs;
        }
    }

    /// Number of scored frames.
    pub fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// The scores; `None` without frames.
    pub fn score(&self) -> Option<Score> {
        let num = (self.num_frames > 0).then_some(self.num_frames as f64)?;
        let rate = |&num_above: &u64| num_above as f64 / num;
        let success: Vec<f64> = self.num_above.iter().map(rate).collect();
        Some(Score {
            ao: self.sum / num,
            sr50: *success.get(AT_50)?,
            sr75: *success.get(AT_75)?,
            success,
        })
    }
}

/// Scores published by GOT-10k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Average overlap.
    pub ao: f64,
    /// Share of frames with an overlap above 0.5.
    pub sr50: f64,
    /// Share of frames with an overlap above 0.75.
    pub sr75: f64,
    /// Share of frames with an overlap above each [`threshold`].
    pub success: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: SizePx = SizePx {
        width: 100,
        height: 80,
    };

    fn bbox(x: f64, y: f64, w: f64, h: f64) -> BoxXywh {
        BoxXywh { x, y, w, h }
    }

    #[test]
    fn the_first_frame_and_frames_without_truth_are_excluded() {
        let truth = [
            Some(bbox(0.0, 0.0, 10.0, 10.0)),
            None,
            Some(bbox(0.0, 0.0, 10.0, 10.0)),
        ];
        let tracked = [
            bbox(50.0, 50.0, 9.0, 9.0),
            bbox(0.0, 0.0, 1.0, 1.0),
            bbox(5.0, 0.0, 10.0, 10.0),
        ];
        let scored = overlaps(&tracked, &truth, SIZE);
        assert_eq!(scored[..2], [None, None]);
        assert!((scored[2].unwrap() - 50.0 / 150.0).abs() < 1e-12);
        assert_eq!(Tally::of(&scored).num_frames(), 1);
    }

    #[test]
    fn missing_and_non_finite_boxes_are_misses_and_leave_other_frames_unchanged() {
        let whole = Some(bbox(10.0, 10.0, 20.0, 20.0));
        let tracked = [
            bbox(10.0, 10.0, 20.0, 20.0),
            bbox(f64::NAN, 10.0, 20.0, 20.0),
            bbox(10.0, 10.0, f64::INFINITY, 20.0),
            bbox(10.0, 10.0, 20.0, 20.0),
        ];
        let scored = overlaps(&tracked, &[whole; 5], SIZE);
        assert_eq!(scored, [None, Some(0.0), Some(0.0), Some(1.0), Some(0.0)]);
        let score = Tally::of(&scored).score().unwrap();
        assert_eq!((score.ao, score.sr50, score.sr75), (0.25, 0.25, 0.25));
    }

    #[test]
    fn boxes_outside_the_image_or_without_area_have_no_overlap() {
        let truth = bbox(10.0, 10.0, 20.0, 20.0);
        for tracked in [
            bbox(200.0, 10.0, 20.0, 20.0),
            bbox(10.0, -500.0, 0.0, 20.0),
            bbox(15.0, 15.0, 0.0, 0.0),
            bbox(15.0, 15.0, -4.0, 4.0),
        ] {
            assert_eq!(overlap(tracked, truth, SIZE), 0.0, "{tracked:?}");
        }
        let point = bbox(15.0, 15.0, 0.0, 0.0);
        assert_eq!(overlap(point, point, SIZE), 0.0);
    }

    #[test]
    fn an_overlap_equal_to_a_threshold_is_not_above_it() {
        let tally = Tally::of(&[Some(0.5), Some(1.0), Some(0.0)]);
        let score = tally.score().unwrap();
        assert_eq!(
            (score.success[0], score.success[49], score.success[100]),
            (2.0 / 3.0, 2.0 / 3.0, 0.0)
        );
        assert_eq!(score.sr50, 1.0 / 3.0);
    }

    #[test]
    fn merged_tallies_equal_the_tally_of_all_frames() {
        let (a, b) = ([Some(0.1), None, Some(0.9)], [Some(0.6)]);
        let mut sum = Tally::of(&a);
        sum.merge(&Tally::of(&b));
        assert_eq!(sum, Tally::of(&[&a[..], &b[..]].concat()));
        assert_eq!(Tally::default().score(), None);
    }
}
