//! One sequence as a card.

use maud::{Markup, html};
use vidpairs_types::BoxXywh;

use super::{TrackCard, TrackTile, chart};
use crate::report::picture::{aspect, data_uri};
use crate::report::stroke::stroke;

pub(super) fn card(card: &TrackCard, trackers: &[String]) -> Markup {
    let marks: Vec<usize> = card.tiles.iter().map(|tile| tile.frame).collect();
    html! {
        article {
            div.heading {
                h3 { (card.title) }
                @if let Some(label) = &card.label { span.label { (label) } }
                span.number { (card.note) }
            }
            div.tiles { @for tile in &card.tiles { (figure(tile, trackers)) } }
            (chart::charts(&card.curves, &marks, card.first_frame))
        }
    }
}

fn figure(tile: &TrackTile, trackers: &[String]) -> Markup {
    let size = tile.frame_size;
    let shape = format!("aspect-ratio:{:.4}", aspect(size));
    let view_box = format!("0 0 {} {}", size.width, size.height);
    let boxes = tile.boxes.iter().enumerate();
    let boxes: Vec<_> = boxes
        .filter_map(|(index, it)| Some((index, it.as_ref()?)))
        .collect();
    html! {
        figure {
            div.picture style=(shape) {
                @match &tile.jpeg {
                    Ok(jpeg) => {
                        img src=(data_uri("image/jpeg", jpeg)) alt={ "frame " (tile.frame) }
                            width=(size.width) height=(size.height);
                        svg viewBox=(view_box) preserveAspectRatio="none" aria-hidden="true" {
                            @if let Some(truth) = tile.truth { (outline("truth", truth)) }
                            @for (index, (bbox, _)) in &boxes { (outline(stroke(*index).class, *bbox)) }
                        }
                    }
                    Err(why) => p { "This frame cannot be shown: " (why) },
                }
            }
            figcaption {
                b { (tile.frame) }
                @for (index, (_, overlap)) in &boxes {
                    @if let Some(overlap) = overlap {
                        span title=[trackers.get(*index)] class=(stroke(*index).class) { (format!("{overlap:.2}")) }
                    }
                }
            }
        }
    }
}

/// A dark line below and a bright one on it: one of them shows on any picture.
fn outline(class: &str, bbox: BoxXywh) -> Markup {
    html! {
        @for layer in ["halo", "line"] {
            rect class={ (layer) " " (class) } x=(bbox.x) y=(bbox.y) width=(bbox.w.max(0.0))
                height=(bbox.h.max(0.0)) {}
        }
    }
}
