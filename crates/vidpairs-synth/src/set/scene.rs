//! Renders a scene: one image of several objects, in the layout of MSCOCO or Pascal VOC.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use vidpairs_image::jpeg;
use vidpairs_types::Seed;

use super::work::{Work, truth};
use super::{ItemError, SceneSettings, SetKind};
use crate::backdrops::Floor;
use crate::catalog::{CatalogObject, Half};
use crate::layout::voc;
use crate::render::{Renderer, Sensor};
use crate::scene::still::{self, Prop, Still};
use crate::truth::Truth;

/// Samples along a side of a pixel.
const SAMPLES_PER_SIDE: u32 = 3;
/// Minimum visible share of an object; an arrangement that hides more of one is drawn anew.
const MIN_SHARE: f64 = 0.2;
/// Minimum shorter side of an object's box, as a share of the image's height.
const MIN_SIDE: f64 = 0.04;
/// Arrangements that are tried to reach both minimums for all objects. The last objects that fail them stay: some objects of real
/// images are hardly visible too.
const MAX_ARRANGEMENTS: u32 = 8;
/// Minimum number of visible pixels of an annotated object.
const MIN_AREA_PX: u64 = 25;

/// Whether the layouts list an object: so much of it is visible that an annotator would have seen it. The truth has all objects.
pub fn is_annotated(truth: &Truth) -> bool {
    let mask = truth.mask.as_ref();
    mask.is_some_and(|mask| mask.area_px() >= MIN_AREA_PX)
}

/// Renders image `number` of the set, with objects of `half`; returns the names of its files.
pub(super) fn render(
    work: &mut Work<'_>,
    settings: &SceneSettings,
    half: Half,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let plan = work.plan;
    let (kind, size) = (plan.settings.kind, plan.settings.size);
    let image = plan.name_of(&super::Item::Scene { half, number });
    let seed = plan.seed_of(&image);
    let (objects, props) = cast(work, settings, half, seed)?;
    let backdrop = work.backdrop(&image, 1)?;
    let mut renderer = Renderer::new(still::camera(size));
    let still = arrange(work, &props, backdrop.floor(), seed, &mut renderer)?;
    let moment = still.moment(&props);
    let sensor = Sensor {
        noise: settings.noise as f32,
    };
    let picture = renderer.draw(
        std::slice::from_ref(&moment),
        &backdrop.behind(0, size),
        SAMPLES_PER_SIDE,
        &sensor,
        &mut seed.for_step("noise", "").rng(),
    );
    let masks = renderer.pixel_masks(&moment);
    for (&(index, pose), (mask, pixels)) in still.placed.iter().zip(masks) {
        let object = objects[index];
        let viewpoint = [pose.azimuth, pose.elevation].map(|angle| f64::from(angle).to_degrees());
        work.item.objects.push(object.id.clone());
        work.item.truths.push(Truth {
            mask: Some(pixels),
            ..truth(image.clone(), object, viewpoint, still.light, &mask)
        });
    }
    work.write(&image, &jpeg::compress(&picture, plan.settings.quality)?)?;
    let mut names = vec![image];
    if kind == SetKind::Voc {
        let id = voc::image_id(number);
        let path = voc::annotation_path(&id);
        let annotated = work.item.truths.iter().filter(|truth| is_annotated(truth));
        let text = voc::annotation_text(&id, size, annotated);
        work.write(&path, text.as_bytes())?;
        names.push(path);
    }
    work.image_done()?;
    Ok(names)
}

/// Draws the objects of an image, of different classes as long as there are any. Objects that cannot be rendered are refused and
/// replaced.
fn cast<'a>(
    work: &mut Work<'a>,
    settings: &SceneSettings,
    half: Half,
    seed: Seed,
) -> Result<(Vec<&'a CatalogObject>, Vec<Prop>), ItemError> {
    let plan = work.plan;
    let mut rng = seed.for_step("cast", "").rng();
    let [least, most] = settings.num_objects;
    let num_wanted = rng.random_range(least..=most) as usize;
    let mut objects: Vec<&CatalogObject> = plan.objects.iter().collect();
    objects.retain(|object| object.half == half);
    let num_tried = objects.len();
    let (mut chosen, mut props) = (Vec::new(), Vec::new());
    for object in by_turns(objects, &mut rng) {
        if chosen.len() == num_wanted {
            break;
        }
        work.go_on()?;
        match plan.models.get(object) {
            Ok(model) => {
                chosen.push(object);
                props.push(Prop {
                    model,
                    radius: still::radius_m(object.size_cm),
                });
            }
            Err(err) => work.refuse(object, &err),
        }
    }
    match chosen.is_empty() {
        true => Err(ItemError::NoTarget { num_tried }),
        false => Ok((chosen, props)),
    }
}

/// Shuffles objects: one of every class in random order, then a second one of every class that has two, and so on. So common classes
/// are no more frequent than others.
fn by_turns<'a>(
    mut objects: Vec<&'a CatalogObject>,
    rng: &mut ChaCha8Rng,
) -> Vec<&'a CatalogObject> {
    objects.shuffle(rng);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut numbered: Vec<(usize, &CatalogObject)> = objects
        .into_iter()
        .map(|object| {
            let count = seen.entry(&object.category).or_default();
            *count += 1;
            (*count, object)
        })
        .collect();
    // Among the first of every class, a class of many objects comes early.
    numbered.shuffle(rng);
    numbered.sort_by_key(|&(turn, _)| turn);
    numbered.into_iter().map(|(_, object)| object).collect()
}

/// Draws an arrangement in which every object has a place and is clearly visible, or the best one tried.
fn arrange(
    work: &Work<'_>,
    props: &[Prop],
    floor: Floor,
    seed: Seed,
    renderer: &mut Renderer,
) -> Result<Still, ItemError> {
    let size = work.plan.settings.size;
    let mut best: Option<(usize, Still)> = None;
    for attempt in 0..MAX_ARRANGEMENTS {
        work.go_on()?;
        let seed = seed.for_step("arrangement", &attempt.to_string());
        let still = Still::draw(seed, props, floor, size);
        let masks = renderer.masks(&still.moment(props));
        let clear = masks.iter().filter(|mask| {
            let side = mask.visible.map_or(0.0, |bounds| bounds.w.min(bounds.h));
            mask.visible_share() >= MIN_SHARE && side >= MIN_SIDE * f64::from(size.height)
        });
        let num_clear = clear.count();
        if num_clear == props.len() {
            return Ok(still);
        }
        if best.as_ref().is_none_or(|(most, _)| num_clear > *most) {
            best = Some((num_clear, still));
        }
    }
    let (_, still) = best.expect("at least one arrangement was tried");
    Ok(still)
}
