//! Renders a video: draws its objects and its script, then renders the frames and their ground truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::seq::{IndexedMutRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use vidpairs_types::{BoxXywh, RgbImage, Seed};

use super::work::{Work, truth};
use super::{ItemError, VideoSettings};
use crate::catalog::{CatalogObject, Half};
use crate::render::{Mask, Model, Renderer, Sensor};
use crate::scene::{Clock, Roles, Script};
use crate::truth::Truth;

/// Minimum visible share of the target in the first frame, where trackers are initialised.
const MIN_FIRST_SHARE: f64 = 0.7;
/// Minimum shorter side of the target's box in the first frame, px.
const MIN_FIRST_SIDE: f64 = 12.0;
/// Number of scripts that are tried to reach both minimums.
const MAX_SCRIPTS: u32 = 24;

/// A video of a plan.
pub(super) struct VideoItem<'a> {
    pub settings: &'a VideoSettings,
    /// Half that the objects belong to.
    pub half: Half,
    /// Name of the item: a path or an id, according to the layout.
    pub name: String,
}

/// Ground truth and motion of a rendered video.
pub(super) struct Video<'a> {
    /// Object to track.
    pub target: &'a CatalogObject,
    /// Ground truth, a line per frame.
    pub truths: Vec<Truth>,
    /// Maximum speed of the target, image heights per second.
    pub speed: f64,
    /// Mean rotation speed of the target, degrees per second.
    pub turn: f64,
}

impl Video<'_> {
    /// Box of the target in each frame; `None` where it is not visible.
    pub fn boxes(&self) -> Vec<Option<BoxXywh>> {
        self.truths.iter().map(|truth| truth.box_xywh).collect()
    }
}

/// Renders `video` and passes every frame to `each`.
///
/// - `image`: path of the image, or of the container, of a frame.
pub(super) fn render_video<'a>(
    work: &mut Work<'a>,
    video: &VideoItem<'_>,
    image: impl Fn(u64) -> String,
    mut each: impl FnMut(&mut Work<'a>, u64, RgbImage) -> Result<(), ItemError>,
) -> Result<Video<'a>, ItemError> {
    let (size, num_frames) = (
        work.plan.settings.size,
        u64::from(video.settings.num_frames),
    );
    let seed = work.plan.seed_of(&video.name);
    let mut renderer = Renderer::new(Script::camera(size));
    let (script, cast) = stage(work, video, seed, &mut renderer)?;
    let backdrop = work.backdrop(&video.name, num_frames)?;
    let sensor = Sensor {
        noise: video.settings.difficulty.noise as f32,
    };
    let ids = cast.objects.iter().map(|object| object.id.clone());
    work.item.objects.extend(ids);
    let target = cast.objects[0];
    let mut truths = Vec::with_capacity(num_frames as usize);
    for frame in 0..num_frames {
        let (moments, samples) = script.exposure(frame, &cast.models);
        let behind = backdrop.behind(frame, size);
        let mut noise = seed.for_step("noise", &frame.to_string()).rng();
        let picture = renderer.draw(&moments, &behind, samples, &sensor, &mut noise);
        each(work, frame, picture)?;
        let mask = target_mask(&script, frame, &cast.models, &mut renderer);
        let (light, azimuth, elevation) = script.target_state(script.seconds_of(frame));
        let viewpoint = [
            azimuth.to_degrees().rem_euclid(360.0),
            elevation.to_degrees(),
        ];
        truths.push(Truth {
            frame: Some(frame),
            ..truth(image(frame), target, viewpoint, light, &mask)
        });
        work.image_done()?;
    }
    Ok(Video {
        target,
        truths,
        speed: script.target_speed(),
        turn: script.target_turn().to_degrees(),
    })
}

