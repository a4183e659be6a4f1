//! Chooses the images of a group that a page shows.

use std::collections::BTreeMap;

use vidpairs_run::from_end_to_end;

use crate::layout::aloi::{COLOR_CODES, NUM_VIEWS, VIEW_STEP_DEG};
use crate::set::SetKind;
use crate::truth::Truth;

/// Frames of a video.
const NUM_FRAMES: u64 = 8;
/// Angle between two views of ALOI, degrees.
const SHOWN_VIEW_STEP_DEG: usize = 30;
/// Light colours of ALOI.
const NUM_COLORS: u64 = 6;
/// Azimuths of an object of PASCAL3D+.
const MAX_AZIMUTHS: usize = 12;
/// Elevations of an object of PASCAL3D+.
const MAX_ELEVATIONS: u64 = 6;
/// Images with two objects of a class.
const NUM_PAIRS: usize = 2;

/// Property that varies over the images of a strip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Varied {
    /// Time in a video.
    Time,
    /// View of an object on its turntable (ALOI).
    View,
    /// Direction of the light (ALOI).
    LightDirection,
    /// Colour of the light (ALOI).
    LightColor,
    /// Azimuth (PASCAL3D+).
    Azimuth {
        /// Elevation of all images, degrees.
        elevation_deg: f64,
    },
    /// Nothing: images of two objects each (PASCAL3D+).
    Pair,
    /// Nothing: one image of several objects (MSCOCO, Pascal VOC).
    Scene,
}

/// A group and its chosen images.
pub(super) struct Chosen {
    pub name: String,
    pub num_images: u64,
    /// None of them empty.
    pub strips: Vec<ChosenStrip>,
}

pub(super) struct ChosenStrip {
    pub varied: Varied,
    pub images: Vec<Image>,
}

/// The truths of one image, at least one.
pub(super) type Image = Vec<Truth>;

/// Chooses images of the group `name`.
///
/// - `truths`: all truths of the group, in the order of the file.
pub(super) fn choose(name: String, truths: &[Truth], kind: SetKind) -> Chosen {
    let is_same_image = |a: &Truth, b: &Truth| a.image == b.image && a.frame == b.frame;
    let images = truths.chunk_by(is_same_image).map(<[Truth]>::to_vec);
    let images: Vec<Image> = images.collect();
    let num_images = images.len() as u64;
    let mut strips = match kind {
        SetKind::TrackingNet | SetKind::Got10k => vec![ChosenStrip {
            varied: Varied::Time,
            images: spread(images, NUM_FRAMES),
        }],
        SetKind::Aloi => turntable(&images),
        SetKind::Pascal3d => grid(images),
        SetKind::Coco | SetKind::Voc => vec![ChosenStrip {
            varied: Varied::Scene,
            images,
        }],
    };
    strips.retain(|strip| !strip.images.is_empty());
    Chosen {
        name,
        num_images,
        strips,
    }
}

/// At most `num` of the values, from the first to the last.
fn spread<T>(values: Vec<T>, num: u64) -> Vec<T> {
    let mut wanted = from_end_to_end(values.len() as u64, num).peekable();
    let numbered = (0..).zip(values);
    numbered
        .filter(|(number, _)| wanted.next_if_eq(number).is_some())
        .map(|(_, value)| value)
        .collect()
}

/// Some views, the lights of the first camera, and some light colours.
fn turntable(images: &[Image]) -> Vec<ChosenStrip> {
    let strip = |varied, endings: Vec<String>| {
        let image = |ending: &String| {
            let mut images = images.iter();
            images
                .find(|image| image[0].image.ends_with(ending))
                .cloned()
        };
        let images = endings.iter().filter_map(image).collect();
        ChosenStrip { varied, images }
    };
    let views = (0..NUM_VIEWS * VIEW_STEP_DEG).step_by(SHOWN_VIEW_STEP_DEG);
    let views = views.map(|degrees| format!("_r{degrees}.png"));
    let lights = (1..=8).map(|light| format!("_l{light}c1.png"));
    let colors = spread(COLOR_CODES.to_vec(), NUM_COLORS).into_iter();
    let colors = colors.map(|code| format!("_i{code}.png"));
    vec![
        strip(Varied::View, views.collect()),
        strip(Varied::LightDirection, lights.collect()),
        strip(Varied::LightColor, colors.collect()),
    ]
}

/// Elevations and azimuths of the first object of a class, and images that it shares with another object.
fn grid(mut images: Vec<Image>) -> Vec<ChosenStrip> {
    if let Some(first) = images.first() {
        let object = first[0].object.clone();
        images.retain(|image| image[0].object == object);
    }
    let is_pair = |image: &Image| image[0].image.contains("_pascal/");
    let (mut pairs, single): (Vec<_>, Vec<_>) = images.into_iter().partition(is_pair);
    pairs.truncate(NUM_PAIRS);
    let mut by_elevation: BTreeMap<i64, Vec<Image>> = BTreeMap::new();
    for image in single {
        let millidegrees = (image[0].elevation * 1000.0).round() as i64;
        by_elevation.entry(millidegrees).or_default().push(image);
    }
    let rows = spread(by_elevation.into_iter().collect(), MAX_ELEVATIONS);
    let rows = rows.into_iter().map(|(millidegrees, images)| ChosenStrip {
        varied: Varied::Azimuth {
            elevation_deg: millidegrees as f64 / 1000.0,
        },
        images: around(images),
    });
    let pairs = ChosenStrip {
        varied: Varied::Pair,
        images: pairs,
    };
    rows.chain([pairs]).collect()
}

/// Evenly spread azimuths. The last one is next to the first, so that both ends are not needed.
fn around(images: Vec<Image>) -> Vec<Image> {
    let step = images.len().div_ceil(MAX_AZIMUTHS).max(1);
    images.into_iter().step_by(step).collect()
}
