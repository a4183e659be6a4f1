//! Renders the images of an object in the layout of PASCAL3D+.
//!
//! `<class>_imagenet` has the grid of all azimuths and elevations, with one object per image. `<class>_pascal` has every
//! third azimuth at the lowest elevation with a second, also annotated object; one of the two may hide a part of the
//! other.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use vidpairs_image::jpeg;

use super::work::{Work, truth};
use super::{ImageSettings, ItemError};
use crate::catalog::CatalogObject;
use crate::layout::pascal3d::{
    ImageSet, Object, Origin, Record, Viewpoint, annotation_path, image_path, image_set_path,
    image_set_text,
};
use crate::render::{Model, Renderer, Sensor};
use crate::scene::studio::{self, Stand};
use crate::truth::{LightTruth, Truth};

/// Samples along a side of a pixel: the images are used for evaluation.
const SAMPLES_PER_SIDE: u32 = 3;
/// Share of the image that a single object may fill: it stays inside although it is not exactly in the middle.
const SHARE: f32 = 0.86;
/// Share of the image that each of two objects may fill.
const PAIR_SHARE: f32 = 0.62;
/// Size of an object, in radii of its bounding sphere: the unit of distances in the release.
const SIZE_IN_RADII: f32 = 2.0;
/// Hidden share above which an object is marked as occluded.
const OCCLUDED_ABOVE: f64 = 0.03;
/// Visible share below which an object is marked as difficult.
const DIFFICULT_BELOW: f64 = 0.3;

/// An object in an image: its catalogue entry, its model and its viewpoint.
type Standing<'a> = (&'a CatalogObject, &'a Model, Stand);

/// Renders all images of `object`, which is object `number` of the set; returns their names and those of the annotations.
pub(super) fn render(
    work: &mut Work<'_>,
    settings: &ImageSettings,
    object: &CatalogObject,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let plan = work.plan;
    let model = plan.models.get(object)?;
    let mut studio = Studio {
        renderer: Renderer::new(studio::camera(plan.settings.size)),
        sensor: Sensor {
            noise: settings.noise as f32,
        },
        names: Vec::new(),
    };
    let (num_azimuths, elevations) = (settings.num_azimuths.max(1), &settings.elevations_deg);
    let azimuth_of = |step: u32| 360.0 * f64::from(step) / f64::from(num_azimuths);
    for (row, &elevation) in elevations.iter().enumerate() {
        for step in 0..num_azimuths {
            let view = row as u32 * num_azimuths + step;
            // As in the release: the id of a synset, and a number.
            let id = format!("n{number:08}_{view}");
            let mut rng = plan.seed_of(&id).rng();
            let stand = stand(work, &model, azimuth_of(step), elevation, SHARE, &mut rng);
            let scene = [(object, &*model, stand)];
            studio.take(work, Origin::ImageNet, &id, &scene, &mut rng)?;
        }
    }
    let lowest = elevations.iter().min();
    let lowest = *lowest.expect("ImageSettings::elevations_deg has at least one elevation");
    for (pair, step) in (0..num_azimuths).step_by(3).enumerate() {
        let id = format!("2008_{:06}", number * 1000 + pair as u32);
        let mut rng = plan.seed_of(&id).rng();
        let Some((other, other_model)) = companion(work, object, &mut rng) else {
            continue;
        };
        let mut stand_of = |model: &Model, azimuth: f64, side: f32, row: u32| {
            let mut stand = stand(work, model, azimuth, lowest, PAIR_SHARE, &mut rng);
            stand.at = [
                side * rng.random_range(0.12..0.34),
                rng.random_range(-0.05..0.15),
            ];
            stand.row = row;
            stand
        };
        let side = if pair % 2 == 0 { -1.0 } else { 1.0 };
        let row = (pair / 2 % 2) as u32;
        let first = stand_of(&model, azimuth_of(step), side, row);
        let second = stand_of(&other_model, azimuth_of(3 * step + 1), -side, 1 - row);
        let scene = [(object, &*model, first), (other, &*other_model, second)];
        studio.take(work, Origin::Pascal, &id, &scene, &mut rng)?;
    }
    Ok(studio.names)
}

/// Draws another object of the set, of another class if possible; `None` if eight draws give none that can be rendered.
fn companion<'a>(
    work: &Work<'a>,
    object: &CatalogObject,
    rng: &mut ChaCha8Rng,
) -> Option<(&'a CatalogObject, Arc<Model>)> {
    const MAX_TRIES: u32 = 8;
    let plan = work.plan;
    let mut others: Vec<&CatalogObject> = plan.objects.iter().collect();
    others.retain(|other| other.id != object.id);
    if others.iter().any(|other| other.category != object.category) {
        others.retain(|other| other.category != object.category);
    }
    (0..MAX_TRIES).find_map(|_| {
        let other = *others.choose(rng)?;
        // An object that cannot be rendered is refused when its own images are rendered.
        Some((other, plan.models.get(other).ok()?))
    })
}

