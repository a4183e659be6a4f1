//! Draws rejected tracklets: the region that was followed, and its path to where it was given up.

use std::fmt::Write as _;

use maud::{Markup, html};
use vidpairs_types::{SizePx, TrackedBox, TrackletLine};

use crate::experiment::RejectedTracklet;
use crate::report::gallery::stored;
use crate::report::models::number::finite;
use crate::report::picture::{BoxOver, Line, aspect, box_sample, boxes_over};

/// Maximum number of points of a path.
const MAX_POINTS: usize = 120;

/// The cards. Empty without rejected tracklets.
pub(super) fn rejected(tracklets: &[RejectedTracklet]) -> Markup {
    html! {
        @if !tracklets.is_empty() {
            h4 { "Rejected tracklets" }
            p.how {
                "A tracklet follows a region from an anchor frame; one that breaks a rule of trust gives no pair. Some of each reason are shown. "
                (box_sample(Line::Solid)) " The region in the anchor frame; the line is the path of its middle. "
                (box_sample(Line::Dashed)) " Where it was given up. "
                "The picture is the anchor frame where a pair of the same frame is stored with whole frames (" code { "pairs.with_frames" }
                ") and the page has room for it; elsewhere the frame is empty. Where no pair of the clip tells the size of its frames, only \
                the path is drawn."
            }
            div.rejected { @for tracklet in tracklets { (card(tracklet)) } }
        }
    }
}

