//! One page of a rendered set: cards of small pictures with what is true of each.

mod card;

use maud::{Markup, html};
use vidpairs_types::{BoxXywh, SizePx};

use super::page::{self, Fact, SetAsideNote};
use super::picture::{Line, box_sample};

/// What a sheet shows. All text is escaped where it is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// The set's name.
    pub title: String,
    /// What it holds, in one line.
    pub headline: String,
    /// Facts in the order in which they are shown.
    pub facts: Vec<Fact>,
    /// What is not in the set, and why.
    pub set_aside: Vec<SetAsideNote>,
    /// Who made what is shown.
    pub credits: Vec<Credit>,
    /// How to read the cards, a paragraph each.
    pub reading: Vec<String>,
    /// Which part of the set is shown, in one line.
    pub choice: String,
    /// The cards, in reading order.
    pub cards: Vec<Card>,
}

/// Somebody who is to be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Who, and under which licence.
    pub who: String,
    /// What they made.
    pub what: String,
}

/// A video, an object or a class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card {
    /// Its name.
    pub title: String,
    /// Its class.
    pub label: Option<String>,
    /// What else is true of all its pictures.
    pub note: String,
    /// Its pictures.
    pub strips: Vec<Strip>,
}

/// Pictures side by side that vary one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// What varies; nothing where it goes without saying.
    pub name: Option<String>,
    /// Pictures in a row where there is room for them.
    pub num_columns: usize,
    /// From left to right.
    pub tiles: Vec<Tile>,
}

/// A picture and what is true of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// The picture, or why it cannot be shown.
    pub picture: Result<Picture, String>,
    /// Of the image as it is in the set, px: boxes are told in these.
    pub frame_size: SizePx,
    /// The picture in words.
    pub alt: String,
    /// Boxes over it.
    pub boxes: Vec<TileBox>,
    /// Why there is no box, where that is a truth: written over the picture.
    pub mark: Option<&'static str>,
    /// Lamps around the object, where the light is what varies.
    pub lamps: Vec<Lamp>,
    /// Lines under it, the first one bold.
    pub caption: Vec<String>,
}

/// An encoded image.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// `image/jpeg`, `image/png`.
    pub media_type: &'static str,
    /// As a browser takes them.
    pub bytes: Vec<u8>,
}

/// Where an object is.
#[derive(Debug, Clone, PartialEq)]
pub struct TileBox {
    /// What can be seen of it, drawn with a solid line.
    pub visible: BoxXywh,
    /// All of it, also what is hidden: drawn in dashes where it is another.
    pub full: Option<BoxXywh>,
    /// Written in the corner, where a picture has several boxes.
    pub name: Option<String>,
}

/// A lamp around the object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lamp {
    /// Degrees to the camera's right of the line from the object to the camera.
    pub azimuth_deg: f64,
    /// Whether it is on.
    pub is_lit: bool,
}

/// The page: one file of HTML, images included.
pub fn render(sheet: &Sheet) -> String {
    let body = html! {
        (header(sheet))
        main.grid {
            @for card in &sheet.cards { (card::card(card)) }
            @if sheet.cards.is_empty() { p { "The set holds no image." } }
        }
    };
    page::page(&sheet.title, include_str!("style.css"), &body)
}

fn header(sheet: &Sheet) -> Markup {
    html! {
        header {
            (page::summary(&sheet.title, &sheet.headline, &sheet.facts))
            @if !sheet.credits.is_empty() { (credits(&sheet.credits)) }
            (page::set_aside("What was set aside", &sheet.set_aside))
            section.legend {
                h2 { "How to read this page" }
                @for paragraph in &sheet.reading { p { (paragraph) } }
                (legend(sheet))
                p { (sheet.choice) }
            }
        }
    }
}

fn credits(credits: &[Credit]) -> Markup {
    html! {
        section.credits {
            h2 { "Who made the objects" }
            ul {
                @for credit in credits {
                    li { strong { (credit.who) } ": " (credit.what) }
                }
            }
        }
    }
}

/// The lines that are drawn on this page, and no others.
fn legend(sheet: &Sheet) -> Markup {
    let strips = || sheet.cards.iter().flat_map(|card| &card.strips);
    let tiles = || strips().flat_map(|strip| &strip.tiles);
    let boxes = || tiles().flat_map(|tile| &tile.boxes);
    let has_full = boxes().any(|it| card::hidden_part(it).is_some());
    let has_lamps = tiles().any(|tile| !tile.lamps.is_empty());
    html! {
        @if boxes().next().is_some() {
            p {
                (box_sample(Line::Solid)) " What can be seen of the object. "
                @if has_full {
                    (box_sample(Line::Dashed)) " All of it, with what is hidden or outside the \
                    image, where that is more. "
                }
            }
        }
        @if has_lamps {
            p {
                (card::dial_sample()) " Lamps around the object, seen from above, the camera below: \
                a full dot is lit, an empty one is not."
            }
        }
    }
}

#[cfg(test)]
mod tests;
