//! Which annotated boxes make a region worth cropping.

use vidpairs_types::BoxXywh;

use super::{ClipFrames, TrackRule};

/// The boxes that `rule` accepts: shorter side at least `min_box_px`, and at most `max_box_outside`
/// of the area outside the frame (a box cut by the image shows a part of the object only).
pub(super) fn usable(clip: &ClipFrames<'_>, rule: &TrackRule) -> Vec<Option<BoxXywh>> {
    let is_usable = |bbox: &BoxXywh| {
        let inside = bbox.clipped(clip.frame_size).map_or(0.0, BoxXywh::area);
        bbox.is_valid()
            && bbox.w.min(bbox.h) >= f64::from(rule.min_box_px)
            && 1.0 - inside / bbox.area() <= rule.max_box_outside
    };
    clip.boxes
        .iter()
        .map(|bbox| bbox.filter(is_usable))
        .collect()
}
