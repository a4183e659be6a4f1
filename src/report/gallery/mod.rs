//! One page of pairs: pictures side by side, with boxes, frame numbers and confidence.

mod card;
mod stored;

use maud::{Markup, html};
use vidpairs_types::{EncodedRecord, PairKind};

use super::page::{self, Fact, SetAsideNote};
use super::picture::{Line, box_sample};

/// What a gallery shows. All text is escaped where it is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gallery {
    /// The data set's name.
    pub title: String,
    /// What it holds, in one line.
    pub headline: String,
    /// Facts in the order in which they are shown.
    pub facts: Vec<Fact>,
    /// Why clips were set aside.
    pub set_aside: Vec<SetAsideNote>,
    /// Which of the records are shown, in one line.
    pub choice: String,
    /// The records, in reading order.
    pub entries: Vec<Entry>,
}

/// A record of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number over all shards, from 0.
    pub number: u64,
    /// The record, or why it cannot be shown.
    pub record: Result<EncodedRecord, String>,
}

/// The page: one file of HTML, images included.
pub fn render(gallery: &Gallery) -> String {
    let body = html! {
        (header(gallery))
        main class=(grid_class(gallery)) {
            @for entry in &gallery.entries { (card::card(entry)) }
            @if gallery.entries.is_empty() { p { "The data set holds no record." } }
        }
    };
    page::page(&gallery.title, include_str!("style.css"), &body)
}

fn header(gallery: &Gallery) -> Markup {
    html! {
        header {
            (page::summary(&gallery.title, &gallery.headline, &gallery.facts))
            (page::set_aside("Clips that were set aside", &gallery.set_aside))
            section.legend {
                h2 { "How to read this page" }
                (legend(gallery))
                p { (gallery.choice) }
            }
        }
    }
}

fn legend(gallery: &Gallery) -> Markup {
    let metas = gallery.entries.iter();
    let metas = metas.filter_map(|entry| Some(&entry.record.as_ref().ok()?.meta));
    let (mut has_pairs, mut has_boxes, mut has_frames, mut has_scores) = Default::default();
    for meta in metas {
        has_pairs |= meta.positive.is_some();
        has_boxes |= meta.anchor.box_xywh.is_some();
        has_frames |= meta.anchor_frame.is_some();
        has_scores |= meta.tracklet.as_ref().is_some_and(card::has_scores);
    }
    html! {
        p {
            @if has_pairs {
                "Each card is one positive pair. On the left the " strong { "anchor" }
                ", on the right the " strong { "positive" }
                ", the same clip so many frames later as the arrow says. "
            } @else {
                "Each card is one stored image; both views are made from it in training. "
            }
            "Frames count from 0 in the order in which they are shown; the time is the source's."
        }
        @if has_boxes {
            p {
                @if has_frames {
                    (box_sample(Line::Solid)) " The box marks the region in the whole frame; the two \
                    smaller pictures are the region as it is stored for training."
                } @else {
                    "The pictures show a region of the frame; beneath are its size and the frame's."
                }
            }
        }
        @if has_scores {
            p {
                strong { "Confidence" } ": how sure the tracker was to be on the region, from 0 to 1. "
                strong { "PSR" } ", peak-to-sidelobe ratio: how clearly it saw the region; \
                tens are clear, single digits doubtful. "
                strong { "Forward-backward IoU" } ": how well the region, tracked back again, \
                meets the place it came from, from 0 to 1."
            }
        }
    }
}

/// How wide the cards are: four pictures, two crops, two frames, or one picture.
fn grid_class(gallery: &Gallery) -> &'static str {
    let records = || gallery.entries.iter().flat_map(|entry| &entry.record);
    if records().any(|record| record.meta.anchor_frame.is_some()) {
        "grid four"
    } else if records().any(|record| record.meta.anchor.box_xywh.is_some()) {
        "grid crops"
    } else if records().any(|record| record.meta.kind != PairKind::Images) {
        "grid two"
    } else {
        "grid one"
    }
}

#[cfg(test)]
mod tests;
