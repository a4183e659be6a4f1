//! A video, an object or a class as a card: titles, captions, boxes and lamps.

use vidpairs_synth::layout::{aloi, got10k};
use vidpairs_synth::run::{SampledGroup, SampledImage, SampledStrip, Varied};
use vidpairs_synth::set::{SetKind, Settings};
use vidpairs_synth::truth::Truth;

use super::noun;
use crate::report::sheet::{Card, Lamp, Picture, Strip, Tile, TileBox};

pub(super) fn card(group: SampledGroup, settings: &Settings) -> Card {
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
