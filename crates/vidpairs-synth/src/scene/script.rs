//! A video before any pixel: a pure function of time.

use std::sync::Arc;

use glam::{Vec2, Vec3};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::{Seed, SizePx};

use super::path::{Wander, ease, there_and_back};
use super::{Difficulty, Roles};
use crate::render::{Camera, Instance, Light, Lighting, Model, Moment, Pose, Warp};
use crate::truth::LightTruth;

/// Focal length of the camera, heights of the image: about 31 degrees from top to bottom.
const FOCAL: f32 = 1.8;
/// The sphere around the target is so large, in heights of the image.
const TARGET_SIZE: std::ops::Range<f64> = 0.34..0.62;

/// When the frames of a video are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Number of frames.
    pub num_frames: u64,
    /// Frames a second.
    pub fps: f64,
}

impl Clock {
    /// From the first to the last frame.
    pub fn seconds(&self) -> f64 {
        self.num_frames as f64 / self.fps
    }
}

/// What happens in one video.
#[derive(Debug, Clone)]
pub struct Script {
    camera: Camera,
    clock: Clock,
    roles: Roles,
    shutter: f64,
    /// The target first.
    actors: Vec<Actor>,
    shift: [Wander; 2],
    tremble: [Wander; 2],
    roll: Wander,
    zoom: Wander,
    lights: LightChange,
}

/// An object on stage.
#[derive(Debug, Clone)]
struct Actor {
    /// Index into the models: that of the target is 0.
    model: usize,
    /// Heights of the image right of and below its centre.
    way: Way,
    /// Diameter of the sphere around it, natural logarithm of heights of the image.
    log_size: Wander,
    depth: Depth,
    azimuth: f64,
    /// Radians a second.
    turn: f64,
    sway: Wander,
    elevation: Wander,
    tilt: Wander,
}

#[derive(Debug, Clone)]
enum Way {
    Wander([Wander; 2]),
    /// Out of the image towards `direction`, and back, from `start` on for `length` seconds.
    Leave {
        wander: [Wander; 2],
        direction: Vec2,
        start: f64,
        length: f64,
    },
    /// Straight on, meeting the target at `seconds`.
    Pass {
        seconds: f64,
        per_second: Vec2,
    },
}

/// How far away an actor is; its size in the image does not depend on it.
#[derive(Debug, Clone, Copy)]
enum Depth {
    /// At the distance that its size gives it when its radius is 1.
    Target,
    /// So far that it never touches the target.
    Behind,
    /// So near.
    Before,
}

/// Light that goes from one state to another.
#[derive(Debug, Clone)]
struct LightChange {
    from: LightTruth,
    to: LightTruth,
    start: f64,
    length: f64,
}

impl Script {
    /// Writes a video about `roles`, as hard as `difficulty`: how it goes depends on `seed`.
    pub fn write(
        seed: Seed,
        roles: Roles,
        difficulty: &Difficulty,
        size: SizePx,
        clock: Clock,
    ) -> Self {
        let mut rng = seed.rng();
        let rng = &mut rng;
        let mut writer = Writer {
            rng,
            difficulty,
            aspect: f64::from(size.width) / f64::from(size.height),
            seconds: clock.seconds(),
        };
        let mut actors = vec![writer.target(&roles)];
        for model in 1..=roles.num_clutter {
            actors.push(writer.clutter(model, roles.has_occluder));
        }
        if roles.has_look_alike {
            actors.push(writer.clutter(0, roles.has_occluder));
        }
        if roles.has_occluder {
            let num_passes = (clock.seconds() / 2.5).round().max(1.0) as u32;
            for pass in 0..num_passes {
                actors.push(writer.occluder(1 + roles.num_clutter, pass, num_passes));
            }
        }
        let hand = difficulty.camera.max(0.0);
        let mut wander = |center, amplitude, period| Wander::new(rng, center, amplitude, period);
        Self {
            camera: Camera { size, focal: FOCAL },
            clock,
            roles,
            shutter: difficulty.shutter,
            actors,
            shift: [0; 2].map(|_| wander(0.0, 0.07 * hand, 4.0)),
            tremble: [0; 2].map(|_| wander(0.0, 0.003 * hand, 0.35)),
            roll: wander(0.0, 0.03 * hand, 5.0),
            zoom: wander(1.03, (0.06 * hand).min(0.5), 6.0),
            lights: LightChange::draw(rng, roles.is_relit, clock.seconds()),
        }
    }

