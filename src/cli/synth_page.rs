//! The page of a rendered set: what was sampled of it, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::CliError;
use crate::parallel::Cancel;
use crate::report::sheet::{self, Card, Credit, Lamp, Picture, Sheet, Strip, Tile, TileBox};
use crate::report::{self, Fact, SetAsideNote};
use crate::run::{
    self, SampleLimits, SampledGroup, SampledImage, SampledSet, SampledStrip, Varied,
};
use crate::synth::layout::{aloi, got10k};
use crate::synth::set::{Contents, ImageSettings, SetKind, Settings, VideoSettings};
use crate::synth::truth::Truth;

/// Videos on a page.
const MAX_VIDEOS: u64 = 16;
/// Objects or classes on a page: they have more pictures each.
const MAX_OBJECTS: u64 = 12;
/// Bytes of the images on a page; base64 makes a third more of them.
const MAX_IMAGE_BYTES: u64 = 6 << 20;
/// Objects of one maker that are named.
const MAX_NAMES: usize = 8;

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

fn facts(set: &SampledSet) -> Vec<Fact> {
    let settings = &set.settings;
    let size = match settings.kind {
        SetKind::Aloi => settings.size.to_string(),
        _ => format!("{}, JPEG quality {}", settings.size, settings.quality),
    };
    let backgrounds = match (settings.kind, set.num_backgrounds) {
        (SetKind::Aloi, _) => "black cloth".to_owned(),
        (_, 0) => "painted".to_owned(),
        (_, files) => format!("drawn from {}", noun(files, "picture or video")),
    };
    let categories = match settings.categories.as_slice() {
        [] => "all".to_owned(),
        some => some.join(", "),
    };
    let mut facts = vec![("kind", settings.kind.name().to_owned())];
    facts.extend(match &settings.contents {
        Contents::Videos(videos) => video_facts(videos, settings.kind),
        Contents::Images(images) => image_facts(images, settings.kind),
    });
    facts.extend([
        ("size of images", size),
        ("backgrounds", backgrounds),
        ("categories", categories),
        ("seed", settings.seed.to_string()),
        ("written by", format!("vidpairs {}", set.program_version)),
    ]);
    if set.num_unreadable_truths > 0 {
        let lines = noun(set.num_unreadable_truths, "line");
        facts.push((
            "damage",
            format!("{lines} of truth.jsonl cannot be understood"),
        ));
    }
    facts
        .into_iter()
        .map(|(name, value)| Fact { name, value })
        .collect()
}

fn video_facts(videos: &VideoSettings, kind: SetKind) -> Vec<(&'static str, String)> {
    let VideoSettings {
        num_training,
        num_held_out,
        num_frames,
        fps,
        ..
    } = videos;
    let hard = &videos.difficulty;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let happens = format!(
        "occlusion in {}, leaving {}, relighting {}, look-alikes {}",
        percent(hard.occlusion),
        percent(hard.leaving),
        percent(hard.relighting),
        percent(hard.look_alikes)
    );
    let moves = format!(
        "speed {}, turn {}° a second at most, scaling {}, camera {}",
        hard.speed, hard.turn, hard.scaling, hard.camera
    );
    let seen = format!(
        "{} other objects in view, shutter {}, noise {} of 255",
        hard.clutter, hard.shutter, hard.noise
    );
    let mut facts = vec![
        (
            "videos",
            format!("{num_training} of training objects, {num_held_out} of held-out ones"),
        ),
        ("length", format!("{num_frames} frames at {fps} a second")),
    ];
    if kind == SetKind::TrackingNet {
        let container = format!("{:?}", videos.container).to_lowercase();
        facts.push((
            "container",
            container.replace("both", "zip and mp4; the zip is shown"),
        ));
    }
    facts.extend([
        ("what happens", happens),
        ("motion", moves),
        ("sight", seen),
    ]);
    facts
}

fn image_facts(images: &ImageSettings, kind: SetKind) -> Vec<(&'static str, String)> {
    let half = match images.half {
        Some(half) => format!("the {} half", half.name()),
        None => "both halves".to_owned(),
    };
    let mut facts = vec![("objects of", half)];
    if kind == SetKind::Pascal3d {
        let elevations: Vec<String> = images
            .elevations_deg
            .iter()
            .map(|it| format!("{it}°"))
            .collect();
        let views = format!(
            "{} azimuths at {}",
            images.num_azimuths,
            elevations.join(", ")
        );
        facts.push(("views of an object", views));
    }
    facts.push(("noise", format!("{} of 255", images.noise)));
    facts
}

