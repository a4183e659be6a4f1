//! An object's views in the layout of PASCAL3D+.
//!
//! `<class>_imagenet` has the whole grid of azimuths and elevations, one object in an image;
//! `<class>_pascal` has every third azimuth at the lowest elevation with a second object, which is annotated too
//! and may hide a part of the first or be hidden by it.

use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use vidpairs_image::jpeg;

use super::casting::image_truth;
use super::plan::Work;
use super::{ImageSettings, ItemError};
use crate::catalog::CatalogObject;
use crate::layout::pascal3d::{Object, Origin, Record, Viewpoint, annotation_path, image_path};
use crate::render::{Mask, Model, Renderer, Sensor};
use crate::scene::studio::{self, Stand};
use crate::truth::{LightTruth, Truth};

/// Samples along a side of a pixel: these images are to be measured.
const SAMPLES_PER_SIDE: u32 = 3;
/// Share of the image that an object alone may fill: so it stays inside where it is not quite in the middle.
const SHARE: f32 = 0.86;
/// Distances in the release are in sizes of the object.
const SIZE_IN_RADII: f32 = 2.0;
/// An object of which more is hidden by the other one is marked as occluded.
const OCCLUDED_ABOVE: f64 = 0.03;
/// Objects of which less can be seen are marked as difficult.
const DIFFICULT_BELOW: f64 = 0.3;

/// An object on its pedestal.
type Standing<'a> = (&'a CatalogObject, &'a Arc<Model>, Stand);

pub(super) fn make(
    work: &mut Work<'_>,
    settings: &ImageSettings,
    index: usize,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let plan = work.plan;
    let object = &plan.objects[index];
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
            // As the release's names: a synset, and a number in it.
            let id = format!("n{number:08}_{view}");
            let mut rng = plan.seed_of(&id).rng();
            let stand = stand(work, &model, azimuth_of(step), elevation, SHARE, &mut rng);
            let scene = [(object, &model, stand)];
            studio.take(work, Origin::ImageNet, &id, &scene, &mut rng)?;
        }
    }
    let lowest = elevations.iter().copied().min().unwrap_or(0);
    for (pair, step) in (0..num_azimuths).step_by(3).enumerate() {
        let id = format!("2008_{:06}", number * 1000 + pair as u32);
        let mut rng = plan.seed_of(&id).rng();
        let Some((other, other_model)) = companion(work, object, &mut rng) else {
            continue;
        };
        let mut stand_of = |model: &Model, azimuth: f64, side: f32, row: u32| {
            let mut stand = stand(work, model, azimuth, lowest, 0.62, &mut rng);
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
        let scene = [(object, &model, first), (other, &other_model, second)];
        studio.take(work, Origin::Pascal, &id, &scene, &mut rng)?;
    }
    Ok(studio.names)
}

/// Another object of the set, of another class where there is one; drawn again where it can't be rendered.
fn companion<'a>(
    work: &mut Work<'a>,
    object: &CatalogObject,
    rng: &mut ChaCha8Rng,
) -> Option<(&'a CatalogObject, Arc<Model>)> {
    const MAX_TRIES: u32 = 8;
    let others = || {
        work.plan
            .objects
            .iter()
            .filter(|other| other.id != object.id)
    };
    let mut choice: Vec<&CatalogObject> = others()
        .filter(|other| other.category != object.category)
        .collect();
    if choice.is_empty() {
        choice = others().collect();
    }
    // One that can't be rendered is refused by name where its own turn comes.
    (0..MAX_TRIES).find_map(|_| {
        let other = *choice.choose(rng)?;
        Some((other, work.plan.models.get(other).ok()?))
    })
}

/// Near the middle, as large as it may be or a little smaller.
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
        let stands: Vec<(&Model, Stand)> = scene
            .iter()
            .map(|(_, model, stand)| (&***model, *stand))
            .collect();
        let moment = studio::scene(&stands, &light);
        let backdrop = work.backdrop(id, 1)?;
        let behind = backdrop.behind(0, settings.size);
        let moments = std::slice::from_ref(&moment);
        let picture = self
            .renderer
            .draw(moments, &behind, SAMPLES_PER_SIDE, &self.sensor, rng);
        let masks = self.renderer.masks(&moment, |_| true);
        let image = image_path(class, origin, id);
        let mut objects = Vec::new();
        for (&(object, _, stand), mask) in scene.iter().zip(masks) {
            let hidden_share = mask.as_ref().map_or(0.0, Mask::hidden_share);
            let truth = image_truth(&image, object, &stand, light, mask);
            if let Some(annotated) = annotated(work, object, &stand, &truth, hidden_share) {
                objects.push(annotated);
            }
            work.made.truths.push(truth);
            work.made.objects.push(object.id.clone());
        }
        let record = Record {
            class: class.clone(),
            origin,
            id: id.to_owned(),
            size: settings.size,
            objects,
        };
        let annotation = annotation_path(class, origin, id);
        let jpeg = jpeg::compress(&picture, settings.quality)?;
        work.folder.write(&image, &jpeg)?;
        work.folder.write(&annotation, &record.to_mat()?)?;
        self.names.extend([image, annotation]);
        work.made.num_images += 1;
        work.image_done()
    }
}

/// What the release says of an object; `None` for one that can't be seen.
fn annotated(
    work: &Work<'_>,
    object: &CatalogObject,
    stand: &Stand,
    truth: &Truth,
    hidden_share: f64,
) -> Option<Object> {
    let settings = &work.plan.settings;
    let of_class = work
        .plan
        .objects
        .iter()
        .filter(|other| other.category == object.category);
    let place = of_class
        .into_iter()
        .position(|other| other.id == object.id)?;
    let height = f64::from(settings.size.height);
    let middle = |side: u32, at: f32| f64::from(side) / 2.0 + f64::from(at) * height;
    Some(Object {
        class: object.category.clone(),
        box_xywh: truth.box_xywh?,
        truncated: truth.cut_by_image,
        occluded: hidden_share > OCCLUDED_ABOVE,
        difficult: truth.visible_share < DIFFICULT_BELOW,
        cad_index: place as u32 + 1,
        viewpoint: Viewpoint {
            azimuth_deg: truth.azimuth,
            elevation_deg: truth.elevation,
            theta_deg: 0.0,
            distance: f64::from(studio::distance_in_radii(stand.size) / SIZE_IN_RADII),
            principal_px: [
                middle(settings.size.width, stand.at[0]),
                middle(settings.size.height, stand.at[1]),
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