    /// What the video needs.
    pub fn roles(&self) -> Roles {
        self.roles
    }

    /// The camera that takes it.
    pub fn camera(&self) -> Camera {
        self.camera
    }

    /// The middle of the exposure of frame `frame`, seconds.
    pub fn seconds_of(&self, frame: u64) -> f64 {
        frame as f64 / self.clock.fps
    }

    /// The scene at `seconds`; the target is its first object. `models` are as [`Roles`] counts them.
    ///
    /// # Panics
    /// If there are fewer models than [`Roles::num_models`].
    pub fn moment<'a>(&self, seconds: f64, models: &'a [Arc<Model>]) -> Moment<'a> {
        let target = &self.actors[0];
        let instances = self.actors.iter().filter_map(|actor| {
            let at = actor.at(seconds, target);
            // Those outside the image by more than their size are left out, but for the target.
            let reach =
                0.5 * f64::from(self.camera.size.width) / f64::from(self.camera.size.height);
            let size = actor.log_size.at(seconds).exp() as f32;
            let is_near = f64::from(at.x.abs().max(at.y.abs()) - size) < reach + 0.3;
            let is_target = std::ptr::eq(actor, target);
            (is_near || is_target).then(|| Instance {
                model: &models[actor.model],
                pose: actor.pose(seconds, target, &self.camera),
            })
        });
        let light = self.lights.at(seconds);
        Moment {
            instances: instances.collect(),
            lighting: lighting(&light),
            warp: self.warp(seconds),
        }
    }

    /// The scene at a few times while the shutter is open for frame `frame`: one where nothing moves
    /// by a pixel, else four or eight. And how many samples a pixel's side then needs.
    pub fn exposure<'a>(&self, frame: u64, models: &'a [Arc<Model>]) -> (Vec<Moment<'a>>, u32) {
        let middle = self.seconds_of(frame);
        let open = (self.shutter / 30.0).min(1.0 / self.clock.fps);
        let travel = self.travel_px(middle, open);
        let count = match travel {
            travel if travel < 1.0 => return (vec![self.moment(middle, models)], 2),
            travel if travel < 9.0 => 4,
            _ => 8,
        };
        let at = |place: u32| middle + open * ((f64::from(place) + 0.5) / f64::from(count) - 0.5);
        (
            (0..count)
                .map(|place| self.moment(at(place), models))
                .collect(),
            1,
        )
    }

    /// The light, and the target's azimuth and elevation in radians, at `seconds`.
    pub fn target_state(&self, seconds: f64) -> (LightTruth, f64, f64) {
        let target = &self.actors[0];
        let pose = target.pose(seconds, target, &self.camera);
        (
            self.lights.at(seconds),
            target.azimuth_at(seconds),
            f64::from(pose.elevation),
        )
    }

    /// How fast the target moves at its fastest, heights of the image a second.
    pub fn target_speed(&self) -> f64 {
        let target = &self.actors[0];
        let steps = (0..self.clock.num_frames).map(|frame| {
            let (now, next) = (self.seconds_of(frame), self.seconds_of(frame + 1));
            f64::from((target.at(next, target) - target.at(now, target)).length()) * self.clock.fps
        });
        steps.fold(0.0, f64::max)
    }

    /// Radians a second by which the target turns.
    pub fn target_turn(&self) -> f64 {
        self.actors[0].turn.abs()
    }

    fn warp(&self, seconds: f64) -> Warp {
        let [x, y] =
            [0, 1].map(|axis| self.shift[axis].at(seconds) + self.tremble[axis].at(seconds));
        let shift = Vec2::new(x as f32, y as f32);
        Warp::new(
            shift,
            self.roll.at(seconds) as f32,
            self.zoom.at(seconds) as f32,
        )
    }

    /// How far the fastest point of any object goes in the image in `open` seconds, px.
    fn travel_px(&self, middle: f64, open: f64) -> f64 {
        let (start, end) = (middle - open / 2.0, middle + open / 2.0);
        let target = &self.actors[0];
        let height = f64::from(self.camera.size.height);
        let of_actor = |actor: &Actor| {
            let (before, after) = (actor.at(start, target), actor.at(end, target));
            let shifted = self.warp(end).apply(after) - self.warp(start).apply(before);
            let size = actor.log_size.at(middle).exp();
            let turned = (actor.azimuth_at(end) - actor.azimuth_at(start)).abs() * size / 2.0;
            f64::from(shifted.length()) + turned
        };
        height * self.actors.iter().map(of_actor).fold(0.0, f64::max)
    }
}

