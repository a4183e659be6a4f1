//! Computes success, precision and normalised precision like the TrackingNet devkit.
//!
//! Boxes are rounded to whole px (half to even) and the first box is replaced by the true one. With
//! the distance `d = (dx, dy)` of the two centres and the sides `w`, `h` of the true box, for each of 21 thresholds:
//!
//! - success: share of frames with `IoU > t`, `t` in 0, 0.05, ... 1;
//! - precision: share with `|d| <= t` px, `t` in 0, 2.5, ... 50;
//! - normalised precision: share with `|(dx / w, dy / h)| <= t`, `t` in 0, 0.025, ... 0.5.
//!
//! Each curve is averaged over sequences. A score is the area under a curve by the trapezoidal rule, with
//! thresholds scaled to 0 to 1. Since no IoU exceeds 1, the success of a perfect tracker is 0.975.
//!
//! Source: `metrics.py` of the TrackingNet devkit. Sizes are inclusive there; for rounded boxes this equals
//! an area of `w * h`. A box that is missing or not finite is a miss in all three.

use serde::{Deserialize, Serialize};
use vidpairs_types::BoxXywh;

/// Number of thresholds of each curve.
const NUM_THRESHOLDS: usize = 21;

/// The three curves of one sequence, or averaged over several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Share of frames with an overlap above 0, 0.05, ... 1.
    pub success: Vec<f64>,
    /// Share of frames with a centre distance of at most 0, 2.5, ... 50 px.
    pub precision: Vec<f64>,
    /// Share of frames with a centre distance of at most 0, 0.025, ... 0.5 of the true box's sides.
    pub normalized_precision: Vec<f64>,
}

/// Areas under the curves, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Area under the success curve.
    pub success: f64,
    /// Area under the precision curve.
    pub precision: f64,
    /// Area under the normalised precision curve.
    pub normalized_precision: f64,
}

/// The curves of one sequence; `None` without scored frames.
///
/// - `tracked`: the tracker's box of each frame; a missing one is a miss.
/// - `truth`: the true box of each frame, `None` if the frame is not scored.
pub fn curves(tracked: &[BoxXywh], truth: &[Option<BoxXywh>]) -> Option<Curves> {
    let mut fits = Vec::new();
    for (frame, truth) in truth.iter().enumerate() {
        let Some(truth) = truth.map(rounded) else {
            continue;
        };
        let tracked = match frame {
            0 => Some(truth),
            _ => super::finite_box(tracked, frame).map(rounded),
        };
        fits.push(tracked.map(|tracked| Fit::of(tracked, truth)));
    }
    if fits.is_empty() {
        return None;
    }
    let share = |holds: &dyn Fn(&Fit) -> bool| {
        fits.iter().flatten().filter(|fit| holds(fit)).count() as f64 / fits.len() as f64
    };
    Some(Curves {
        success: thresholds(1.0)
            .map(|t| share(&|fit| fit.overlap > t))
            .collect(),
        precision: thresholds(50.0)
            .map(|t| share(&|fit| fit.distance_px <= t))
            .collect(),
        normalized_precision: thresholds(0.5)
            .map(|t| share(&|fit| fit.normalized_distance <= t))
            .collect(),
    })
}

/// Mean curves of several sequences; `None` for no sequence.
pub fn mean<'a>(all: impl IntoIterator<Item = &'a Curves>) -> Option<Curves> {
    let zeros = || vec![0.0; NUM_THRESHOLDS];
    let mut sum = Curves {
        success: zeros(),
        precision: zeros(),
        normalized_precision: zeros(),
    };
    let mut num = 0.0;
    for curves in all {
        num += 1.0;
        for (sum, curve) in sum.each_mut().into_iter().zip(curves.each()) {
            let pairs = sum.iter_mut().zip(curve);
            pairs.for_each(|(sum, share)| *sum += share);
        }
    }
    if num == 0.0 {
        return None;
    }
    for curve in sum.each_mut() {
        curve.iter_mut().for_each(|share| *share /= num);
    }
    Some(sum)
}

impl Curves {
    /// Areas under the curves.
    pub fn score(&self) -> Score {
        let [success, precision, normalized_precision] = self.each().map(|curve| area(curve));
        Score {
            success,
            precision,
            normalized_precision,
        }
    }

    fn each(&self) -> [&Vec<f64>; 3] {
        [&self.success, &self.precision, &self.normalized_precision]
    }