fn set_aside(set: &SampledSet) -> Vec<SetAsideNote> {
    let groups = set.set_aside.reasons.iter();
    let notes = groups.map(|group| SetAsideNote {
        what: format!(
            "{} {} at {}",
            group.clips,
            group.outcome.name(),
            group.stage.name()
        ),
        reason: group.reason.clone(),
        example: group.example.clone(),
    });
    notes.collect()
}

/// By maker and licence, those with the most objects first.
fn credits(credits: &[run::Credit]) -> Vec<Credit> {
    let mut makers: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for credit in credits {
        let maker = (credit.creator.as_str(), credit.licence.as_str());
        makers.entry(maker).or_default().insert(&credit.name);
        *counts.entry(maker).or_default() += 1;
    }
    let mut makers: Vec<_> = makers.into_iter().collect();
    makers.sort_by_key(|(maker, _)| std::cmp::Reverse(counts.get(maker).copied()));
    let credit = |((creator, licence), names): ((&str, &str), BTreeSet<&str>)| {
        let count = counts.get(&(creator, licence)).copied().unwrap_or(0);
        let creator = if creator.is_empty() {
            "unknown"
        } else {
            creator
        };
        let licence = if licence.is_empty() {
            "no licence told"
        } else {
            licence
        };
        let shown: Vec<&str> = names.iter().copied().take(MAX_NAMES).collect();
        let more = names.len() - shown.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Credit {
            who: format!("{creator} ({licence})"),
            what: format!("{}: {}{more}", noun(count, "object"), shown.join(", ")),
        }
    };
    makers.into_iter().map(credit).collect()
}

/// Which part of the set is shown, and why not all.
fn choice(set: &SampledSet) -> String {
    let kind = set.settings.kind;
    let (shown, all) = (set.groups.len() as u64, set.num_groups);
    let part = if shown >= all {
        format!("Shown: all {}.", noun(all, group_noun(kind)))
    } else {
        format!(
            "Shown: {shown} of {}, evenly spread over the set.",
            noun(all, group_noun(kind))
        )
    };
    let scaled = match set.scaled_to_px {
        None => "The pictures are the files of the set".to_owned(),
        Some(px) => format!(
            "To keep this page small, the pictures are copies of the set's files, JPEGs of at most \
             {px} px on the shorter side"
        ),
    };
    let drawn = if kind == SetKind::Aloi {
        "numbers"
    } else {
        "boxes and numbers"
    };
    format!("{part} {scaled}; {drawn} come from truth.jsonl.")
}

fn card(group: SampledGroup, settings: &Settings) -> Card {
    let kind = settings.kind;
    let first = group.strips.iter().flat_map(|strip| &strip.images).next();
    let first = first.and_then(|image| image.truths.first()).cloned();
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let object = first
        .as_ref()
        .map(|it| format!("{} · {} half", it.object, it.half.name()));
    let images = noun(group.num_images, "image");
    let title = match kind {
        SetKind::TrackingNet => {
            let name = last(&group.name);
            name.rsplit_once('.')
                .map_or(name.clone(), |(stem, _)| stem.to_owned())
        }
        SetKind::Got10k => last(&group.name),
        SetKind::Aloi => format!("object {}", last(&group.name)),
        SetKind::Pascal3d => group.name.clone(),
    };
    let note = match kind {
        SetKind::Pascal3d => format!("{} · {images} of the class", object.unwrap_or_default()),
        _ => object.unwrap_or_default(),
    };
    let label = first
        .map(|it| it.category)
        .filter(|_| kind != SetKind::Pascal3d);
    Card {
        title,
        label,
        note,
        strips: group
            .strips
            .into_iter()
            .map(|it| strip(it, settings))
            .collect(),
    }
}

fn strip(strip: SampledStrip, settings: &Settings) -> Strip {
    let (name, num_columns) = match strip.varied {
        Varied::Time => (None, 8),
        Varied::View => (Some("Views on the turntable".to_owned()), 12),
        Varied::LightDirection => (Some("Lights".to_owned()), 8),
        Varied::LightColor => (Some("Colour of the light".to_owned()), 8),
        Varied::Azimuth { elevation_deg } => (Some(format!("Elevation {elevation_deg}°")), 12),
        Varied::Pair => (Some("Two objects".to_owned()), 6),
    };
    let tile = |image| tile(image, strip.varied, settings);
    Strip {
        name,
        num_columns,
        tiles: strip.images.into_iter().map(tile).collect(),
    }
}

