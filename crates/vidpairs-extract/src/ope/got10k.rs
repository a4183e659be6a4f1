//! Average overlap and success rates, as the GOT-10k toolkit computes them.
//!
//! The overlap of two boxes is their intersection over their union (IoU). Over all frames of all sequences that
//! are scored, pooled, so that a long sequence counts for more than a short one:
//!
//! - `AO = mean(IoU)`, `SR_t = share(IoU > t)`, and the success curve is `SR_t` for `t` in 0, 0.01, ... 1.
//!
//! The first frame is left out, and with it every frame whose `cover.label` is 0. Source: got10k 0.1.3,
//! `experiments/got10k.py` and `utils/metrics.py`. One departure: where a box is missing or holds a number that
//! is not finite, the toolkit stops or gives NaN for everything; here that frame is a miss.

use serde::{Deserialize, Serialize};
use vidpairs_types::{BoxXywh, SizePx};

/// Thresholds of the success curve: 0, 0.01, ... 1.
pub const NUM_THRESHOLDS: usize = 101;

/// Where the success curve gives the rates that are published.
const AT_50: usize = 50;
const AT_75: usize = 75;

/// Threshold `index` of the success curve.
pub fn threshold(index: usize) -> f64 {
    index as f64 * 0.01
}

/// Intersection over union of two boxes, each first clipped to an image of `size` as the toolkit does it: left
/// and top are moved into the image while width and height stay, and then what reaches out at the right and the
/// bottom is cut off. A box without an area overlaps nothing.
pub fn overlap(given: BoxXywh, truth: BoxXywh, size: SizePx) -> f64 {
    let (a, b) = (clipped(given, size), clipped(truth, size));
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

/// The overlap of every frame that is scored; `None` for the first frame and for those without a true box.
///
/// - `given`: a box per frame; a missing one is a miss.
/// - `truth`: the true box of each frame, `None` where the frame is not scored.
/// - `size`: of the frames.
pub fn overlaps(given: &[BoxXywh], truth: &[Option<BoxXywh>], size: SizePx) -> Vec<Option<f64>> {
    let of_frame = |(frame, truth): (usize, &Option<BoxXywh>)| {
        let truth = truth.filter(|_| frame > 0)?;
        Some(super::given(given, frame).map_or(0.0, |given| overlap(given, truth, size)))
    };
    truth.iter().enumerate().map(of_frame).collect()
}

/// Overlaps, counted so that tallies of sequences can be added up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    num_frames: u64,
    sum: f64,
    /// How many overlaps are above each threshold.
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
    /// Of the overlaps of one sequence.
    pub fn of(overlaps: &[Option<f64>]) -> Self {
        let mut tally = Self::default();
        overlaps.iter().flatten().for_each(|&it| tally.add(it));
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

    /// Frames that are scored.
    pub fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// What they come to; `None` without a frame.
    pub fn score(&self) -> Option<Score> {
        let num = (self.num_frames > 0).then_some(self.num_frames as f64)?;
        let success: Vec<f64> = self.num_above.iter().map(|&it| it as f64 / num).collect();
        Some(Score {
            ao: self.sum / num,
            sr50: *success.get(AT_50)?,
            sr75: *success.get(AT_75)?,
            success,
        })
    }
}

/// What GOT-10k publishes of a tracker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Average overlap.
    pub ao: f64,
    /// Share of frames whose overlap is above 0.5.
    pub sr50: f64,
    /// Share of frames whose overlap is above 0.75.
    pub sr75: f64,
    /// Share of frames whose overlap is above each [`threshold`].
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
    fn the_first_frame_and_frames_without_truth_are_left_out() {
        let truth = [
            Some(bbox(0.0, 0.0, 10.0, 10.0)),
            None,
            Some(bbox(0.0, 0.0, 10.0, 10.0)),
        ];
        let given = [
            bbox(50.0, 50.0, 9.0, 9.0),
            bbox(0.0, 0.0, 1.0, 1.0),
            bbox(5.0, 0.0, 10.0, 10.0),
        ];
        let found = overlaps(&given, &truth, SIZE);
        assert_eq!(found[..2], [None, None]);
        assert!((found[2].unwrap() - 50.0 / 150.0).abs() < 1e-12);
        assert_eq!(Tally::of(&found).num_frames(), 1);
    }

    #[test]
    fn missing_boxes_and_numbers_that_are_not_finite_are_misses_and_poison_nothing() {
        let whole = Some(bbox(10.0, 10.0, 20.0, 20.0));
        let given = [
            bbox(10.0, 10.0, 20.0, 20.0),
            bbox(f64::NAN, 10.0, 20.0, 20.0),
            bbox(10.0, 10.0, f64::INFINITY, 20.0),
            bbox(10.0, 10.0, 20.0, 20.0),
        ];
        let found = overlaps(&given, &[whole; 5], SIZE);
        assert_eq!(found, [None, Some(0.0), Some(0.0), Some(1.0), Some(0.0)]);
        let score = Tally::of(&found).score().unwrap();
        assert_eq!((score.ao, score.sr50, score.sr75), (0.25, 0.25, 0.25));
    }

    #[test]
    fn boxes_outside_the_image_or_without_an_area_overlap_nothing() {
        let truth = bbox(10.0, 10.0, 20.0, 20.0);
        for given in [
            bbox(200.0, 10.0, 20.0, 20.0),
            bbox(10.0, -500.0, 0.0, 20.0),
            bbox(15.0, 15.0, 0.0, 0.0),
            bbox(15.0, 15.0, -4.0, 4.0),
        ] {
            assert_eq!(overlap(given, truth, SIZE), 0.0, "{given:?}");
        }
        let nothing = bbox(15.0, 15.0, 0.0, 0.0);
        assert_eq!(overlap(nothing, nothing, SIZE), 0.0);
    }

    #[test]
    fn an_overlap_of_exactly_a_threshold_is_not_above_it() {
        let tally = Tally::of(&[Some(0.5), Some(1.0), Some(0.0)]);
        let score = tally.score().unwrap();
        assert_eq!(
            (score.success[0], score.success[49], score.success[100]),
            (2.0 / 3.0, 2.0 / 3.0, 0.0)
        );
        assert_eq!(score.sr50, 1.0 / 3.0);
    }

    #[test]
    fn tallies_of_sequences_add_up_to_that_of_all_their_frames() {
        let (a, b) = ([Some(0.1), None, Some(0.9)], [Some(0.6)]);
        let mut sum = Tally::of(&a);
        sum.merge(&Tally::of(&b));
        assert_eq!(sum, Tally::of(&[&a[..], &b[..]].concat()));
        assert_eq!(Tally::default().score(), None);
    }
}
