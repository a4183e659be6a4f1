//! A video, from its script to its frames and what is true of them.

use std::sync::Arc;

use vidpairs_types::{RgbImage, Seed};

use super::casting::{Cast, cast};
use super::plan::{Work, of_half};
use super::{ItemError, VideoSettings};
use crate::catalog::{CatalogObject, Half};
use crate::render::{Mask, Model, Renderer, Sensor};
use crate::scene::{Clock, Roles, Script};
use crate::truth::Truth;

/// A tracker is told what to follow in the first frame: so much of it must be seen there.
const MIN_FIRST_SHARE: f64 = 0.7;
/// And its box must be so large, px on its shorter side.
const MIN_FIRST_SIDE: f64 = 12.0;
/// Scripts that are tried for it.
const MAX_SCRIPTS: u32 = 24;

/// What is known of a video besides its frames.
pub(super) struct Video<'a> {
    /// What is to be followed.
    pub target: &'a CatalogObject,
    /// A line per frame.
    pub truths: Vec<Truth>,
    /// Heights of the image a second that the target moves at its fastest.
    pub speed: f64,
    /// Degrees a second that it turns.
    pub turn: f64,
}

/// Renders the video `name` and hands every frame to `each`; `image` names the image of a frame.
pub(super) fn render<'a>(
    work: &mut Work<'a>,
    settings: &VideoSettings,
    (name, half): (&str, Half),
    image: impl Fn(u64) -> String,
    mut each: impl FnMut(&mut Work<'a>, u64, RgbImage) -> Result<(), ItemError>,
) -> Result<Video<'a>, ItemError> {
    let (plan, num_frames) = (work.plan, u64::from(settings.num_frames));
    let (size, seed) = (plan.settings.size, plan.seed_of(name));
    let (script, Cast { objects, models }, mut renderer) = stage(work, settings, seed, half)?;
    let backdrop = work.backdrop(name, num_frames)?;
    let sensor = Sensor {
        noise: settings.difficulty.noise as f32,
    };
    let target = objects[0];
    work.made
        .objects
        .extend(objects.iter().map(|object| object.id.clone()));
    let mut truths = Vec::with_capacity(num_frames as usize);
    for frame in 0..num_frames {
        let (moments, samples) = script.exposure(frame, &models);
        let behind = backdrop.behind(frame, size);
        let mut noise = seed.for_step("noise", &frame.to_string()).rng();
        let picture = renderer.draw(&moments, &behind, samples, &sensor, &mut noise);
        each(work, frame, picture)?;
        let mask = target_mask(&script, frame, &models, &mut renderer);
        let (light, azimuth, elevation) = script.target_state(script.seconds_of(frame));
        truths.push(Truth {
            image: image(frame),
            frame: Some(frame),
            object: target.id.clone(),
            category: target.category.clone(),
            half: target.half,
            azimuth: azimuth.to_degrees().rem_euclid(360.0),
            elevation: elevation.to_degrees(),
            light,
            visible_share: mask.visible_share(),
            cut_by_image: mask.is_cut,
            box_xywh: mask.visible,
            full_box_xywh: mask.full,
        });
        work.image_done()?;
    }
    work.made.num_images += num_frames;
    Ok(Video {
        target,
        truths,
        speed: script.target_speed(),
        turn: script.target_turn().to_degrees(),
    })
}

/// A script in whose first frame the target can be seen well, its cast, and the camera.
fn stage<'a>(
    work: &mut Work<'a>,
    settings: &VideoSettings,
    seed: Seed,
    half: Half,
) -> Result<(Script, Cast<'a>, Renderer), ItemError> {
    let plan = work.plan;
    let clock = Clock {
        num_frames: u64::from(settings.num_frames),
        fps: f64::from(settings.fps),
    };
    let roles = Roles::draw(seed.for_step("roles", ""), &settings.difficulty);
    let cast = cast_video(work, seed, half, roles.num_models())?;
    let roles = roles.with_models(cast.models.len());
    let write = |attempt: u32| {
        let seed = seed.for_step("script", &attempt.to_string());
        Script::write(seed, roles, &settings.difficulty, plan.settings.size, clock)
    };
    let first = write(0);
    let mut renderer = Renderer::new(first.camera());
    let mut best: Option<(f64, Script)> = None;
    for attempt in 0..MAX_SCRIPTS {
        work.go_on()?;
        let script = if attempt == 0 {
            first.clone()
        } else {
            write(attempt)
        };
        let mask = target_mask(&script, 0, &cast.models, &mut renderer);
        let side = mask.visible.map_or(0.0, |it| it.w.min(it.h));
        let share = mask.visible_share();
        if share >= MIN_FIRST_SHARE && side >= MIN_FIRST_SIDE {
            return Ok((script, cast, renderer));
        }
        let quality = share.min(MIN_FIRST_SHARE) + (side / MIN_FIRST_SIDE).min(1.0);
        if best.as_ref().is_none_or(|(best, _)| quality > *best) {
            best = Some((quality, script));
        }
    }
    // A thin target may never be as large as asked for: the best view of it must do.
    let script = best.map_or(first, |(_, script)| script);
    Ok((script, cast, renderer))
}

/// The target, and up to `wanted - 1` other objects.
fn cast_video<'a>(
    work: &mut Work<'a>,
    seed: Seed,
    half: Half,
    wanted: usize,
) -> Result<Cast<'a>, ItemError> {
    let plan = work.plan;
    let mut rng = seed.for_step("cast", "").rng();
    let (models, heartbeat, refused) = (&plan.models, work.heartbeat, &mut work.made.refused);
    let targets = of_half(&plan.objects, half);
    let mut drawn = cast(&targets, 1, models, &mut rng, heartbeat, refused)?;
    let Some(target) = drawn.objects.first().map(|target| &target.id) else {
        let num_tried = targets.len();
        return Err(ItemError::NoTarget { num_tried });
    };
    let mut others = of_half(&plan.clutter, half);
    others.retain(|other| other.id != *target);
    let others = cast(&others, wanted - 1, models, &mut rng, heartbeat, refused)?;
    drawn.objects.extend(others.objects);
    drawn.models.extend(others.models);
    Ok(drawn)
}

fn target_mask(
    script: &Script,
    frame: u64,
    models: &[Arc<Model>],
    renderer: &mut Renderer,
) -> Mask {
    let moment = script.moment(script.seconds_of(frame), models);
    let masks = renderer.masks(&moment, |instance| instance == 0);
    masks.into_iter().flatten().next().unwrap_or_default()
}
