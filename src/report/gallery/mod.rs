//! Renders the page of `vidpairs inspect --gallery`: pairs side by side, with boxes, frame numbers and confidence.

pub(super) mod card;
pub(super) mod head;
pub(super) mod stored;

use maud::{Markup, html};
use vidpairs_types::{PairKind, RecordMeta, SourceKind};

use super::page;
use super::picture::{Line, box_sample};
use crate::inspect::{Inspection, SampledRecord};

/// Maximum number of records on a page.
pub const MAX_RECORDS: u64 = 48;

/// Maximum size of the images on a page, bytes as stored; base64 adds a third.
pub const MAX_IMAGE_BYTES: u64 = 7 << 20;

/// Style sheet of this page.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page of a data set: one HTML file with embedded images.
///
/// - `records`: some records of the data set, at most [`MAX_RECORDS`] with [`MAX_IMAGE_BYTES`] of images.
pub fn render(inspection: &Inspection, records: &[SampledRecord]) -> String {
    let title = page::folder_name(inspection.dir.as_ref());
    let headline = inspection.headline();
    let body = html! {
        header {
            (page::summary(&title, &headline, &head::facts(inspection)))
            (page::set_aside("Clips set aside", &inspection.set_aside))
            section.legend {
                h2 { "How to read this page" }
                (legend(records))
                p { (head::choice(inspection.totals.records, records.len() as u64)) }
            }
        }
        main class=(grid_class(records)) {
            @for record in records { (card::card(record)) }
            @if records.is_empty() { p { "The data set contains no records." } }
        }
    };
    page::page(&title, STYLE, &body)
}

/// The records that can be shown.
fn metas(records: &[SampledRecord]) -> impl Iterator<Item = &RecordMeta> {
    let readable = records.iter().flat_map(|sampled| &sampled.record);
    readable.map(|record| &record.meta)
}

/// Whether the record was cut from a still image, which has neither a frame number nor a time.
fn is_still(meta: &RecordMeta) -> bool {
    SourceKind::named(&meta.source).is_some_and(SourceKind::has_stills)
}

/// How to read the cards of `records`.
pub(super) fn legend(records: &[SampledRecord]) -> Markup {
    let has_pairs = metas(records).any(|meta| meta.positive.is_some());
    let has_boxes = metas(records).any(|meta| meta.anchor.box_xywh.is_some());
    let has_frames = metas(records).any(|meta| meta.anchor_frame.is_some());
    let mut tracklets = metas(records).filter_map(|meta| meta.tracklet.as_ref());
    let has_scores = tracklets.any(card::has_scores);
    let has_frame_numbers = !metas(records).all(is_still);
    html! {
        p {
            @if has_pairs {
                "Each card is one positive pair: the " strong { "anchor" } " on the left, the "
                strong { "positive" } " on the right. The number on the arrow is their distance in frames. "
            } @else {
                "Each card is one stored image; training makes both views from it. "
            }
            @if has_frame_numbers { "Frame numbers start at 0, in presentation order; times are those of the source." }
        }
        @if has_boxes {
            p {
                @if has_frames {
                    (box_sample(Line::Solid)) " Region of the pair in the whole frame. The two smaller pictures \
                    are the region as stored for training."
                } @else {
                    @if has_frame_numbers {
                        "The pictures show a region of the frame; its size and the size of the frame are below."
                    } @else {
                        "The pictures show an annotated box of the image; its size, its top left corner and the size of the image are below."
                    }
                }
            }
        }
        @if has_scores {
            p {
                strong { "Confidence" } ": the tracker's confidence that it is on the region, 0 to 1. "
                strong { "PSR" } ", peak-to-sidelobe ratio: how far the correlation peak stands out; \
                above 10 it is clear, single digits are doubtful. "
                strong { "Forward-backward IoU" } ": overlap of the starting region and the region that \
                tracking back from the positive returns, 0 to 1."
            }
        }
    }
}

/// Classes of the grid of cards, by their width: four pictures, two crops, two frames, or one picture.
pub(super) fn grid_class(records: &[SampledRecord]) -> &'static str {
    if metas(records).any(|meta| meta.anchor_frame.is_some()) {
        "grid four"
    } else if metas(records).any(|meta| meta.anchor.box_xywh.is_some()) {
        "grid crops"
    } else if metas(records).any(|meta| meta.kind != PairKind::Images) {
        "grid two"
    } else {
        "grid one"
    }
}

#[cfg(test)]
mod tests;
