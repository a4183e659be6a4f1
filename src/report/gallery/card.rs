//! Renders one record as a card.

use maud::{Markup, html};
use vidpairs_types::{BoxXywh, EncodedRecord, RecordMeta, Role, SizePx, TrackletMeta, ViewMeta};

use super::{is_still, stored};
use crate::inspect::SampledRecord;
use crate::report::picture::{BoxOver, aspect, boxes_over};

/// Gap between the two pictures of a strip, px; the same number as in `style.css`.
const GAP_PX: u32 = 6;

/// The card of a record; of one that cannot be read, with the reason.
pub(in crate::report) fn card(sampled: &SampledRecord) -> Markup {
    html! {
        article {
            @match &sampled.record {
                Ok(record) => {
                    (heading(&record.meta.clip, record.meta.label.as_deref(), sampled.number))
                    (pictures(record))
                    @if let Some(tracklet) = &record.meta.tracklet {
                        p.how { (confidence(tracklet)) }
                    }
                }
                Err(why) => {
                    (heading("damaged", None, sampled.number))
                    p.how { "This record cannot be shown: " (why) }
                }
            }
        }
    }
}

fn heading(title: &str, label: Option<&str>, number: u64) -> Markup {
    html! {
        div.heading {
            h3 { (title) }
            @if let Some(label) = label { span.label { (label) } }
            span.number { "record " (number) }
        }
    }
}

/// The strips of a card: whole frames with their boxes where they are stored, then the views.
fn pictures(record: &EncodedRecord) -> Markup {
    let meta = &record.meta;
    let frames = strip_of(meta, [Role::AnchorFrame, Role::PositiveFrame]);
    let views = strip_of(meta, [Role::Anchor, Role::Positive]);
    html! {
        div.strips {
            @if is_still(meta) {
                (strip(record, &views, None, still_caption))
            } @else if frames.is_empty() {
                (strip(record, &views, meta.k, view_caption))
            } @else {
                (strip(record, &frames, meta.k, frame_caption))
                (strip(record, &views, None, region_caption))
            }
        }
    }
}

fn strip_of(meta: &RecordMeta, roles: [Role; 2]) -> Vec<(Role, &ViewMeta)> {
    meta.views()
        .filter(|(role, _)| roles.contains(role))
        .collect()
}

/// One or two pictures of equal height, the arrow between them, and their captions.
///
/// Columns as wide in proportion as their pictures' aspects give the pictures one height.
fn strip(
    record: &EncodedRecord,
    views: &[(Role, &ViewMeta)],
    k: Option<u64>,
    caption: fn(Role, &ViewMeta) -> Markup,
) -> Markup {
    let aspects: Vec<f64> = views
        .iter()
        .map(|(_, view)| aspect(view.image_size))
        .collect();
    let sum: f64 = aspects.iter().sum();
    let columns: Vec<String> = aspects
        .iter()
        .map(|aspect| format!("minmax(0,{aspect:.4}fr)"))
        .collect();
    let strip_style = format!("flex:{sum:.4} 1 {GAP_PX}px");
    let pictures_style = format!(
        "grid-template-columns:{};max-width:calc(var(--height)*{sum:.4} + {GAP_PX}px)",
        columns.join(" ")
    );
    html! {
        div.strip style=(strip_style) {
            div.pictures style=(pictures_style) {
                @for &(role, view) in views { (picture(record, role, view)) }
            }
            @if views.len() > 1 { (arrow(k)) }
            div.captions {
                @for &(role, view) in views { div { (caption(role, view)) } }
            }
        }
    }
}

/// Arrow from anchor to positive, with their distance in frames if given.
fn arrow(k: Option<u64>) -> Markup {
    html! {
        div.arrow {
            span { "anchor" }
            span.line {
                @if let Some(k) = k { b { "+" (k) @if k == 1 { " frame" } @else { " frames" } } }
            }
            span { "positive" }
        }
    }
}

