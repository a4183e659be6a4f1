//! A video, from its script to its frames and what is true of them.

use std::path::Path;
use std::sync::Arc;

use super::casting::{cast, with_causes};
use super::plan::Made;
use super::{ItemError, Plan, VideoSettings};
use crate::parallel::Heartbeat;
use crate::synth::backdrops::{BackdropError, Unreadable};
use crate::synth::catalog::{CatalogObject, Half};
use crate::synth::render::{Mask, Renderer, Sensor};
use crate::synth::scene::{Clock, Script};
use crate::synth::truth::Truth;
use crate::types::{Outcome, Refusal, RgbImage, Seed, Stage};

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
}

/// Renders the video `name` and hands every frame to `each`. The images of its truths are called
/// `image`.
pub(super) fn render<'a>(
    plan: &'a Plan,
    (name, image): (&str, impl Fn(u64) -> String),
    half: Half,
    made: &mut Made,
    heartbeat: &Arc<Heartbeat>,
    mut each: impl FnMut(u64, &RgbImage) -> Result<(), ItemError>,
) -> Result<Video<'a>, ItemError> {
    let settings = plan.settings.videos.as_ref();
    let settings = settings.map_or_else(|| unreachable!("a plan of videos has their settings"), |it| it);
    let seed = plan.seed_of(name);
    let stage = Stage_::set(plan, settings, seed, half, made, heartbeat)?;
    let Stage_ {
        script,
        models,
        objects,
        mut renderer,
    } = stage;
    let size = plan.settings.size;
    let num_frames = u64::from(settings.num_frames);
    let mut unreadable = Vec::new();
    let backdrop_seed = seed.for_step("backdrop", name);
    let drawn = plan.backdrops.draw(backdrop_seed, size, num_frames, heartbeat, &mut unreadable);
    made.refused.extend(unreadable.iter().map(refused_backdrop));
    let backdrop = drawn.map_err(stopped_or)?;
    let sensor = Sensor {
        noise: settings.difficulty.noise as f32,
    };
    let mut truths = Vec::with_capacity(num_frames as usize);
    for frame in 0..num_frames {
        if heartbeat.should_stop() {
            return Err(ItemError::Stopped);
        }
        let (moments, samples) = script.exposure(frame, &models);
        let behind = backdrop.behind(frame, size);
        let mut noise = seed.for_step("noise", &frame.to_string()).rng();
        let picture = renderer.draw(&moments, &behind, samples, &sensor, &mut noise);
        each(frame, &picture)?;
        let mask = target_mask(&script, frame, &models, &mut renderer);
        let (light, azimuth, elevation) = script.target_state(script.seconds_of(frame));
        truths.push(Truth {
            image: image(frame),
            frame: Some(frame),
            object: objects[0].id.clone(),
            category: objects[0].category.clone(),
            half: objects[0].half,
            azimuth: azimuth.to_degrees().rem_euclid(360.0),
            elevation: elevation.to_degrees(),
            light,
            visible_share: mask.visible_share(),
            cut_by_image: mask.is_cut,
            box_xywh: mask.visible,
            full_box_xywh: mask.full,
        });
        heartbeat.beat();
    }
    made.num_images += num_frames;
    Ok(Video {
        target: objects[0],
        truths,
        speed: script.target_speed(),
    })
}
