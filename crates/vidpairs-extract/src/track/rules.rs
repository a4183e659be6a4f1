//! Decides which tracklets are trusted, by rules on boxes and confidences.

use vidpairs_pipeline::TrustRules;
use vidpairs_types::{BoxXywh, SizePx};

use super::tracker::{TrackError, TrackFrame, Tracker};

/// Starts a tracker on a box in a frame.
pub type StartTracker = dyn Fn(&TrackFrame<'_>, BoxXywh) -> Result<Box<dyn Tracker>, TrackError>;

/// How regions are tracked and when they are trusted.
pub struct FollowRules<'a> {
    /// Starts the tracker: `|frame, target| track::start(kind, frame, target, opencv)`.
    pub start: &'a StartTracker,
    /// Conditions for trusting a tracklet.
    pub trust: TrustRules,
    /// Conditions for the boxes of regions.
    pub boxes: BoxRules,
    /// Most bytes of frames kept for tracking back; see [`kept_frames`](Self::kept_frames).
    pub max_kept_bytes: u64,
}

/// Greatest number of frames tracked back at once.
const MAX_STRETCH: u64 = 64;

impl FollowRules<'_> {
    /// Number of frames of `frame_bytes` each that are kept at once, besides the anchor's frame: those of one stretch,
    /// at least one.
    pub fn kept_frames(&self, frame_bytes: u64) -> u64 {
        let per_stretch = MAX_STRETCH / self.step();
        let affordable = self.max_kept_bytes / frame_bytes.max(1);
        per_stretch.min(affordable).max(1)
    }

    /// Distance between kept frames.
    pub(super) fn step(&self) -> u64 {
        u64::from(self.trust.forward_backward_step.max(1))
    }

    /// Whether tracklets are tracked back at all.
    pub(super) fn tracks_back(&self) -> bool {
        self.trust.min_forward_backward_iou > 0.0
    }
}

/// Reason for rejecting a tracklet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mistrust {
    /// The target was not found in too many consecutive frames, or in the last one.
    Lost,
    /// The confidence was too low: in a frame, in the last one, or on average.
    LowConfidence,
    /// The target left the frame.
    OutsideFrame,
    /// The target grew or shrank too much.
    SizeChange,
    /// The aspect ratio changed too much.
    AspectChange,
    /// The box became smaller than a region may be.
    TooSmall,
    /// Tracking back did not return to an earlier box.
    ForwardBackward,
    /// The tracklet ended on the same box as a better one.
    Duplicate,
    /// The shot ended before the positive.
    Cut,
    /// The frame of the positive could not be decoded.
    CutShort,
    /// The tracker could not start, or failed.
    TrackerFailed,
}

impl Mistrust {
    /// Name in summaries and in `tracks.jsonl.zst`.
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
            Self::Cut => "cut",
            Self::CutShort => "cut_short",
            Self::TrackerFailed => "tracker_failed",
        }
    }
}

/// Conditions for a region's boxes, in the frames of the anchor and of the positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxRules {
    /// Least shorter side, px.
    pub min_side_px: f64,
    /// Greatest share of the area outside the frame, 0 to 1.
    pub max_outside: f64,
}

impl BoxRules {
    /// The rule that `bbox` breaks in a frame of `size`, if any.
    pub fn broken_by(&self, bbox: BoxXywh, size: SizePx) -> Option<Mistrust> {
        if share_outside(bbox, size) > self.max_outside {
            Some(Mistrust::OutsideFrame)
        } else if bbox.w.min(bbox.h) < self.min_side_px {
            Some(Mistrust::TooSmall)
        } else {
            None
        }
    }

    /// The rule that `bbox` breaks by so much that tracking it further is pointless, if any. A box between anchor and positive
    /// may exceed a limit for a while, but does not return from twice the limit.
    pub fn broken_for_good_by(&self, bbox: BoxXywh, size: SizePx) -> Option<Mistrust> {
        let lenient = Self {
            min_side_px: self.min_side_px / 2.0,
            max_outside: self.max_outside.max(0.5),
        };
        lenient.broken_by(bbox, size)
    }
}

/// The rule that a box breaks by its change since the first frame, where it was `anchor`.
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
    fn a_box_at_a_limit_passes_and_one_beyond_it_is_rejected_by_name() {
        let boxes = BoxRules {
            min_side_px: 20.0,
            max_outside: 0.25,
        };
        let broken = |bbox: BoxXywh| boxes.broken_by(bbox, FRAME);
        assert_eq!(broken(bbox(-10.0, 0.0, 40.0, 20.0)), None);
        let outside = Some(Mistrust::OutsideFrame);
        assert_eq!(broken(bbox(-10.1, 0.0, 40.0, 20.0)), outside);
        assert_eq!(broken(bbox(200.0, 0.0, 40.0, 20.0)), outside);
        let small = Some(Mistrust::TooSmall);
        assert_eq!(broken(bbox(0.0, 0.0, 40.0, 19.9)), small);
        let for_good = |bbox: BoxXywh| boxes.broken_for_good_by(bbox, FRAME);
        assert_eq!(for_good(bbox(-20.0, 0.0, 40.0, 10.0)), None);
        assert_eq!(for_good(bbox(-21.0, 0.0, 40.0, 10.0)), outside);
        assert_eq!(for_good(bbox(0.0, 0.0, 40.0, 9.0)), small);
    }

    #[test]
    fn size_and_aspect_have_the_same_bound_in_both_directions() {
        let anchor = bbox(0.0, 0.0, 40.0, 40.0);
        let broken = |w, h| broken_by_change(&rules().trust, anchor, bbox(0.0, 0.0, w, h));
        assert_eq!((broken(80.0, 80.0), broken(20.0, 20.0)), (None, None));
        let size = Some(Mistrust::SizeChange);
        assert_eq!((broken(81.0, 80.0), broken(20.0, 19.0)), (size, size));
        let aspect = Some(Mistrust::AspectChange);
        assert_eq!((broken(60.0, 29.0), broken(29.0, 60.0)), (aspect, aspect));
    }
}