fn picture(record: &EncodedRecord, role: Role, view: &ViewMeta) -> Markup {
    let size = view.image_size;
    let member = record.members.iter().find(|member| member.role == role);
    let uri = member.map(|member| stored::data_uri(member, size));
    let bounds = region_in(&record.meta, role);
    let of = format!("{} of {}", role.name(), record.meta.clip);
    let alt = match is_still(&record.meta) {
        true => of,
        false => format!("{of}, frame {}", view.frame),
    };
    html! {
        div.picture {
            @match uri {
                Some(Ok(uri)) => img src=(uri) alt=(alt) width=(size.width) height=(size.height);,
                Some(Err(why)) => p { "This picture cannot be shown: " (why) },
                None => p { "This picture is missing." },
            }
            @if let Some(bounds) = bounds {
                (boxes_over(view.frame_size, &[BoxOver::solid(bounds)]))
            }
        }
    }
}

/// Region to mark in the picture of a whole frame, px of the frame.
fn region_in(meta: &RecordMeta, role: Role) -> Option<[f64; 4]> {
    let region = match role {
        Role::AnchorFrame => meta.anchor.box_xywh,
        Role::PositiveFrame => meta.positive.as_ref()?.box_xywh,
        Role::Anchor | Role::Positive => None,
    };
    region.filter(|region| region.is_valid()).map(Into::into)
}

/// Caption of a still image: its box, or its size.
fn still_caption(_: Role, view: &ViewMeta) -> Markup {
    let SizePx { width, height } = view.frame_size;
    html! {
        @match view.box_xywh {
            Some(BoxXywh { x, y, w, h }) => {
                span { b { "box " (format!("{w:.0} × {h:.0}")) } " px" } " " span { "at " (format!("{x:.0}, {y:.0}")) }
                " " span { "of " (width) " × " (height) }
            }
            None => span { b { (width) " × " (height) } " px" },
        }
    }
}

/// Caption where whole frames are not stored: frame, time and size of the region.
fn view_caption(role: Role, view: &ViewMeta) -> Markup {
    html! {
        (frame_caption(role, view))
        @if view.box_xywh.is_some() { br; (region_caption(role, view)) }
    }
}

fn frame_caption(_: Role, view: &ViewMeta) -> Markup {
    html! {
        @match view.pts_seconds {
            Some(seconds) => {
                span { b { "frame " (view.frame) } " ·" } " " span { (format!("{seconds:.3}")) " s" }
            }
            None => span { b { "frame " (view.frame) } },
        }
    }
}

fn region_caption(_: Role, view: &ViewMeta) -> Markup {
    let SizePx { width, height } = view.frame_size;
    html! {
        @if let Some(region) = view.box_xywh {
            span { (format!("{:.0} × {:.0}", region.w, region.h)) " px" }
            " " span { "of " (width) " × " (height) }
        }
    }
}

/// Whether the tracker gave any measure of confidence.
pub(super) fn has_scores(tracklet: &TrackletMeta) -> bool {
    let scores = [
        tracklet.confidence_mean,
        tracklet.psr_mean,
        tracklet.psr_min,
        tracklet.forward_backward_iou,
    ];
    scores.iter().any(Option::is_some)
}

/// Tracker and its confidence as text.
fn confidence(tracklet: &TrackletMeta) -> String {
    if tracklet.tracker == TrackletMeta::GROUND_TRUTH {
        return "ground-truth box".to_owned();
    }
    let confidence = [
        ("mean", tracklet.confidence_mean),
        ("min", tracklet.confidence_min),
        ("at the end", tracklet.confidence_last),
    ];
    let psr = [("mean", tracklet.psr_mean), ("min", tracklet.psr_min)];
    let iou = tracklet.forward_backward_iou;
    let parts = [
        Some(format!("tracked by {}", tracklet.tracker)),
        listed("confidence", &confidence, 2),
        listed("PSR", &psr, 1),
        iou.map(|iou| format!("forward-backward IoU {iou:.2}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `PSR 12.5 mean, 6.2 min`; `None` if no value is known.
fn listed(name: &str, values: &[(&str, Option<f64>)], decimals: usize) -> Option<String> {
    let known = values
        .iter()
        .filter_map(|&(when, value)| Some((when, value?)));
    let words: Vec<String> = known
        .map(|(when, value)| format!("{value:.decimals$} {when}"))
        .collect();
    (!words.is_empty()).then(|| format!("{name} {}", words.join(", ")))
}
