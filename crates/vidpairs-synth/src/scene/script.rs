//! Script of a video: the scene as a function of time.

use std::sync::Arc;

use glam::Vec2;
use vidpairs_types::{Seed, SizePx};

use super::actor::Actor;
use super::curves::Wander;
use super::light::{LightChange, lighting};
use super::sampler::ActorSampler;
use super::{Difficulty, Roles};
use crate::render::{Camera, Instance, Model, Moment, Warp};
use crate::truth::LightTruth;

/// Focal length of the camera, image heights: a vertical field of view of about 31 degrees.
const FOCAL: f32 = 1.8;

/// Frame count and frame rate of a video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Number of frames.
    pub num_frames: u64,
    /// Frames per second.
    pub fps: f64,
}

impl Clock {
    /// Duration of the video, seconds.
    pub fn seconds(&self) -> f64 {
        self.num_frames as f64 / self.fps
    }
}

/// Script of one video: a deterministic scene for every point in time.
#[derive(Debug, Clone)]
pub struct Script {
    camera: Camera,
    clock: Clock,
    /// Exposure time, thirtieths of a second.
    shutter: f64,
    /// All objects, the target first.
    actors: Vec<Actor>,
    shift: [Wander; 2],
    tremble: [Wander; 2],
    roll: Wander,
    zoom: Wander,
    lights: LightChange,
}

impl Script {
    /// Draws a script with the objects and events of `roles`; `difficulty` sets speeds and amplitudes.
    ///
    /// - `size`: size of the frames, px.
    pub fn write(
        seed: Seed,
        roles: Roles,
        difficulty: &Difficulty,
        size: SizePx,
        clock: Clock,
    ) -> Self {
        let seconds = clock.seconds();
        let mut sampler = ActorSampler {
            rng: seed.rng(),
            difficulty,
            aspect: f64::from(size.width) / f64::from(size.height),
            seconds,
        };
        let mut actors = vec![sampler.target(roles.leaves)];
        for model in 1..=roles.num_clutter {
            actors.push(sampler.clutter(model, roles.has_occluder));
        }
        if roles.has_look_alike {
            actors.push(sampler.clutter(0, roles.has_occluder));
        }
        if roles.has_occluder {
            let num_passes = (seconds / 2.5).round().max(1.0) as u32;
            for pass in 0..num_passes {
                actors.push(sampler.occluder(1 + roles.num_clutter, pass, num_passes));
            }
        }
        let hand = difficulty.camera.max(0.0);
        Self {
            camera: Self::camera(size),
            clock,
            shutter: difficulty.shutter,
            actors,
            shift: [0; 2].map(|_| sampler.wander(0.0, 0.07 * hand, 4.0)),
            tremble: [0; 2].map(|_| sampler.wander(0.0, 0.003 * hand, 0.35)),
            roll: sampler.wander(0.0, 0.03 * hand, 5.0),
            zoom: sampler.wander(1.03, (0.06 * hand).min(0.5), 6.0),
            lights: LightChange::draw(&mut sampler.rng, roles.is_relit, seconds),
        }
    }

    /// Camera of every script, for frames of `size`.
    pub fn camera(size: SizePx) -> Camera {
        Camera { size, focal: FOCAL }
    }

    /// Middle of the exposure of frame `frame`, seconds.
    pub fn seconds_of(&self, frame: u64) -> f64 {
        frame as f64 / self.clock.fps
    }

    /// Scene at `seconds`; the target is its first object.
    ///
    /// - `models`: the target's, the clutter's and the occluder's, as [`Roles::num_models`] counts them.
    ///
    /// # Panics
    /// If there are fewer models than [`Roles::num_models`].
    pub fn moment<'a>(&self, seconds: f64, models: &'a [Arc<Model>]) -> Moment<'a> {
        let target = &self.actors[0];
        let SizePx { width, height } = self.camera.size;
        let reach = 0.5 * f64::from(width) / f64::from(height);
        let instances = self.actors.iter().enumerate().filter_map(|(index, actor)| {
            let at = actor.at(seconds, target);
            // Actors outside the image by more than their size are left out, except the target.
            let size = actor.size_at(seconds) as f32;
            let is_near = f64::from(at.x.abs().max(at.y.abs()) - size) < reach + 0.3;
            (is_near || index == 0).then(|| Instance {
                model: &models[actor.model],
                pose: actor.pose(seconds, target, &self.camera),
            })
        });
        Moment {
            instances: instances.collect(),
            lighting: lighting(&self.lights.at(seconds)),
            warp: self.warp(seconds),
        }
    }

    /// Scenes at 1, 4 or 8 times within the exposure of frame `frame`, depending on how far objects move in it, and the
    /// number of samples that a pixel's side needs.
    pub fn exposure<'a>(&self, frame: u64, models: &'a [Arc<Model>]) -> (Vec<Moment<'a>>, u32) {
        let middle = self.seconds_of(frame);
        let open = (self.shutter / 30.0).min(1.0 / self.clock.fps);
        let count = match self.travel_px(middle, open) {
            travel if travel < 1.0 => return (vec![self.moment(middle, models)], 2),
            travel if travel < 9.0 => 4,
            _ => 8,
        };
        let at = |step: u32| middle + open * ((f64::from(step) + 0.5) / f64::from(count) - 0.5);
        let moments = (0..count).map(|step| self.moment(at(step), models));
        (moments.collect(), 1)
    }

    /// Light, and azimuth and elevation of the target in radians, at `seconds`.
    pub fn target_state(&self, seconds: f64) -> (LightTruth, f64, f64) {
        let target = &self.actors[0];
        let pose = target.pose(seconds, target, &self.camera);
        (
            self.lights.at(seconds),
            target.azimuth_at(seconds),
            f64::from(pose.elevation),
        )
    }

    /// Maximum speed of the target, image heights per second.
    pub fn target_speed(&self) -> f64 {
        let target = &self.actors[0];
        let steps = (0..self.clock.num_frames).map(|frame| {
            let (now, next) = (self.seconds_of(frame), self.seconds_of(frame + 1));
            f64::from((target.at(next, target) - target.at(now, target)).length()) * self.clock.fps
        });
        steps.fold(0.0, f64::max)
    }

    /// Mean rotation speed of the target, radians per second.
    pub fn target_turn(&self) -> f64 {
        self.actors[0].turn.abs()
    }

    fn warp(&self, seconds: f64) -> Warp {
        let [x, y] =
            [0, 1].map(|axis| self.shift[axis].at(seconds) + self.tremble[axis].at(seconds));
        let (roll, zoom) = (self.roll.at(seconds), self.zoom.at(seconds));
        Warp::new(Vec2::new(x as f32, y as f32), roll as f32, zoom as f32)
    }

    /// Maximum distance that a point of any actor moves in the image in `open` seconds, px.
    fn travel_px(&self, middle: f64, open: f64) -> f64 {
        let (start, end) = (middle - open / 2.0, middle + open / 2.0);
        let target = &self.actors[0];
        let travel = |actor: &Actor| {
            let (before, after) = (actor.at(start, target), actor.at(end, target));
            let shifted = self.warp(end).apply(after) - self.warp(start).apply(before);
            let rotated = (actor.azimuth_at(end) - actor.azimuth_at(start)).abs();
            f64::from(shifted.length()) + rotated * actor.size_at(middle) / 2.0
        };
        let height = f64::from(self.camera.size.height);
        height * self.actors.iter().map(travel).fold(0.0, f64::max)
    }
}
