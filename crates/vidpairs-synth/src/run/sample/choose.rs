//! Which images of a group are shown.

use std::collections::BTreeMap;

use vidpairs_run::from_end_to_end;

use crate::layout::aloi::{self, Series};
use crate::set::SetKind;
use crate::truth::Truth;

/// Frames of a video.
const NUM_FRAMES: u64 = 8;
/// From one view of ALOI to the next, degrees.
const VIEW_STEP_DEG: u32 = 30;
/// Azimuths of an object of PASCAL3D+.
const MAX_AZIMUTHS: u64 = 12;
/// Elevations of it.
const MAX_ELEVATIONS: u64 = 6;
/// Images with two objects of a class.
const NUM_PAIRS: usize = 2;

/// What the images of a strip vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Varied {
    /// The time of a video.
    Time,
    /// The view of an object on its turntable (ALOI).
    View,
    /// Where the light comes from (ALOI).
    LightDirection,
    /// The light's colour (ALOI).
    LightColor,
    /// The azimuth (PASCAL3D+).
    Azimuth {
        /// The same for all.
        elevation_deg: f64,
    },
    /// Two objects each (PASCAL3D+).
    Pair,
}

/// A group, and which of its images are shown.
pub(super) struct Chosen {
    pub name: String,
    pub num_images: u64,
    pub strips: Vec<ChosenStrip>,
}

pub(super) struct ChosenStrip {
    pub varied: Varied,
    /// The truths of each image.
    pub images: Vec<Vec<Truth>>,
}

/// Chooses images of the group `name`, of which all `truths` are given in the order of the file.
pub(super) fn choose(name: String, truths: Vec<Truth>, kind: SetKind) -> Chosen {
    let images = by_image(truths);
    let num_images = images.len() as u64;
    let strips = match kind {
        SetKind::TrackingNet | SetKind::Got10k => vec![ChosenStrip {
            varied: Varied::Time,
            images: spread(images, NUM_FRAMES),
        }],
        SetKind::Aloi => turntable(&images),
        SetKind::Pascal3d => grid(images),
    };
    Chosen {
        name,
        num_images,
        strips: strips
            .into_iter()
            .filter(|strip| !strip.images.is_empty())
            .collect(),
    }
}

/// Truths that follow each other and are of one image, together.
fn by_image(truths: Vec<Truth>) -> Vec<Vec<Truth>> {
    let mut images: Vec<Vec<Truth>> = Vec::new();
    for truth in truths {
        match images.last_mut() {
            Some(image) if is_same_image(image, &truth) => image.push(truth),
            _ => images.push(vec![truth]),
        }
    }
    images
}

fn is_same_image(image: &[Truth], truth: &Truth) -> bool {
    image
        .first()
        .is_some_and(|it| it.image == truth.image && it.frame == truth.frame)
}

/// From the first to the last.
fn spread<T>(values: Vec<T>, num: u64) -> Vec<T> {
    let mut wanted = from_end_to_end(values.len() as u64, num).peekable();
    let numbered = (0..).zip(values);
    numbered
        .filter(|(number, _)| wanted.next_if_eq(number).is_some())
        .map(|(_, it)| it)
        .collect()
}

/// Some views, the lights of the first camera, and some colours.
fn turntable(images: &[Vec<Truth>]) -> Vec<ChosenStrip> {
    let strip = |series, suffixes: Vec<String>| ChosenStrip {
        varied: match series {
            Series::View => Varied::View,
            Series::LightDirection => Varied::LightDirection,
            Series::LightColor => Varied::LightColor,
        },
        images: suffixes
            .iter()
            .filter_map(|suffix| with_ending(images, suffix))
            .collect(),
    };
    let views = (0..aloi::NUM_VIEWS * aloi::VIEW_STEP_DEG).step_by(VIEW_STEP_DEG as usize);
    let colors = spread(aloi::COLOR_CODES.to_vec(), 6);
    vec![
        strip(
            Series::View,
            views.map(|view| format!("_r{view}.png")).collect(),
        ),
        strip(
            Series::LightDirection,
            (1..=8).map(|light| format!("_l{light}c1.png")).collect(),
        ),
        strip(
            Series::LightColor,
            colors.iter().map(|code| format!("_i{code}.png")).collect(),
        ),
    ]
}

fn with_ending(images: &[Vec<Truth>], ending: &str) -> Option<Vec<Truth>> {
    let is_it = |image: &&Vec<Truth>| image.first().is_some_and(|it| it.image.ends_with(ending));
    images.iter().find(is_it).cloned()
}

/// All elevations and azimuths of the class's first object, and images that it shares with another.
fn grid(images: Vec<Vec<Truth>>) -> Vec<ChosenStrip> {
    let object = images
        .first()
        .and_then(|image| image.first())
        .map(|it| it.object.clone());
    let of_object = |image: &Vec<Truth>| image.first().map(|it| &it.object) == object.as_ref();
    let (pairs, single): (Vec<_>, Vec<_>) =
        images.into_iter().filter(of_object).partition(|image| {
            image
                .first()
                .is_some_and(|it| it.image.contains("_pascal/"))
        });
    let mut rows: BTreeMap<i64, Vec<Vec<Truth>>> = BTreeMap::new();
    for image in single {
        let elevation = image.first().map_or(0.0, |it| it.elevation);
        rows.entry((elevation * 1000.0).round() as i64)
            .or_default()
            .push(image);
    }
    let rows = spread(rows.into_iter().collect(), MAX_ELEVATIONS);
    let rows = rows.into_iter().map(|(millidegrees, images)| ChosenStrip {
        varied: Varied::Azimuth {
            elevation_deg: millidegrees as f64 / 1000.0,
        },
        images: around(images),
    });
    let pairs = ChosenStrip {
        varied: Varied::Pair,
        images: pairs.into_iter().take(NUM_PAIRS).collect(),
    };
    rows.chain([pairs]).collect()
}

/// Evenly around the object: the last azimuth is next to the first.
fn around(images: Vec<Vec<Truth>>) -> Vec<Vec<Truth>> {
    let step = (images.len() as u64).div_ceil(MAX_AZIMUTHS).max(1);
    images.into_iter().step_by(step as usize).collect()
}
