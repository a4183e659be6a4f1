//! When a tracklet is trusted: pure rules on boxes and confidences.

use serde::{Serialize, Serializer};

pub use vidpairs_pipeline::TrustRules;
use vidpairs_types::{BoxXywh, SizePx};

/// Why a tracklet is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mistrust {
    /// Not found in too many frames in a row, or in the last one.
    Lost,
    /// The tracker was not sure enough: in some frame, in the last one, or in the mean.
    LowConfidence,
    /// Left the frame.
    OutsideFrame,
    /// Grew or shrank by too much.
    SizeChange,
    /// Became too much wider or narrower.
    AspectChange,
    /// Smaller than a region may be.
    TooSmall,
    /// Tracked back, it did not come to where it had been.
    ForwardBackward,
    /// Ended on the same box as a better one.
    Duplicate,
    /// The frame of its positive could not be had.
    CutShort,
    /// The tracker could not begin or go on.
    TrackerFailed,
}

impl Mistrust {
    /// All of them, in the order in which they are documented.
    pub const ALL: &'static [Self] = &[
        Self::Lost,
        Self::LowConfidence,
        Self::OutsideFrame,
        Self::SizeChange,
        Self::AspectChange,
        Self::TooSmall,
        Self::ForwardBackward,
        Self::Duplicate,
        Self::CutShort,
        Self::TrackerFailed,
    ];

    /// The name in summaries and in `tracks.jsonl.zst`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::LowConfidence => "low_confidence",
            Self::OutsideFrame => "outside_frame",
            Self::SizeChange => "size_change",
            Self::AspectChange => "aspect_change",
            Self::TooSmall => "too_small",
            Self::ForwardBackward => "forward_backward",
            Self::Duplicate => "duplicate",
            Self::CutShort => "cut_short",
            Self::TrackerFailed => "tracker_failed",
        }
    }
}

impl Serialize for Mistrust {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Which boxes are regions at all, at the anchor and at the positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxRules {
    /// Least length of the shorter side, px.
    pub min_side_px: f64,
    /// Share of the area, 0 to 1, that may lie outside the frame.
    pub max_outside: f64,
}

impl BoxRules {
    /// The rule that `bbox` breaks in a frame of `size`.
    pub fn broken_by(&self, bbox: BoxXywh, size: SizePx) -> Option<Mistrust> {
        if share_outside(bbox, size) > self.max_outside {
            Some(Mistrust::OutsideFrame)
        } else if bbox.w.min(bbox.h) < self.min_side_px {
            Some(Mistrust::TooSmall)
        } else {
            None
        }
    }

    /// The rule that `bbox` breaks so far, on its way, that it is not worth to be followed: a box may
    /// waver about a limit and come back, but not from twice beyond it.
    pub fn broken_for_good_by(&self, bbox: BoxXywh, size: SizePx) -> Option<Mistrust> {
        let lenient = Self {
            min_side_px: self.min_side_px / 2.0,
            max_outside: self.max_outside.max(0.5),
        };
        lenient.broken_by(bbox, size)
    }
}

/// The rule of `rules` that a box breaks which was `anchor` in the first frame.
pub(super) fn broken_by_change(
    rules: &TrustRules,
    anchor: BoxXywh,
    bbox: BoxXywh,
) -> Option<Mistrust> {
    let either_way = |ratio: f64| ratio.max(1.0 / ratio);
    let aspect = |bbox: BoxXywh| bbox.w / bbox.h;
    if either_way(bbox.area() / anchor.area()) > rules.max_size_ratio {
        Some(Mistrust::SizeChange)
    } else if either_way(aspect(bbox) / aspect(anchor)) > rules.max_aspect_ratio {
        Some(Mistrust::AspectChange)
    } else {
        None
    }
}

/// Share of the area of `bbox` that lies outside a frame of `size`, 0 to 1.
fn share_outside(bbox: BoxXywh, size: SizePx) -> f64 {
    let inside = bbox.clipped(size).map_or(0.0, BoxXywh::area);
    1.0 - inside / bbox.area()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{bbox, rules};
    use super::*;

    const FRAME: SizePx = SizePx {
        width: 100,
        height: 80,
    };

    #[test]
    fn a_box_at_its_limits_passes_and_one_beyond_them_is_named() {
        let boxes = BoxRules {
            min_side_px: 20.0,
            max_outside: 0.25,
        };
        let broken = |found: BoxXywh| boxes.broken_by(found, FRAME);
        assert_eq!(broken(bbox(-10.0, 0.0, 40.0, 20.0)), None);
        let outside = Some(Mistrust::OutsideFrame);
        assert_eq!(broken(bbox(-10.1, 0.0, 40.0, 20.0)), outside);
        assert_eq!(broken(bbox(200.0, 0.0, 40.0, 20.0)), outside);
        let small = Some(Mistrust::TooSmall);
        assert_eq!(broken(bbox(0.0, 0.0, 40.0, 19.9)), small);
        let for_good = |found: BoxXywh| boxes.broken_for_good_by(found, FRAME);
        assert_eq!(for_good(bbox(-20.0, 0.0, 40.0, 10.0)), None);
        assert_eq!(for_good(bbox(-21.0, 0.0, 40.0, 10.0)), outside);
        assert_eq!(for_good(bbox(0.0, 0.0, 40.0, 9.0)), small);
    }

    #[test]
    fn growing_and_shrinking_are_bounded_alike_and_so_is_the_aspect() {
        let anchor = bbox(0.0, 0.0, 40.0, 40.0);
        let broken = |w, h| broken_by_change(&rules().trust, anchor, bbox(0.0, 0.0, w, h));
        assert_eq!((broken(80.0, 80.0), broken(20.0, 20.0)), (None, None));
        let size = Some(Mistrust::SizeChange);
        assert_eq!((broken(81.0, 80.0), broken(20.0, 19.0)), (size, size));
        let aspect = Some(Mistrust::AspectChange);
        assert_eq!((broken(60.0, 29.0), broken(29.0, 60.0)), (aspect, aspect));
    }

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> =
            Mistrust::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Mistrust::ALL.len());
        let is_snake = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(names.iter().all(is_snake), "{names:?}");
    }
}