impl Actor {
    fn at(&self, seconds: f64, target: &Actor) -> Vec2 {
        let wandering = |wander: &[Wander; 2], seconds: f64| {
            Vec2::new(wander[0].at(seconds) as f32, wander[1].at(seconds) as f32)
        };
        match &self.way {
            Way::Wander(wander) => wandering(wander, seconds),
            Way::Leave {
                wander,
                direction,
                start,
                length,
            } => {
                let away = there_and_back(seconds, *start, *length) as f32;
                wandering(wander, seconds) * (1.0 - away) + *direction * away
            }
            Way::Pass {
                seconds: meeting,
                per_second,
            } => target.at(*meeting, target) + *per_second * (seconds - meeting) as f32,
        }
    }

    fn azimuth_at(&self, seconds: f64) -> f64 {
        self.azimuth + self.turn * seconds + self.sway.at(seconds)
    }

    fn pose(&self, seconds: f64, target: &Actor, camera: &Camera) -> Pose {
        let size = self.log_size.at(seconds).exp() as f32;
        // Of a sphere of radius 1 whose picture is as large.
        let distance_in_radii = 2.0 * camera.focal / size;
        let target_distance = 2.0 * camera.focal / target.log_size.at(seconds).exp() as f32;
        let distance = match self.depth {
            Depth::Target => distance_in_radii,
            Depth::Behind => (target_distance + 1.3) / (1.0 - 1.0 / distance_in_radii.max(1.5)),
            Depth::Before => (target_distance - 1.1).max(0.3) / (1.0 + 1.0 / distance_in_radii),
        };
        let at = self.at(seconds, target);
        Pose {
            center: camera.point_at(at, distance),
            radius: distance / distance_in_radii.max(1.2),
            azimuth: self.azimuth_at(seconds) as f32,
            elevation: self.elevation.at(seconds) as f32,
            tilt: self.tilt.at(seconds) as f32,
        }
    }
}

/// Draws the actors of one video.
struct Writer<'a> {
    rng: &'a mut ChaCha8Rng,
    difficulty: &'a Difficulty,
    /// Width over height of the image.
    aspect: f64,
    seconds: f64,
}

