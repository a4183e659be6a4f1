//! One page of tracked sequences: pictures with the boxes of every tracker, and how well they fit over time.

mod card;
mod chart;

use maud::{Markup, html};
use vidpairs_types::{BoxXywh, SizePx};

use super::page::{self, Fact, SetAsideNote};
use super::picture::data_uri;
use super::stroke::stroke;

/// What the page shows. All text is escaped where it is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TracksPage {
    /// Its name.
    pub title: String,
    /// What it holds, in one line.
    pub headline: String,
    /// Facts in the order in which they are shown.
    pub facts: Vec<Fact>,
    /// What was not tracked, and why.
    pub set_aside: Vec<SetAsideNote>,
    /// A table of scores: headings, then rows.
    pub scores: Vec<Vec<String>>,
    /// The success plot, as [`success_plot`](super::success_plot) draws it.
    pub plot: String,
    /// Names of the trackers; the boxes and curves of the cards are in this order.
    pub trackers: Vec<String>,
    /// Which sequences are shown, in one line.
    pub choice: String,
    /// The cards, in reading order.
    pub cards: Vec<TrackCard>,
}

/// One sequence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackCard {
    /// Its name.
    pub title: String,
    /// Its class.
    pub label: Option<String>,
    /// How the trackers did, in one line.
    pub note: String,
    /// Number in the video of its first frame.
    pub first_frame: u64,
    /// Pictures of some frames.
    pub tiles: Vec<TrackTile>,
    /// Of each tracker, `None` for one that failed.
    pub curves: Vec<Option<TrackCurve>>,
}

/// A picture of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackTile {
    /// Place in the sequence, from 0.
    pub frame: usize,
    /// Size of the frame, px: boxes are told in these.
    pub frame_size: SizePx,
    /// A JPEG, or why it cannot be shown.
    pub jpeg: Result<Vec<u8>, String>,
    /// The true box, where it is known.
    pub truth: Option<BoxXywh>,
    /// Of each tracker, with its overlap.
    pub boxes: Vec<Option<(BoxXywh, Option<f64>)>>,
}

/// How it went for one tracker, a value per frame; `None` is a gap.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackCurve {
    /// Overlap with the true box, 0 to 1.
    pub overlap: Vec<Option<f64>>,
    /// Stated confidence, 0 to 1.
    pub confidence: Vec<Option<f64>>,
}

/// The page: one file of HTML, images included.
pub fn render_tracks(shown: &TracksPage) -> String {
    let body = html! {
        header {
            (page::summary(&shown.title, &shown.headline, &shown.facts))
            div.overview {
                img.plot src=(data_uri("image/svg+xml", shown.plot.as_bytes())) alt="success plot";
                (table(&shown.scores))
            }
            (page::set_aside("What was set aside", &shown.set_aside))
            (legend(shown))
        }
        main.grid {
            @for card in &shown.cards { (card::card(card, &shown.trackers)) }
            @if shown.cards.is_empty() { p { "There is no sequence to show." } }
        }
    };
    page::page(&shown.title, include_str!("style.css"), &body)
}

fn table(rows: &[Vec<String>]) -> Markup {
    let (heading, rows) = rows
        .split_first()
        .map_or((&[][..], rows), |(it, rest)| (&it[..], rest));
    html! {
        div.scroll {
            table {
                thead { tr { @for cell in heading { th { (cell) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
    }
}

fn legend(shown: &TracksPage) -> Markup {
    html! {
        section.legend {
            h2 { "How to read this page" }
            p {
                span.key { (sample("truth")) " true box" }
                @for (index, name) in shown.trackers.iter().enumerate() {
                    span.key { (sample(stroke(index).class)) (chart::sample(index)) " " (name) }
                }
            }
            p {
                "Under each picture: the frame's number in the sequence, from 0, and the overlap (IoU) of each \
                tracker's box. Below them, over all frames: the overlap, and how sure each tracker said it was. \
                Grey stretches are not scored: nothing is known there, or nothing can be seen. The small marks \
                are the frames of the pictures."
            }
            p { (shown.choice) }
        }
    }
}

/// A small box as it looks on a picture.
fn sample(class: &str) -> Markup {
    html! {
        span.sample aria-hidden="true" {
            svg viewBox="0 0 24 16" {
                rect class={ "halo " (class) } x="3" y="3" width="18" height="10" {}
                rect class={ "line " (class) } x="3" y="3" width="18" height="10" {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
