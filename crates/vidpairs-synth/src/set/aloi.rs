//! Renders the images of an object in the layout of ALOI.

use glam::Vec3;
use vidpairs_image::png::{self, PngEffort};

use super::work::{Work, truth};
use super::{ImageSettings, ItemError};
use crate::catalog::CatalogObject;
use crate::layout::aloi::{AloiImage, Lamp, images};
use crate::render::{Backdrop, Light, Lighting, Renderer, Sensor};
use crate::scene::studio::{self, Stand};
use crate::truth::LightTruth;

/// Elevation of the camera above the turntable, degrees.
const ELEVATION: f64 = 18.0;
/// Share of the image that an object may fill.
const SHARE: f32 = 0.86;
/// Samples along a side of a pixel: the images are used for evaluation.
const SAMPLES_PER_SIDE: u32 = 3;

/// Renders all images of `object`, which is object `number` of the set; returns their names.
pub(super) fn render(
    work: &mut Work<'_>,
    settings: &ImageSettings,
    object: &CatalogObject,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let model = work.plan.models.get(object)?;
    let size = work.plan.settings.size;
    let mut renderer = Renderer::new(studio::camera(size));
    let sensor = Sensor {
        noise: settings.noise as f32,
    };
    let seed = work.plan.seed_of(&object.id);
    let stand_size = studio::fitting_size(&model, size, ELEVATION, SHARE);
    let backdrop = Backdrop::Plain(Vec3::splat(0.004)); // black cloth
    let mut names = Vec::new();
    for image in images(number) {
        let stand = Stand {
            azimuth: image.view_deg,
            elevation: ELEVATION,
            at: [0.0, 0.0],
            size: stand_size,
            row: 0,
        };
        let scene = studio::lit_by([(&*model, stand)], lighting(&image));
        let mut noise = seed.for_step("noise", &image.path).rng();
        let picture = renderer.draw(
            std::slice::from_ref(&scene),
            &backdrop,
            SAMPLES_PER_SIDE,
            &sensor,
            &mut noise,
        );
        work.write(&image.path, &png::encode(&picture, PngEffort::Fast)?)?;
        let mask = renderer.mask(&scene, 0);
        let (viewpoint, light) = ([image.view_deg, ELEVATION], light_truth(&image));
        let truth = truth(image.path.clone(), object, viewpoint, light, &mask);
        work.item.truths.push(truth);
        names.push(image.path);
        work.image_done()?;
    }
    work.item.objects.push(object.id.clone());
    Ok(names)
}

/// Strength of each of `count` lamps: the image gets brighter with more lamps, but is not overexposed.
fn lamp_strength(count: usize) -> f64 {
    0.95 / (count.max(1) as f64).powf(0.75)
}

fn lighting(image: &AloiImage) -> Lighting {
    let color = Vec3::from_array(image.color.map(|band| band as f32));
    let each = color * lamp_strength(image.lamps.len()) as f32;
    let light = |lamp: &Lamp| {
        let [azimuth, elevation] =
            [lamp.azimuth_deg, lamp.elevation_deg].map(|degrees| degrees.to_radians() as f32);
        Light::from_angles(azimuth, elevation, each)
    };
    // The walls of the dark room reflect little light.
    let all = each * image.lamps.len() as f32;
    Lighting {
        lights: image.lamps.iter().map(light).collect(),
        sky: all * 0.1,
        ground: all * 0.05,
    }
}

/// Mean over the lamps.
fn light_truth(image: &AloiImage) -> LightTruth {
    let count = image.lamps.len().max(1) as f64;
    let mean = |angle: fn(&Lamp) -> f64| image.lamps.iter().map(angle).sum::<f64>() / count;
    LightTruth {
        azimuth: mean(|lamp| lamp.azimuth_deg),
        elevation: mean(|lamp| lamp.elevation_deg),
        color: image.color,
        strength: lamp_strength(image.lamps.len()) * count,
    }
}
