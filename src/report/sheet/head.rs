//! Words the settings of a rendered set, its credits, and the choice of its images.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use indicatif::HumanCount;
use maud::{Markup, html};
use vidpairs_run::counted;
use vidpairs_synth::run::{Credit, SampledSet};
use vidpairs_synth::set::{
    Container, Contents, ImageSettings, SceneSettings, SetKind, VideoSettings,
};

use crate::report::Fact;

/// Objects of one author that are named.
const MAX_NAMED: usize = 8;

/// `150 images in the layout of GOT-10k, 18 different objects`.
pub(super) fn headline(set: &SampledSet) -> String {
    let layout = match set.settings.kind {
        SetKind::TrackingNet => "TrackingNet",
        SetKind::Got10k => "GOT-10k",
        SetKind::Aloi => "ALOI",
        SetKind::Pascal3d => "PASCAL3D+",
        SetKind::Coco => "MSCOCO",
        SetKind::Voc => "Pascal VOC",
    };
    let (images, objects) = (
        counted(set.num_images, "image"),
        counted(set.num_objects, "object"),
    );
    format!("{images} in the layout of {layout}, {objects}")
}

pub(super) fn facts(set: &SampledSet) -> Vec<Fact> {
    let settings = &set.settings;
    let size = match settings.kind {
        SetKind::Aloi => settings.size.to_string(),
        _ => format!("{}, JPEG quality {}", settings.size, settings.quality),
    };
    let backgrounds = match (settings.kind, set.num_backgrounds) {
        (SetKind::Aloi, _) => "black cloth".to_owned(),
        (_, 0) => "painted".to_owned(),
        (_, 1) => "from 1 picture or video".to_owned(),
        (_, files) => format!("from {} pictures and videos", HumanCount(files)),
    };
    let categories = match settings.categories.as_slice() {
        [] => "all".to_owned(),
        some => some.join(", "),
    };
    let mut facts = vec![Fact::new("kind", settings.kind.name())];
    match &settings.contents {
        Contents::Videos(videos) => facts.extend(video_facts(videos, settings.kind)),
        Contents::Images(images) => facts.extend(image_facts(images, settings.kind)),
        Contents::Scenes(scenes) => facts.extend(scene_facts(scenes)),
    }
    facts.extend([
        Fact::new("image size", size),
        Fact::new("backgrounds", backgrounds),
        Fact::new("categories", categories),
        Fact::new("seed", settings.seed.to_string()),
        Fact::new("written by", format!("vidpairs {}", set.program_version)),
    ]);
    if set.num_unreadable_truths > 0 {
        let lines = counted(set.num_unreadable_truths, "line");
        facts.push(Fact::new(
            "damage",
            format!("{lines} of truth.jsonl cannot be parsed"),
        ));
    }
    facts
}

fn video_facts(videos: &VideoSettings, kind: SetKind) -> Vec<Fact> {
    let difficulty = &videos.difficulty;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let container = match videos.container {
        Container::Zip => "zip",
        Container::Mp4 => "mp4",
        Container::Both => "zip and mp4; the zip is shown",
    };
    let mut facts = vec![
        Fact::new(
            "videos",
            format!(
                "{} of training objects, {} of held-out objects",
                videos.num_training, videos.num_held_out
            ),
        ),
        Fact::new(
            "length",
            format!("{} frames at {} fps", videos.num_frames, videos.fps),
        ),
    ];
    facts.extend((kind == SetKind::TrackingNet).then(|| Fact::new("container", container)));
    facts.extend([
        Fact::new(
            "share of videos with",
            format!(
                "occlusion {}, leaving the image {}, relighting {}, look-alikes {}",
                percent(difficulty.occlusion),
                percent(difficulty.leaving),
                percent(difficulty.relighting),
                percent(difficulty.look_alikes)
            ),
        ),
        Fact::new(
            "motion",
            format!(
                "speed {}, turn up to {}° per second, scaling {}, camera {}",
                difficulty.speed, difficulty.turn, difficulty.scaling, difficulty.camera
            ),
        ),
        Fact::new(
            "scene",
            format!(
                "{} other objects, shutter {}, noise {} of 255",
                difficulty.clutter, difficulty.shutter, difficulty.noise
            ),
        ),
    ]);
    facts
}

fn image_facts(images: &ImageSettings, kind: SetKind) -> Vec<Fact> {
    let half = match images.half {
        Some(half) => format!("{} half", half.name()),
        None => "both halves".to_owned(),
    };
    let mut facts = vec![Fact::new("objects", half)];
    if kind == SetKind::Pascal3d {
        let elevations: Vec<String> = images
            .elevations_deg
            .iter()
            .map(|degrees| format!("{degrees}°"))
            .collect();
        let views = format!(
            "{} azimuths at {}",
            images.num_azimuths,
            elevations.join(", ")
        );
        facts.push(Fact::new("views of an object", views));
    }
    facts.push(Fact::new("noise", format!("{} of 255", images.noise)));
    facts
}