    fn each_mut(&mut self) -> [&mut Vec<f64>; 3] {
        [
            &mut self.success,
            &mut self.precision,
            &mut self.normalized_precision,
        ]
    }
}

/// 21 thresholds from 0 to `max`, each a whole multiple of the step, like NumPy's `linspace`.
fn thresholds(max: f64) -> impl Iterator<Item = f64> {
    let step = max / (NUM_THRESHOLDS - 1) as f64;
    (0..NUM_THRESHOLDS).map(move |index| match index {
        20 => max,
        _ => index as f64 * step,
    })
}

/// Area under a curve by the trapezoidal rule, with thresholds from 0 to 1.
fn area(curve: &[f64]) -> f64 {
    let step = 1.0 / (NUM_THRESHOLDS - 1) as f64;
    curve
        .windows(2)
        .map(|pair| step * pair.iter().sum::<f64>() / 2.0)
        .sum()
}

fn rounded(bbox: BoxXywh) -> BoxXywh {
    let sides: [f64; 4] = bbox.into();
    BoxXywh::from(sides.map(f64::round_ties_even))
}

/// Overlap and distance of a box and the true box. Undefined numbers are NaN, which no threshold satisfies.
struct Fit {
    overlap: f64,
    distance_px: f64,
    normalized_distance: f64,
}

impl Fit {
    fn of(tracked: BoxXywh, truth: BoxXywh) -> Self {
        let shared = |(a, a_side): (f64, f64), (b, b_side): (f64, f64)| {
            ((a + a_side).min(b + b_side) - a.max(b)).max(0.0)
        };
        let area = shared((tracked.x, tracked.w), (truth.x, truth.w))
            * shared((tracked.y, tracked.h), (truth.y, truth.h));
        let dx = truth.x - tracked.x + (truth.w - tracked.w) / 2.0;
        let dy = truth.y - tracked.y + (truth.h - tracked.h) / 2.0;
        Self {
            overlap: area / (truth.area() + tracked.area() - area),
            distance_px: (dx * dx + dy * dy).sqrt(),
            normalized_distance: (dx / truth.w * dx / truth.w + dy / truth.h * dy / truth.h).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bbox(x: f64, y: f64, w: f64, h: f64) -> BoxXywh {
        BoxXywh { x, y, w, h }
    }

    #[test]
    fn a_perfect_tracker_has_a_precision_of_1_and_a_success_of_0_975() {
        let boxes = [bbox(1.0, 2.0, 30.0, 40.0); 4];
        let score = curves(&boxes, &boxes.map(Some)).unwrap().score();
        let Score {
            success,
            precision,
            normalized_precision,
        } = score;
        assert!((success - 0.975).abs() < 1e-12);
        assert!((precision - 1.0).abs() < 1e-12 && (normalized_precision - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_first_box_is_replaced_by_the_true_one_and_a_missing_box_is_a_miss() {
        let truth = [Some(bbox(10.0, 10.0, 20.0, 20.0)); 2];
        let curves = curves(&[], &truth).unwrap();
        assert_eq!(curves.success[..20], [0.5; 20]);
        assert_eq!(curves.precision, [0.5; 21]);
        assert_eq!(super::curves(&[], &[None, None]), None);
    }

    #[test]
    fn empty_and_non_finite_boxes_are_misses_and_leave_other_frames_unchanged() {
        let truth = [
            Some(bbox(0.0, 0.0, 10.0, 10.0)),
            Some(bbox(5.0, 5.0, 0.0, 0.0)),
            Some(bbox(0.0, 0.0, 10.0, 10.0)),
        ];
        let tracked = [
            bbox(0.0, 0.0, 10.0, 10.0),
            bbox(5.0, 5.0, 0.0, 0.0),
            bbox(f64::NAN, 0.0, 10.0, 10.0),
        ];
        let curves = curves(&tracked, &truth).unwrap();
        assert_eq!(curves.success[0], 1.0 / 3.0);
        assert_eq!(curves.normalized_precision[20], 1.0 / 3.0);
        // Two boxes that are the same point have the same centre.
        assert_eq!(curves.precision[0], 2.0 / 3.0);
    }

    #[test]
    fn sequences_have_equal_weight_whatever_their_length() {
        let curve = |value| Curves {
            success: vec![value; 21],
            precision: vec![value; 21],
            normalized_precision: vec![value; 21],
        };
        let mean = mean(&[curve(0.0), curve(1.0)]).unwrap();
        assert_eq!(mean, curve(0.5));
        assert_eq!(super::mean([]), None);
    }
}
