//! Embeds pictures in a page and draws boxes over them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use vidpairs_types::SizePx;

/// Line style of a box: two kinds of boxes never differ in colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Solid,
    Dashed,
}

/// A box over a picture.
#[derive(Debug, Clone)]
pub(super) struct BoxOver {
    /// Left, top, width, height, px of the frame.
    pub bounds: [f64; 4],
    pub line: Line,
    /// Text in the corner, where a picture has several boxes.
    pub name: Option<String>,
}

impl BoxOver {
    /// The only box of its picture.
    pub fn solid(bounds: [f64; 4]) -> Self {
        Self {
            bounds,
            line: Line::Solid,
            name: None,
        }
    }
}

/// An image as a `data:` URI, which a browser shows without another file.
pub(super) fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// Draws boxes over a picture of a whole frame. The drawing's unit is a px of the frame, whatever the size
/// at which the picture is stored or shown.
pub(super) fn boxes_over(frame: SizePx, boxes: &[BoxOver]) -> Markup {
    let view_box = format!("0 0 {} {}", frame.width, frame.height);
    html! {
        svg viewBox=(view_box) preserveAspectRatio="none" aria-hidden="true" {
            @for &BoxOver { bounds: [x, y, w, h], line, .. } in boxes {
                @for class in classes(line) {
                    // Closed: SVG has no void elements, and a rect inside a rect is not drawn.
                    rect class=(class) x=(x) y=(y) width=(w) height=(h) {}
                }
            }
            @for over in boxes {
                @if let Some(name) = &over.name { (corner(frame, over.bounds, name)) }
            }
        }
    }
}

/// A bright line on a dark one, so that the box is visible on any picture.
fn classes(line: Line) -> [&'static str; 2] {
    match line {
        Line::Solid => ["halo", "box"],
        Line::Dashed => ["halo dashed", "box dashed"],
    }
}

fn corner(frame: SizePx, [x, y, ..]: [f64; 4], name: &str) -> Markup {
    let size = f64::from(frame.short_side()) / 7.0;
    let (x, y) = (x.max(0.0) + 0.25 * size, y.max(0.0) + size);
    let size = format!("font-size:{size:.1}px");
    html! { text x=(x) y=(y) style=(size) { (name) } }
}

/// A small box for the legend.
pub(super) fn box_sample(line: Line) -> Markup {
    let size = SizePx {
        width: 24,
        height: 16,
    };
    let sample = BoxOver {
        line,
        ..BoxOver::solid([3.0, 3.0, 18.0, 10.0])
    };
    html! { span.sample aria-hidden="true" { (boxes_over(size, &[sample])) } }
}

/// Width over height. Finite and above 0 even for a damaged size, since it goes into the layout.
pub(super) fn aspect(size: SizePx) -> f64 {
    f64::from(size.width.max(1)) / f64::from(size.height.max(1))
}