impl Writer<'_> {
    fn wander(&mut self, center: f64, amplitude: f64, period: f64) -> Wander {
        Wander::new(self.rng, center, amplitude, period)
    }

    /// An actor that wanders about (`x`, `y`).
    fn actor(&mut self, model: usize, x: [f64; 2], y: [f64; 2], size: f64) -> Actor {
        let speed = self.difficulty.speed.max(0.01);
        let turn = self.difficulty.turn.to_radians();
        let sign = if self.rng.random_range(0.0..1.0) < 0.5 {
            -1.0
        } else {
            1.0
        };
        // The sway adds up to a quarter of the most: six times its amplitude a second at its fastest.
        let sway = turn / 24.0;
        let turn = sign * turn * self.rng.random_range(0.3..0.75);
        let scaling = 0.4 * self.difficulty.scaling;
        let elevation = self.rng.random_range(0.08..0.6);
        let azimuth = self.rng.random_range(0.0..std::f64::consts::TAU);
        Actor {
            model,
            way: Way::Wander([
                self.wander(x[0], x[1], 5.0 / speed),
                self.wander(y[0], y[1], 6.0 / speed),
            ]),
            log_size: self.wander(size.ln(), scaling, 5.0),
            depth: Depth::Target,
            azimuth,
            turn,
            sway: self.wander(0.0, sway, 2.0),
            elevation: self.wander(elevation, 0.12, 6.0),
            tilt: self.wander(0.0, 0.06, 4.0),
        }
    }

    fn target(&mut self, roles: &Roles) -> Actor {
        let size = self.rng.random_range(TARGET_SIZE);
        let room = |side: f64| (side / 2.0 - 0.3 * size).max(0.05);
        let (x, y) = ([0.0, room(self.aspect)], [0.0, 0.8 * room(1.0)]);
        let mut target = self.actor(0, x, y, size);
        if roles.leaves {
            let length = self.rng.random_range(1.6..2.6_f64).min(0.8 * self.seconds);
            // The first frame shows it, as a tracker must be told what to follow.
            let latest = (self.seconds - length).max(0.35);
            let start = self.rng.random_range(0.3..latest.max(0.31));
            let side = if self.rng.random_range(0.0..1.0) < 0.5 {
                -1.0
            } else {
                1.0
            };
            let slant = self.rng.random_range(-0.3..0.3);
            let away =
                self.aspect / 2.0 + 0.5 * size * (0.4 * self.difficulty.scaling).exp() + 0.25;
            if let Way::Wander(wander) = target.way {
                target.way = Way::Leave {
                    wander,
                    direction: Vec2::new((side * away) as f32, slant as f32),
                    start,
                    length,
                };
            }
        }
        target
    }

    fn clutter(&mut self, model: usize, may_be_before: bool) -> Actor {
        let size = self.rng.random_range(0.22..0.5);
        let x = self.rng.random_range(-0.42..0.42) * self.aspect;
        let y = self.rng.random_range(-0.35..0.35);
        let mut actor = self.actor(model, [x, 0.22 * self.aspect], [y, 0.18], size);
        let is_before = may_be_before && self.rng.random_range(0.0..1.0) < 0.3;
        actor.depth = if is_before {
            Depth::Before
        } else {
            Depth::Behind
        };
        actor
    }

    fn occluder(&mut self, model: usize, pass: u32, num_passes: u32) -> Actor {
        let size = self.rng.random_range(0.45..0.8);
        let mut actor = self.actor(model, [0.0, 0.0], [0.0, 0.0], size);
        let part = self.seconds / f64::from(num_passes);
        let seconds = part * (f64::from(pass) + self.rng.random_range(0.4..0.8));
        let angle = self.rng.random_range(-0.5..0.5);
        let sign = if self.rng.random_range(0.0..1.0) < 0.5 {
            -1.0
        } else {
            1.0
        };
        let speed = sign * self.rng.random_range(0.7..1.6) * self.difficulty.speed.clamp(0.3, 3.0);
        let per_second = Vec2::from_angle(angle as f32) * speed as f32;
        actor.way = Way::Pass {
            seconds,
            per_second,
        };
        actor.depth = Depth::Before;
        actor
    }
}

impl LightChange {
    fn draw(rng: &mut ChaCha8Rng, is_relit: bool, seconds: f64) -> Self {
        let from = draw_light(rng);
        let to = if is_relit { draw_light(rng) } else { from };
        let length = rng.random_range(0.15..1.5_f64).min(seconds.max(0.1));
        let start = rng.random_range(0.2..0.8) * seconds - length / 2.0;
        Self {
            from,
            to,
            start,
            length,
        }
    }

    fn at(&self, seconds: f64) -> LightTruth {
        let share = ease(seconds, self.start, self.length);
        let mix = |from: f64, to: f64| from + (to - from) * share;
        let band = |band: usize| mix(self.from.color[band], self.to.color[band]);
        LightTruth {
            azimuth: mix(self.from.azimuth, self.to.azimuth),
            elevation: mix(self.from.elevation, self.to.elevation),
            color: [band(0), band(1), band(2)],
            strength: mix(self.from.strength, self.to.strength),
        }
    }
}

fn draw_light(rng: &mut ChaCha8Rng) -> LightTruth {
    let warmth = rng.random_range(-0.25..0.35_f64);
    LightTruth {
        azimuth: rng.random_range(-110.0..110.0),
        elevation: rng.random_range(20.0..75.0),
        color: [
            1.0 + warmth.min(0.0),
            1.0 - 0.35 * warmth.abs(),
            1.0 - warmth.max(0.0),
        ],
        strength: rng.random_range(0.45..1.15),
    }
}

/// A lamp as `light` says, the sky in its colour, and the light that comes back from the ground.
pub(super) fn lighting(light: &LightTruth) -> Lighting {
    let color = Vec3::from_array(light.color.map(|band| band as f32)) * light.strength as f32;
    let (azimuth, elevation) = (light.azimuth.to_radians(), light.elevation.to_radians());
    Lighting {
        lights: vec![Light::from_angles(
            azimuth as f32,
            elevation as f32,
            color * 0.8,
        )],
        sky: color.lerp(Vec3::splat(light.strength as f32), 0.5) * 0.42,
        ground: color * 0.2,
    }
}