/// Draws a position near the middle, and a size of at most `share` of the image.
fn stand(
    work: &Work<'_>,
    model: &Model,
    azimuth: f64,
    elevation: i32,
    share: f32,
    rng: &mut ChaCha8Rng,
) -> Stand {
    let (share, elevation) = (
        share * rng.random_range(0.72..1.0_f32),
        f64::from(elevation),
    );
    Stand {
        azimuth: azimuth.rem_euclid(360.0),
        elevation,
        at: [rng.random_range(-0.05..0.05), rng.random_range(-0.04..0.04)],
        size: studio::fitting_size(model, work.plan.settings.size, elevation, share),
        row: 0,
    }
}

struct Studio {
    renderer: Renderer,
    sensor: Sensor,
    names: Vec<String>,
}

impl Studio {
    /// Renders, annotates and writes one image.
    fn take(
        &mut self,
        work: &mut Work<'_>,
        origin: Origin,
        id: &str,
        scene: &[Standing<'_>],
        rng: &mut ChaCha8Rng,
    ) -> Result<(), ItemError> {
        let settings = &work.plan.settings;
        let class = &scene[0].0.category;
        let light = draw_light(rng);
        let stands = scene.iter().map(|&(_, model, stand)| (model, stand));
        let moment = studio::scene(stands, &light);
        let backdrop = work.backdrop(id, 1)?;
        let behind = backdrop.behind(0, settings.size);
        let moments = std::slice::from_ref(&moment);
        let picture = self
            .renderer
            .draw(moments, &behind, SAMPLES_PER_SIDE, &self.sensor, rng);
        let masks = self.renderer.masks(&moment);
        let image = image_path(class, origin, id);
        let mut objects = Vec::new();
        for (&(object, _, stand), mask) in scene.iter().zip(masks) {
            let viewpoint = [stand.azimuth, stand.elevation];
            let truth = truth(image.clone(), object, viewpoint, light, &mask);
            objects.extend(annotation(
                work,
                object,
                &stand,
                &truth,
                mask.hidden_share(),
            ));
            work.item.truths.push(truth);
            work.item.objects.push(object.id.clone());
        }
        let record = Record {
            class: class.clone(),
            origin,
            id: id.to_owned(),
            size: settings.size,
            objects,
        };
        let annotation = annotation_path(class, origin, id);
        work.write(&image, &jpeg::compress(&picture, settings.quality)?)?;
        work.write(&annotation, &record.to_mat()?)?;
        self.names.extend([image, annotation]);
        work.image_done()
    }
}

/// Annotation of an object; `None` if no part of it is visible.
fn annotation(
    work: &Work<'_>,
    object: &CatalogObject,
    stand: &Stand,
    truth: &Truth,
    hidden_share: f64,
) -> Option<Object> {
    let size = work.plan.settings.size;
    let objects = work.plan.objects.iter();
    let index = objects
        .filter(|other| other.category == object.category)
        .position(|other| other.id == object.id)
        .expect("the object is one of the plan");
    let height = f64::from(size.height);
    let middle = |side: u32, at: f32| f64::from(side) / 2.0 + f64::from(at) * height;
    Some(Object {
        class: object.category.clone(),
        box_xywh: truth.box_xywh?,
        truncated: truth.cut_by_image,
        occluded: hidden_share > OCCLUDED_ABOVE,
        difficult: truth.visible_share < DIFFICULT_BELOW,
        cad_index: index as u32 + 1,
        viewpoint: Viewpoint {
            azimuth_deg: truth.azimuth,
            elevation_deg: truth.elevation,
            theta_deg: 0.0,
            distance: f64::from(studio::distance_in_radii(stand.size) / SIZE_IN_RADII),
            principal_px: [
                middle(size.width, stand.at[0]),
                middle(size.height, stand.at[1]),
            ],
        },
    })
}

fn draw_light(rng: &mut ChaCha8Rng) -> LightTruth {
    let warmth = rng.random_range(-0.15..0.2_f64);
    LightTruth {
        azimuth: rng.random_range(-90.0..90.0),
        elevation: rng.random_range(25.0..70.0),
        color: [
            1.0 + warmth.min(0.0),
            1.0 - 0.3 * warmth.abs(),
            1.0 - warmth.max(0.0),
        ],
        strength: rng.random_range(0.7..1.1),
    }
}

/// Lists the training and validation images of each class; see [`index_files`](super::index_files).
pub(super) fn index_files<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let imagenet = name
            .strip_prefix("Images/")
            .and_then(|below| below.split_once("_imagenet/"));
        if let Some((class, file)) = imagenet {
            let id = file.rsplit_once('.').map_or(file, |(id, _)| id);
            classes.entry(class).or_default().push(id);
        }
    }
    let mut files = Vec::new();
    for (class, ids) in classes {
        for (set, first) in [(ImageSet::Train, 0), (ImageSet::Val, 1)] {
            let ids = ids.iter().skip(first).step_by(2).copied();
            files.push((image_set_path(class, set), image_set_text(ids)));
        }
    }
    files
}
