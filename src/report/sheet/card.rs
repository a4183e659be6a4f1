//! One video, object or class as a card.

use maud::{Markup, html};
use vidpairs_types::BoxXywh;

use super::{Card, Lamp, Strip, Tile, TileBox};
use crate::report::picture::{BoxOver, Line, aspect, boxes_over, data_uri};

/// Boxes whose edges are no further apart are one, px.
const SAME_WITHIN_PX: f64 = 0.5;

/// Pictures of rows with more columns are so small that thick lines would hide them.
const SMALL_FROM: usize = 9;

/// The lamps of the legend's sample.
const SAMPLE: [(f64, bool); 3] = [(72.0, true), (0.0, false), (-72.0, false)];

pub(super) fn card(card: &Card) -> Markup {
    html! {
        article {
            div.heading {
                h3 { (card.title) }
                @if let Some(label) = &card.label { span.label { (label) } }
                span.number { (card.note) }
            }
            @for strip in &card.strips { (row(strip)) }
        }
    }
}

fn row(strip: &Strip) -> Markup {
    let columns = strip.num_columns.max(1);
    let class = if columns > SMALL_FROM {
        "tiles small"
    } else {
        "tiles"
    };
    // Few columns are meant to be large pictures, on a phone too.
    let on_phone = columns.div_ceil(3).min(4);
    let columns = format!("--columns:{columns};--on-phone:{on_phone}");
    html! {
        @if let Some(name) = &strip.name { p.how { (name) } }
        div class=(class) style=(columns) {
            @for tile in &strip.tiles { (figure(tile)) }
        }
    }
}

fn figure(tile: &Tile) -> Markup {
    let size = tile.frame_size;
    let shape = format!("aspect-ratio:{:.4}", aspect(size));
    html! {
        figure {
            div.picture style=(shape) {
                @match &tile.picture {
                    Ok(picture) => {
                        img src=(data_uri(picture.media_type, &picture.bytes)) alt=(tile.alt)
                            width=(size.width) height=(size.height);
                        @if !tile.boxes.is_empty() { (boxes_over(size, &lines(&tile.boxes))) }
                        @if let Some(mark) = tile.mark { span.mark { (mark) } }
                    }
                    Err(why) => p { "This picture cannot be shown: " (why) },
                }
            }
            figcaption {
                @for (index, line) in tile.caption.iter().enumerate() {
                    @if index == 0 { b { (line) } } @else { span { (line) } }
                }
                @if !tile.lamps.is_empty() { (dial(&tile.lamps)) }
            }
        }
    }
}

/// The dashed line lies below: it shows where it leaves the other.
fn lines(boxes: &[TileBox]) -> Vec<BoxOver<'_>> {
    let dashed = boxes.iter().filter_map(hidden_part).map(|bounds| BoxOver {
        bounds: bounds.into(),
        line: Line::Dashed,
        name: None,
    });
    let solid = boxes.iter().map(|it| BoxOver {
        name: it.name.as_deref(),
        ..BoxOver::solid(it.visible.into())
    });
    dashed.chain(solid).collect()
}

/// The whole object's box, where it is another than that of what can be seen.
pub(super) fn hidden_part(it: &TileBox) -> Option<BoxXywh> {
    let edges = |b: BoxXywh| [b.x, b.y, b.x + b.w, b.y + b.h];
    let visible = edges(it.visible);
    it.full.filter(|full| {
        let pairs = edges(*full).into_iter().zip(visible);
        full.is_valid()
            && pairs
                .into_iter()
                .any(|(a, b)| (a - b).abs() > SAME_WITHIN_PX)
    })
}

/// The object in the middle, the camera below it, the lamps on their half circle.
fn dial(lamps: &[Lamp]) -> Markup {
    const RADIUS: f64 = 15.0;
    let places = lamps.iter().map(|lamp| {
        let (sin, cos) = lamp.azimuth_deg.to_radians().sin_cos();
        let class = if lamp.is_lit { "lamp lit" } else { "lamp" };
        (
            class,
            format!("{:.1}", RADIUS * sin),
            format!("{:.1}", RADIUS * cos),
        )
    });
    html! {
        svg.dial viewBox="-20 -5 40 32" aria-hidden="true" {
            rect x="-3.5" y="-3.5" width="7" height="7" {}
            path d="M-3 26 L0 21.5 L3 26 Z" {}
            @for (class, x, y) in places { circle class=(class) cx=(x) cy=(y) r="3" {} }
        }
    }
}

/// A small dial for the legend.
pub(super) fn dial_sample() -> Markup {
    let lamps = SAMPLE.map(|(azimuth_deg, is_lit)| Lamp {
        azimuth_deg,
        is_lit,
    });
    dial(&lamps)
}