/// The reason of a rejection in words.
pub(super) fn reason(outcome: &str) -> String {
    let words = match outcome {
        "lost" => "target lost",
        "low_confidence" => "confidence too low",
        "outside_frame" => "left the frame",
        "size_change" => "size changed too much",
        "aspect_change" => "shape changed too much",
        "too_small" => "became too small",
        "forward_backward" => "tracking back ended elsewhere",
        "duplicate" => "same end as a better one",
        "cut_short" => "positive frame not decodable",
        "tracker_failed" => "tracker failed",
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

fn card(tracklet: &RejectedTracklet) -> Markup {
    let line = &tracklet.line;
    html! {
        article {
            div.heading {
                h3 { (line.clip) }
                span.label { (reason(&line.outcome)) }
            }
            @match tracklet.frame_size.filter(|size| size.area() > 0) {
                Some(size) => (picture(tracklet, size)),
                None => (path_alone(line)),
            }
            p.how { (caption(line)) }
        }
    }
}

/// `frame 30 · followed for 17 of 60 frames · forward-backward IoU 0.12 · last confidence 0.31`.
fn caption(line: &TrackletLine) -> String {
    let followed = line.boxes.len().saturating_sub(1);
    let iou = line.forward_backward_iou.and_then(finite);
    let confidence = line.boxes.last().filter(|_| followed > 0);
    let confidence = confidence.and_then(|tracked| finite(tracked.confidence));
    let parts = [
        Some(format!("frame {}", line.anchor)),
        Some(format!("followed for {followed} of {} frames", line.k)),
        iou.map(|iou| format!("forward-backward IoU {iou:.2}")),
        confidence.map(|confidence| format!("last confidence {confidence:.2}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn picture(tracklet: &RejectedTracklet, size: SizePx) -> Markup {
    let line = &tracklet.line;
    let picture = tracklet.picture.as_ref();
    let uri = picture.map(|picture| stored::data_uri(&picture.member, picture.size));
    let style = format!("aspect-ratio:{:.4}", aspect(size));
    html! {
        div.picture style=(style) {
            @match uri {
                Some(Ok(uri)) => img src=(uri) alt=(format!("frame {} of {}", line.anchor, line.clip));,
                Some(Err(why)) => p { "This picture cannot be shown: " (why) },
                None => {}
            }
            (path(size, &line.boxes))
            (ends(size, &line.boxes))
        }
    }
}

/// The path and the regions without a frame. Nothing without a valid box.
fn path_alone(line: &TrackletLine) -> Markup {
    let valid = line.boxes.iter().filter(|tracked| tracked.bbox.is_valid());
    let mut boxes: Vec<TrackedBox> = valid.cloned().collect();
    let least = |of: fn(&TrackedBox) -> f64| boxes.iter().map(of).fold(f64::INFINITY, f64::min);
    let (left, top) = (
        least(|tracked| tracked.bbox.x),
        least(|tracked| tracked.bbox.y),
    );
    for tracked in &mut boxes {
        tracked.bbox.x -= left;
        tracked.bbox.y -= top;
    }
    let most = |of: fn(&TrackedBox) -> f64| boxes.iter().map(of).fold(0.0, f64::max);
    let size = SizePx {
        width: most(|tracked| tracked.bbox.x + tracked.bbox.w).ceil() as u32,
        height: most(|tracked| tracked.bbox.y + tracked.bbox.h).ceil() as u32,
    };
    let style = format!("aspect-ratio:{:.4}", aspect(size).clamp(0.5, 4.0));
    html! {
        @if size.area() > 0 {
            div.picture.frameless style=(style) { (path(size, &boxes)) (ends(size, &boxes)) }
        }
    }
}

/// The first and the last region.
fn ends(size: SizePx, boxes: &[TrackedBox]) -> Markup {
    let ends = [(boxes.first(), Line::Solid), (boxes.last(), Line::Dashed)];
    let boxes: Vec<BoxOver> = ends[..boxes.len().min(2)]
        .iter()
        .filter_map(|(tracked, line)| {
            let bbox = tracked.map(|tracked| tracked.bbox)?;
            bbox.is_valid().then(|| BoxOver {
                line: *line,
                ..BoxOver::solid(bbox.into())
            })
        })
        .collect();
    boxes_over(size, &boxes)
}

/// Path of the middle of the box.
fn path(size: SizePx, boxes: &[TrackedBox]) -> Markup {
    let view_box = format!("0 0 {} {}", size.width, size.height);
    let middle = |tracked: &TrackedBox| {
        let bbox = tracked.bbox;
        Some((
            finite(bbox.x + bbox.w / 2.0)?,
            finite(bbox.y + bbox.h / 2.0)?,
        ))
    };
    let middles: Vec<(f64, f64)> = boxes.iter().filter_map(middle).collect();
    let stride = middles.len().div_ceil(MAX_POINTS).max(1);
    let last = middles.len().saturating_sub(1);
    let mut path = String::new();
    for (index, (x, y)) in middles.iter().enumerate() {
        if index.is_multiple_of(stride) || index == last {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
        }
    }
    html! {
        svg viewBox=(view_box) preserveAspectRatio="none" aria-hidden="true" {
            path.halo d=(path) {}
            path.box d=(path) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_types::BoxXywh;

    use super::*;

    #[test]
    fn a_caption_says_how_far_a_tracklet_was_followed_and_leaves_out_what_is_unknown() {
        let tracked = |confidence| TrackedBox {
            frame: 0,
            bbox: BoxXywh {
                x: 1.0,
                y: 2.0,
                w: 3.0,
                h: 4.0,
            },
            confidence,
            psr: None,
        };
        let mut line = TrackletLine {
            clip: "a.mp4".to_owned(),
            key: None,
            anchor: 30,
            k: 60,
            region: 0,
            tracker: "dcf".to_owned(),
            outcome: "lost".to_owned(),
            forward_backward_iou: Some(0.123),
            boxes: vec![tracked(1.0), tracked(0.25)],
        };
        assert_eq!(
            caption(&line),
            "frame 30 · followed for 1 of 60 frames · forward-backward IoU 0.12 · last confidence 0.25"
        );
        line.boxes.clear();
        line.forward_backward_iou = Some(f64::NAN);
        assert_eq!(caption(&line), "frame 30 · followed for 0 of 60 frames");
    }

    #[test]
    fn without_the_size_of_its_frames_a_tracklet_has_its_path_and_no_frame() {
        let tracked = |x| TrackedBox {
            frame: 0,
            bbox: BoxXywh {
                x,
                y: 200.0,
                w: 30.0,
                h: 40.0,
            },
            confidence: 1.0,
            psr: None,
        };
        let line = TrackletLine {
            clip: "a.mp4".to_owned(),
            key: None,
            anchor: 0,
            k: 60,
            region: 0,
            tracker: "dcf".to_owned(),
            outcome: "lost".to_owned(),
            forward_backward_iou: None,
            boxes: vec![tracked(1_000.0), tracked(1_070.0)],
        };
        let card = card(&RejectedTracklet {
            line,
            frame_size: None,
            picture: None,
        })
        .into_string();
        // As wide and as high as the path alone, from its own corner.
        assert!(
            card.contains("frameless") && card.contains("viewBox=\"0 0 100 40\""),
            "{card}"
        );
        assert!(card.contains("M15.0 20.0L85.0 20.0"), "{card}");
    }

    #[test]
    fn a_reason_that_is_not_known_is_shown_as_it_is() {
        assert_eq!(reason("too_small"), "became too small");
        assert_eq!(reason("new_rule"), "new rule");
    }
}
