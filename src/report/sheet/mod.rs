//! Renders the page of `vidpairs synth --gallery`: cards of pictures with their ground truth.

mod card;
mod head;

use std::path::Path;

use maud::{Markup, html};
use vidpairs_synth::run::{SampleLimits, SampledSet};
use vidpairs_synth::set::SetKind;

use super::page;
use super::picture::{Line, box_sample};

/// Maximum size of a page: videos, scenes, or objects and classes, which have more pictures each; and bytes of its images, to which base64
/// adds a third.
pub fn limits(kind: SetKind) -> SampleLimits {
    SampleLimits {
        groups: match kind {
            SetKind::TrackingNet | SetKind::Got10k => 16,
            SetKind::Aloi | SetKind::Pascal3d => 12,
            SetKind::Coco | SetKind::Voc => 24,
        },
        bytes: 6 << 20,
    }
}

/// The page of a rendered set: one HTML file with embedded images.
///
/// - `dir`: folder of the set; its name is the title.
pub fn render(dir: &Path, set: &SampledSet) -> String {
    let title = page::folder_name(dir);
    let settings = &set.settings;
    let body = html! {
        header {
            (page::summary(&title, &head::headline(set), &head::facts(set)))
            (head::credits(&set.credits))
            (page::set_aside("Objects and backgrounds set aside", &set.set_aside))
            section.legend {
                h2 { "How to read this page" }
                @for paragraph in head::reading(settings.kind) { p { (paragraph) } }
                (legend(set))
                p { (head::choice(set)) }
            }
        }
        main class=(if settings.kind.is_scenes() { "grid scenes" } else { "grid" }) {
            @for group in &set.groups { (card::card(group, settings)) }
            @if set.groups.is_empty() { p { "The set contains no images." } }
        }
    };
    page::page(&title, include_str!("style.css"), &body)
}

/// Explains the lines and lamps that this page has.
fn legend(set: &SampledSet) -> Markup {
    let strips = || set.groups.iter().flat_map(|group| &group.strips);
    let boxes = || {
        let images = strips().flat_map(|strip| &strip.images);
        images.flat_map(|image| card::visible(&image.truths, set.settings.kind))
    };
    let has_hidden_parts = boxes().any(|object| object.whole.is_some());
    let has_lamps = strips().any(|strip| card::has_lamps(strip.varied));
    html! {
        @if boxes().next().is_some() {
            p {
                (box_sample(Line::Solid)) " Visible part of the object. "
                @if has_hidden_parts {
                    (box_sample(Line::Dashed)) " Whole object, where parts of it are hidden or outside the image. "
                }
            }
        }
        @if has_lamps {
            p {
                (card::dial_sample()) " Lamps around the object, seen from above, with the camera at the bottom: \
                a full dot is on, an empty one is off."
            }
        }
    }
}

#[cfg(test)]
mod tests;
