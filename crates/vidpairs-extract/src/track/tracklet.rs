//! A tracklet: where a region was in each frame from its anchor on, and whether that is to be trusted.

use vidpairs_types::{BoxXywh, TrackedBox};

use super::Mistrust;

/// One region, followed until its positive or until it was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracklet {
    /// Where it was, ascending by frame; the first is the anchor's, with confidence 1.
    pub boxes: Vec<TrackedBox>,
    /// The least overlap (IoU) of the stretches that were tracked back; `None` if none was.
    pub forward_backward_iou: Option<f64>,
    /// Why it is not trusted; `None` if it is.
    pub mistrust: Option<Mistrust>,
}

impl Tracklet {
    /// Least, mean and last confidence over the frames after the anchor's; `None` if there is none.
    pub fn confidence(&self) -> Option<Spread> {
        Spread::of(self.tracked().map(|tracked| tracked.confidence))
    }

    /// The same of the peak-to-sidelobe ratio; `None` where the tracker doesn't tell it.
    pub fn psr(&self) -> Option<Spread> {
        Spread::of(self.tracked().filter_map(|tracked| tracked.psr))
    }

    /// The box in the last frame that was seen.
    pub fn last_box(&self) -> Option<BoxXywh> {
        self.boxes.last().map(|tracked| tracked.bbox)
    }

    fn tracked(&self) -> impl Iterator<Item = &TrackedBox> {
        self.boxes.iter().skip(1)
    }
}

/// Least, mean and last of a row of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The last.
    pub last: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut count, mut sum) = (0u32, 0.0);
        let spread = values.fold(None, |before: Option<Self>, value| {
            count += 1;
            sum += value;
            Some(Self {
                min: before.map_or(value, |before| before.min.min(value)),
                mean: 0.0,
                last: value,
            })
        })?;
        Some(Self {
            // Of equal numbers the mean is not less than the least.
            mean: in_thousandths(sum / f64::from(count)),
            ..spread
        })
    }
}

/// `bbox` with its numbers rounded to sixteenths of a px. Sums and differences of such numbers are exact, so
/// that the box of a record and that of its tracklet are the same number for number.
pub(super) fn in_sixteenths(bbox: BoxXywh) -> BoxXywh {
    let rounded = |value: f64| (value * 16.0).round() / 16.0;
    BoxXywh {
        x: rounded(bbox.x),
        y: rounded(bbox.y),
        w: rounded(bbox.w).max(1.0 / 16.0),
        h: rounded(bbox.h).max(1.0 / 16.0),
    }
}

/// `value` rounded to so many thousandths as a reader of confidences needs.
pub(super) fn in_thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::bbox;
    use super::*;

    #[test]
    fn the_anchor_does_not_count_in_the_confidence() {
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
    fn a_rounded_box_clipped_to_a_frame_that_holds_it_is_itself() {
        let rounded = in_sixteenths(bbox(10.123, 7.77, 33.333, 21.9));
        let frame = vidpairs_types::SizePx {
            width: 64,
            height: 48,
        };
        assert_eq!(rounded.clipped(frame), Some(rounded));
    }
}
