//! An object's turntable in the layout of ALOI.

use glam::Vec3;
use vidpairs_image::png::{self, PngEffort};

use super::casting::image_truth;
use super::plan::Work;
use super::{ImageSettings, ItemError};
use crate::layout::aloi::{AloiImage, Lamp, images};
use crate::render::{Backdrop, Light, Lighting, Renderer, Sensor};
use crate::scene::studio::{self, Stand};
use crate::truth::LightTruth;

/// Degrees of the camera above the turntable.
const ELEVATION: f64 = 18.0;
/// Share of the image that an object may fill.
const SHARE: f32 = 0.86;
/// Samples along a side of a pixel: these images are to be measured.
const SAMPLES_PER_SIDE: u32 = 3;

pub(super) fn make(
    work: &mut Work<'_>,
    settings: &ImageSettings,
    object: usize,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let plan = work.plan;
    let object = &plan.objects[object];
    let model = plan.models.get(object)?;
    let size = plan.settings.size;
    let mut renderer = Renderer::new(studio::camera(size));
    let sensor = Sensor {
        noise: settings.noise as f32,
    };
    let seed = plan.seed_of(&object.id);
    let stand_size = studio::fitting_size(&model, size, ELEVATION, SHARE);
    let mut names = Vec::new();
    for image in images(number) {
        let stand = Stand {
            azimuth: image.view_deg,
            elevation: ELEVATION,
            at: [0.0, 0.0],
            size: stand_size,
            row: 0,
        };
        let scene = studio::lit_by(&[(&model, stand)], lighting(&image));
        let mut noise = seed.for_step("noise", &image.path).rng();
        let backdrop = Backdrop::Plain(Vec3::splat(0.004)); // black cloth
        let picture = renderer.draw(
            std::slice::from_ref(&scene),
            &backdrop,
            SAMPLES_PER_SIDE,
            &sensor,
            &mut noise,
        );
        work.folder
            .write(&image.path, &png::encode(&picture, PngEffort::Fast)?)?;
        let mask = renderer.masks(&scene, |_| true).swap_remove(0);
        let light = light_truth(&image);
        let truth = image_truth(&image.path, object, &stand, light, mask);
        work.made.truths.push(truth);
        names.push(image.path);
        work.image_done()?;
    }
    work.made.objects.push(object.id.clone());
    work.made.num_images += names.len() as u64;
    Ok(names)
}

/// How bright one of `count` lamps is: with all of them lit the image is brighter, but shows all.
fn lamp_strength(count: usize) -> f64 {
    0.95 / (count.max(1) as f64).powf(0.75)
}

fn lighting(image: &AloiImage) -> Lighting {
    let color = Vec3::from_array(image.color.map(|band| band as f32));
    let each = color * lamp_strength(image.lamps.len()) as f32;
    let light = |lamp: &Lamp| {
        let (azimuth, elevation) = (
            lamp.azimuth_deg.to_radians(),
            lamp.elevation_deg.to_radians(),
        );
        Light::from_angles(azimuth as f32, elevation as f32, each)
    };
    // A dark room: little comes back from its walls.
    let all = each * image.lamps.len() as f32;
    Lighting {
        lights: image.lamps.iter().map(light).collect(),
        sky: all * 0.1,
        ground: all * 0.05,
    }
}

/// The middle of the lamps.
fn light_truth(image: &AloiImage) -> LightTruth {
    let count = image.lamps.len().max(1) as f64;
    let mean = |of: fn(&Lamp) -> f64| image.lamps.iter().map(of).sum::<f64>() / count;
    LightTruth {
        azimuth: mean(|lamp| lamp.azimuth_deg),
        elevation: mean(|lamp| lamp.elevation_deg),
        color: image.color,
        strength: lamp_strength(image.lamps.len()) * count,
    }
}
