//! The page of a rendered set: what was sampled of it, in words.

mod card;
mod head;

use std::path::Path;
use std::sync::Arc;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use vidpairs_synth::run::{self, SampleLimits, SampledSet};
use vidpairs_synth::set::SetKind;
use vidpairs_types::parallel::Cancel;

use self::card::card;
use self::head::{choice, credits, facts, set_aside};
use super::CliError;
use crate::report;
use crate::report::sheet::{self, Sheet};

/// Videos on a page.
const MAX_VIDEOS: u64 = 16;
/// Objects or classes on a page: they have more pictures each.
const MAX_OBJECTS: u64 = 12;
/// Bytes of the images on a page; base64 makes a third more of them.
const MAX_IMAGE_BYTES: u64 = 6 << 20;

/// A page that was written.
#[derive(Serialize)]
pub(super) struct WrittenSheet {
    path: String,
    /// On the page.
    images: usize,
    /// Of the set.
    of_images: u64,
    /// Of the page.
    bytes: usize,
}

impl std::fmt::Display for WrittenSheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (images, all) = (HumanCount(self.images as u64), HumanCount(self.of_images));
        let size = HumanBytes(self.bytes as u64);
        write!(f, "wrote {}: {images} of {all} images, {size}", self.path)
    }
}

/// Writes the page of the set in `dir` to `out`.
pub(super) fn write(
    dir: &Path,
    kind: SetKind,
    out: &Path,
    cancel: &Arc<Cancel>,
) -> Result<WrittenSheet, CliError> {
    let limits = SampleLimits {
        groups: if kind.is_video() {
            MAX_VIDEOS
        } else {
            MAX_OBJECTS
        },
        bytes: MAX_IMAGE_BYTES,
    };
    let set = run::sample_set(dir, limits, cancel)?;
    let of_images = set.num_images;
    let sheet = sheet_of(dir, set);
    let strips = sheet.cards.iter().flat_map(|card| &card.strips);
    let images = strips.map(|strip| strip.tiles.len()).sum();
    let html = sheet::render(&sheet);
    report::write_page(out, &html)?;
    Ok(WrittenSheet {
        path: out.display().to_string(),
        images,
        of_images,
        bytes: html.len(),
    })
}

fn sheet_of(dir: &Path, set: SampledSet) -> Sheet {
    let name = dir.file_name();
    let title = name.map_or_else(
        || dir.display().to_string(),
        |it| it.to_string_lossy().into(),
    );
    let kind = set.settings.kind;
    let mut reading: Vec<String> = vec![cards_of(kind).to_owned()];
    reading.extend(angles_of(kind).map(str::to_owned));
    let objects = noun(set.num_objects, "object");
    let images = noun(set.num_images, "image");
    Sheet {
        title,
        headline: format!(
            "{images} in the layout of {}, {objects} in view",
            layout(kind)
        ),
        facts: facts(&set),
        set_aside: set_aside(&set),
        credits: credits(&set.credits),
        reading,
        choice: choice(&set),
        cards: set
            .groups
            .into_iter()
            .map(|group| card(group, &set.settings))
            .collect(),
    }
}

fn layout(kind: SetKind) -> &'static str {
    match kind {
        SetKind::TrackingNet => "TrackingNet",
        SetKind::Got10k => "GOT-10k",
        SetKind::Aloi => "ALOI",
        SetKind::Pascal3d => "PASCAL3D+",
    }
}

fn group_noun(kind: SetKind) -> &'static str {
    match kind {
        SetKind::TrackingNet | SetKind::Got10k => "video",
        SetKind::Aloi => "object",
        SetKind::Pascal3d => "class",
    }
}

fn cards_of(kind: SetKind) -> &'static str {
    match kind {
        SetKind::TrackingNet => {
            "Each card is a video, from its first frame to its last. Under a frame: its number, from \
             0; how much of the object can be seen; and the azimuth."
        }
        SetKind::Got10k => {
            "Each card is a video, from its first frame to its last. Under a frame: its number, from \
             0; how much of the object can be seen, with the level of cover.label (8 is all of it, 0 \
             nothing); and the azimuth."
        }
        SetKind::Aloi => {
            "Each card is an object: views on the turntable with their degrees; the eight lights seen \
             by the first camera; and the same view as the lamps become redder, from i110 to i250."
        }
        SetKind::Pascal3d => {
            "Each card is a class. Its first object is shown from every azimuth and elevation, azimuth \
             / elevation under each picture; then images that two objects share, numbered."
        }
    }
}

fn angles_of(kind: SetKind) -> Option<&'static str> {
    (kind != SetKind::Aloi).then_some(
        "Azimuth: degrees from the object's front to the camera; at 90 its own left side is seen.",
    )
}

/// `1 class`, `12 classes`.
fn noun(count: u64, noun: &str) -> String {
    let plural = match (count, noun) {
        (1, _) => noun.to_owned(),
        (_, "class") => "classes".to_owned(),
        (_, "picture or video") => "pictures and videos".to_owned(),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", HumanCount(count))
}