fn tile(image: SampledImage, varied: Varied, settings: &Settings) -> Tile {
    let SampledImage { truths, picture } = image;
    let has_boxes = settings.kind != SetKind::Aloi;
    let is_pair = varied == Varied::Pair;
    let boxes = (1..)
        .zip(&truths)
        .filter(|_| has_boxes)
        .filter_map(|(number, truth)| {
            Some(TileBox {
                visible: truth.box_xywh?,
                full: truth.full_box_xywh,
                name: is_pair.then(|| format!("{number}")),
            })
        });
    let boxes: Vec<TileBox> = boxes.collect();
    let first = truths.first();
    let light = first
        .and_then(|it| aloi_image(&it.image))
        .filter(|_| !has_boxes);
    let caption = match first {
        Some(_) if is_pair => pair_caption(&truths),
        Some(truth) => caption(truth, varied, settings.kind),
        None => Vec::new(),
    };
    Tile {
        picture: picture.map(|it| Picture {
            media_type: it.media_type,
            bytes: it.bytes,
        }),
        frame_size: settings.size,
        alt: first
            .map(|it| format!("{}, {}", it.category, caption.join(", ")))
            .unwrap_or_default(),
        mark: (has_boxes && boxes.is_empty()).then_some("not in sight"),
        boxes,
        lamps: light
            .filter(|_| varied == Varied::LightDirection)
            .map(lamps)
            .unwrap_or_default(),
        caption,
    }
}

fn caption(truth: &Truth, varied: Varied, kind: SetKind) -> Vec<String> {
    let name = truth
        .image
        .rsplit_once('_')
        .map_or("", |(_, suffix)| suffix);
    let name = name.trim_end_matches(".png");
    match varied {
        Varied::Time => {
            let azimuth = truth.azimuth.round().rem_euclid(360.0);
            let cover = format!("cover {}", got10k::cover_level(truth.visible_share));
            let mut lines = vec![
                format!("frame {}", truth.frame.unwrap_or(0)),
                format!("{} seen", percent(truth.visible_share)),
                format!("azimuth {azimuth}°"),
            ];
            lines.extend((kind == SetKind::Got10k).then_some(cover));
            lines
        }
        Varied::View => vec![format!("{:.0}°", truth.azimuth)],
        Varied::LightDirection => {
            let light = name.trim_end_matches("c1");
            vec![light.to_owned(), side_of(truth).to_owned()]
        }
        Varied::LightColor => {
            let code = name.trim_start_matches('i');
            let kelvin = code.parse().map(aloi::kelvin);
            let kelvin = kelvin.map(|kelvin| format!("{kelvin:.0} K"));
            [Some(name.to_owned()), kelvin.ok()]
                .into_iter()
                .flatten()
                .collect()
        }
        Varied::Azimuth { .. } | Varied::Pair => vec![angles(truth)],
    }
}

fn pair_caption(truths: &[Truth]) -> Vec<String> {
    let lines = (1..).zip(truths).map(|(number, truth)| {
        let percent = (100.0 * truth.visible_share).round();
        format!(
            "{number} {}, {}, {percent} % seen",
            truth.category,
            angles(truth)
        )
    });
    lines.collect()
}

/// Whole percents, but neither 0 nor 100 for what is neither.
fn percent(share: f64) -> String {
    match (100.0 * share).round() {
        0.0 if share > 0.0 => "under 1 %".to_owned(),
        100.0 if share < 1.0 => "over 99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

fn angles(truth: &Truth) -> String {
    format!("{:.0}° / {:.0}°", truth.azimuth, truth.elevation)
}

/// From where the light comes, all lamps taken together.
fn side_of(truth: &Truth) -> &'static str {
    let lamps = aloi_image(&truth.image).map_or(0, |image| image.lamps.len());
    match truth.light.azimuth {
        _ if lamps > 2 => "from all five",
        azimuth if lamps == 2 && azimuth > 0.0 => "from two on the right",
        _ if lamps == 2 => "from two on the left",
        azimuth if azimuth > 60.0 => "from the far right",
        azimuth if azimuth > 10.0 => "from the right",
        azimuth if azimuth < -60.0 => "from the far left",
        azimuth if azimuth < -10.0 => "from the left",
        _ => "from the camera",
    }
}

/// What the layout says of an image of ALOI: `png2/7/7_l1c1.png`.
fn aloi_image(path: &str) -> Option<aloi::AloiImage> {
    let id = path
        .strip_prefix("png2/")?
        .split('/')
        .next()?
        .parse()
        .ok()?;
    aloi::images(id)
        .into_iter()
        .find(|image| image.path == path)
}

/// Every lamp of the studio, and which of them are lit.
fn lamps(image: aloi::AloiImage) -> Vec<Lamp> {
    let all = aloi_image("png2/1/1_l8c1.png")
        .map(|it| it.lamps)
        .unwrap_or_default();
    let lamps = all.into_iter().map(|lamp| Lamp {
        azimuth_deg: lamp.azimuth_deg,
        is_lit: image.lamps.contains(&lamp),
    });
    lamps.collect()
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