/// Draws the objects, and a script in whose first frame the target is clearly visible.
fn stage<'a>(
    work: &mut Work<'a>,
    video: &VideoItem<'_>,
    seed: Seed,
    renderer: &mut Renderer,
) -> Result<(Script, Cast<'a>), ItemError> {
    let (settings, size) = (video.settings, work.plan.settings.size);
    let clock = Clock {
        num_frames: u64::from(settings.num_frames),
        fps: f64::from(settings.fps),
    };
    let wanted = Roles::draw(seed.for_step("roles", ""), &settings.difficulty);
    let cast = cast_video(work, video.half, seed, wanted.num_models())?;
    let roles = wanted.with_models(cast.models.len());
    let mut best: Option<(f64, Script)> = None;
    for attempt in 0..MAX_SCRIPTS {
        work.go_on()?;
        let seed = seed.for_step("script", &attempt.to_string());
        let script = Script::write(seed, roles, &settings.difficulty, size, clock);
        let mask = target_mask(&script, 0, &cast.models, renderer);
        let side = mask.visible.map_or(0.0, |bounds| bounds.w.min(bounds.h));
        let share = mask.visible_share();
        if share >= MIN_FIRST_SHARE && side >= MIN_FIRST_SIDE {
            return Ok((script, cast));
        }
        let quality = share.min(MIN_FIRST_SHARE) + (side / MIN_FIRST_SIDE).min(1.0);
        if best.as_ref().is_none_or(|(best, _)| quality > *best) {
            best = Some((quality, script));
        }
    }
    // A thin target may never reach the minimum size: the best script is used.
    let (_, script) = best.expect("at least one script was tried");
    Ok((script, cast))
}

/// Objects of a video, the target first, and their models.
#[derive(Default)]
struct Cast<'a> {
    objects: Vec<&'a CatalogObject>,
    models: Vec<Arc<Model>>,
}

/// Draws the target and up to `num_models - 1` other objects.
fn cast_video<'a>(
    work: &mut Work<'a>,
    half: Half,
    seed: Seed,
    num_models: usize,
) -> Result<Cast<'a>, ItemError> {
    let plan = work.plan;
    let mut rng = seed.for_step("cast", "").rng();
    let of_half = |object: &&CatalogObject| object.half == half;
    let targets: Vec<&CatalogObject> = plan.objects.iter().filter(of_half).collect();
    let num_tried = targets.len();
    let mut cast = Cast::default();
    cast.draw(work, targets, 1, &mut rng)?;
    let Some(&target) = cast.objects.first() else {
        return Err(ItemError::NoTarget { num_tried });
    };
    let others = plan.clutter.iter().filter(of_half);
    let others = others.filter(|object| object.id != target.id).collect();
    cast.draw(work, others, num_models, &mut rng)?;
    Ok(cast)
}

impl<'a> Cast<'a> {
    /// Draws different objects until the cast has `count`, or none is left. A class is drawn first, then one of its
    /// objects, so that common classes are no more frequent than others. Objects that cannot be rendered are refused and
    /// replaced.
    fn draw(
        &mut self,
        work: &mut Work<'a>,
        objects: Vec<&'a CatalogObject>,
        count: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), ItemError> {
        let mut by_class: BTreeMap<&str, Vec<&'a CatalogObject>> = BTreeMap::new();
        for object in objects {
            by_class.entry(&object.category).or_default().push(object);
        }
        let mut classes: Vec<Vec<&'a CatalogObject>> = by_class.into_values().collect();
        while self.objects.len() < count
            && let Some(class) = classes.choose_mut(rng)
        {
            work.go_on()?;
            class.shuffle(rng);
            let object = class.pop().expect("classes without objects are removed");
            if class.is_empty() {
                classes.retain(|class| !class.is_empty());
            }
            match work.plan.models.get(object) {
                Ok(model) => {
                    self.objects.push(object);
                    self.models.push(model);
                }
                Err(err) => work.refuse(object, &err),
            }
        }
        Ok(())
    }
}

/// Mask of the target in the middle of the exposure of `frame`.
fn target_mask(
    script: &Script,
    frame: u64,
    models: &[Arc<Model>],
    renderer: &mut Renderer,
) -> Mask {
    renderer.mask(&script.moment(script.seconds_of(frame), models), 0)
}