fn scene_facts(scenes: &SceneSettings) -> [Fact; 3] {
    let [least, most] = scenes.num_objects;
    let images = format!(
        "{} of training objects, {} of held-out objects",
        scenes.num_training, scenes.num_held_out
    );
    [
        Fact::new("images", images),
        Fact::new("objects per image", format!("{least} to {most}")),
        Fact::new("noise", format!("{} of 255", scenes.noise)),
    ]
}

/// Objects by author and licence, the author of the most objects first.
pub(super) fn credits(credits: &[Credit]) -> Markup {
    let mut by_author: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for credit in credits {
        let author = (credit.creator.as_str(), credit.licence.as_str());
        by_author.entry(author).or_default().push(&credit.name);
    }
    let mut authors: Vec<_> = by_author.into_iter().collect();
    authors.sort_by_key(|(_, objects)| Reverse(objects.len()));
    html! {
        @if !authors.is_empty() {
            section.credits {
                h2 { "Credits of the objects" }
                ul {
                    @for ((creator, licence), objects) in &authors {
                        li {
                            strong { (stated(creator, "unknown")) " (" (stated(licence, "no licence stated")) ")" }
                            ": " (counted(objects.len() as u64, "object")) " (" (names(objects)) ")"
                        }
                    }
                }
            }
        }
    }
}

fn stated<'a>(text: &'a str, unstated: &'a str) -> &'a str {
    if text.is_empty() { unstated } else { text }
}

/// `armchair, chair and 3 more`.
fn names(objects: &[&str]) -> String {
    let names: BTreeSet<&str> = objects.iter().copied().collect();
    let shown: Vec<&str> = names.iter().copied().take(MAX_NAMED).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Paragraphs that explain the cards.
pub(super) fn reading(kind: SetKind) -> Vec<&'static str> {
    let cards = match kind {
        SetKind::TrackingNet => {
            "Each card is a video, from its first frame to its last. Under a frame: its number, from 0; \
             the visible share of the object; and the azimuth."
        }
        SetKind::Got10k => {
            "Each card is a video, from its first frame to its last. Under a frame: its number, from 0; \
             the visible share of the object, with the level of cover.label (8: all visible, 0: nothing); \
             and the azimuth."
        }
        SetKind::Aloi => {
            "Each card is an object: views on the turntable with their degrees; the eight lights seen by \
             the first camera; and the same view in increasingly red light, from i110 to i250."
        }
        SetKind::Pascal3d => {
            "Each card is a class. Its first object is shown from every azimuth and elevation, azimuth / \
             elevation under each picture; then images of two objects, numbered."
        }
        SetKind::Coco | SetKind::Voc => {
            "Each card is an image with its numbered objects. Under it, for each object: its class, the azimuth / \
             elevation of the camera, and the visible share."
        }
    };
    let azimuth = "Azimuth: degrees from the object's front to the camera; at 90 the camera sees the object's own left side.";
    match kind {
        SetKind::Aloi => vec![cards],
        _ => vec![cards, azimuth],
    }
}

/// Tells which part of the set the page shows, and whether its pictures are scaled.
pub(super) fn choice(set: &SampledSet) -> String {
    let kind = set.settings.kind;
    let groups = match (kind, set.num_groups) {
        (SetKind::TrackingNet | SetKind::Got10k, num) => counted(num, "video"),
        (SetKind::Aloi, num) => counted(num, "object"),
        (SetKind::Pascal3d, 1) => "1 class".to_owned(),
        (SetKind::Pascal3d, num) => format!("{} classes", HumanCount(num)),
        (SetKind::Coco | SetKind::Voc, num) => counted(num, "image"),
    };
    let num_shown = set.groups.len() as u64;
    let part = match num_shown >= set.num_groups {
        true => format!("all {groups}"),
        false => format!("{num_shown} of {groups}, evenly spread over the set"),
    };
    let pictures = match set.scaled_to_px {
        None => "The pictures are the files of the set".to_owned(),
        Some(px) => format!(
            "To keep this page small, the pictures are JPEG copies with a short side of at most {px} px"
        ),
    };
    let drawn = match kind {
        SetKind::Aloi => "numbers",
        _ => "boxes and numbers",
    };
    format!("Shown: {part}. {pictures}; {drawn} come from truth.jsonl.")
}
