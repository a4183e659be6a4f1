//! Stores the boxes of a tracked region, and rounds the stored numbers.

use vidpairs_types::{BoxXywh, TrackedBox};

use super::rules::Mistrust;

/// One region, tracked to its positive or until it was rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracklet {
    /// Boxes, ascending by frame; the first is the anchor's, with confidence 1.
    pub boxes: Vec<TrackedBox>,
    /// Least overlap (IoU) of the stretches that were tracked back; `None` if there was none.
    pub forward_backward_iou: Option<f64>,
    /// Reason for rejection; `None` if the tracklet is trusted.
    pub mistrust: Option<Mistrust>,
}

impl Tracklet {
    /// Least, mean and last confidence in the frames after the anchor's; `None` without such a frame.
    pub fn confidence(&self) -> Option<Spread> {
        Spread::of(self.tracked().map(|tracked| tracked.confidence))
    }

    /// Least, mean and last peak-to-sidelobe ratio; `None` if the tracker has none.
    pub fn psr(&self) -> Option<Spread> {
        Spread::of(self.tracked().filter_map(|tracked| tracked.psr))
    }

    /// Ends the tracklet with frame `last`, the last one of its shot, and rejects it.
    pub fn end_at_cut(&mut self, last: u64) {
        self.boxes.retain(|tracked| tracked.frame <= last);
        // It may be that of a stretch across the cut.
        self.forward_backward_iou = None;
        self.mistrust = Some(Mistrust::Cut);
    }

    /// Box in the last tracked frame.
    pub fn last_box(&self) -> Option<BoxXywh> {
        self.boxes.last().map(|tracked| tracked.bbox)
    }

    fn tracked(&self) -> impl Iterator<Item = &TrackedBox> {
        self.boxes.iter().skip(1)
    }
}

/// Least, mean and last of a series of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Least value.
    pub min: f64,
    /// Mean value, rounded to thousandths.
    pub mean: f64,
    /// Last value.
    pub last: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut count, mut sum, mut min, mut last) = (0u32, 0.0, f64::INFINITY, None);
        for value in values {
            count += 1;
            sum += value;
            min = min.min(value);
            last = Some(value);
        }
        Some(Self {
            min,
            // Rounded, so that the mean of equal numbers is not less than the least.
            mean: in_thousandths(sum / f64::from(count)),
            last: last?,
        })
    }
}

/// Rounds a box to sixteenths of a px. Sums and differences of such numbers are exact, so
/// the boxes of a record and of its tracklet are equal.
pub(super) fn in_sixteenths(bbox: BoxXywh) -> BoxXywh {
    let rounded = |value: f64| (value * 16.0).round() / 16.0;
    BoxXywh {
        x: rounded(bbox.x),
        y: rounded(bbox.y),
        w: rounded(bbox.w).max(1.0 / 16.0),
        h: rounded(bbox.h).max(1.0 / 16.0),
    }
}

/// Rounds a value to thousandths: the precision that readers of confidences need.
pub(super) fn in_thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::bbox;
    use super::*;

    #[test]
    fn the_confidence_excludes_the_anchor() {
        let tracked = |frame, confidence| TrackedBox {
            frame,
            bbox: bbox(0.0, 0.0, 20.0, 20.0),
            confidence,
            psr: None,
        };
        let tracklet = |confidences: &[f64]| Tracklet {
            boxes: (0..)
                .zip(confidences)
                .map(|(frame, &confidence)| tracked(frame, confidence))
                .collect(),
            forward_backward_iou: None,
            mistrust: None,
        };
        let spread = tracklet(&[1.0, 0.5, 0.25, 0.75]).confidence().unwrap();
        assert_eq!((spread.min, spread.mean, spread.last), (0.25, 0.5, 0.75));
        assert_eq!(tracklet(&[1.0]).confidence(), None);
        assert_eq!(tracklet(&[1.0, 0.5]).psr(), None);
    }

    #[test]
    fn a_tracklet_that_reaches_a_cut_ends_with_the_last_frame_of_its_shot() {
        let tracked = |frame| TrackedBox {
            frame,
            bbox: bbox(0.0, 0.0, 20.0, 20.0),
            confidence: 1.0,
            psr: None,
        };
        let mut tracklet = Tracklet {
            boxes: (5..30).map(tracked).collect(),
            forward_backward_iou: Some(0.9),
            mistrust: Some(Mistrust::Lost),
        };
        tracklet.end_at_cut(12);
        let frames: Vec<u64> = tracklet.boxes.iter().map(|tracked| tracked.frame).collect();
        assert_eq!(frames, Vec::from_iter(5..=12));
        let outcome = (tracklet.mistrust, tracklet.forward_backward_iou);
        assert_eq!(outcome, (Some(Mistrust::Cut), None));
    }

    #[test]
    fn clipping_to_a_frame_that_contains_it_leaves_a_rounded_box_unchanged() {
        let rounded = in_sixteenths(bbox(10.123, 7.77, 33.333, 21.9));
        let frame = vidpairs_types::SizePx {
            width: 64,
            height: 48,
        };
        assert_eq!(rounded.clipped(frame), Some(rounded));
    }
}
