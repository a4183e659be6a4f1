//! Draws the actors of a script at random.

use std::f64::consts::TAU;

use glam::Vec2;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Difficulty;
use super::actor::{Actor, Depth, Motion};
use super::curves::Wander;

/// Range of the target's size, image heights.
const TARGET_SIZE: std::ops::Range<f64> = 0.34..0.62;

/// Draws the actors of one video.
pub(super) struct ActorSampler<'a> {
    pub rng: ChaCha8Rng,
    pub difficulty: &'a Difficulty,
    /// Aspect ratio of the image: width / height.
    pub aspect: f64,
    /// Duration of the video, seconds.
    pub seconds: f64,
}

impl ActorSampler<'_> {
    pub fn wander(&mut self, center: f64, amplitude: f64, period_secs: f64) -> Wander {
        Wander::new(&mut self.rng, center, amplitude, period_secs)
    }

    fn happens(&mut self, share: f64) -> bool {
        self.rng.random_range(0.0..1.0) < share
    }

    fn sign(&mut self) -> f64 {
        if self.happens(0.5) { -1.0 } else { 1.0 }
    }

    /// An actor that wanders; `x` and `y` are the centre and the amplitude.
    fn actor(&mut self, model: usize, x: [f64; 2], y: [f64; 2], size: f64) -> Actor {
        let speed = self.difficulty.speed.max(0.01);
        let max_turn = self.difficulty.turn.to_radians();
        let turn = self.sign() * max_turn * self.rng.random_range(0.3..0.75);
        let elevation = self.rng.random_range(0.08..0.6);
        let azimuth = self.rng.random_range(0.0..TAU);
        Actor {
            model,
            motion: Motion::Wander([
                self.wander(x[0], x[1], 5.0 / speed),
                self.wander(y[0], y[1], 6.0 / speed),
            ]),
            log_size: self.wander(size.ln(), 0.4 * self.difficulty.scaling, 5.0),
            depth: Depth::Target,
            azimuth,
            turn,
            // The sway rotates by at most six times its amplitude per second: a quarter of the maximum.
            sway: self.wander(0.0, max_turn / 24.0, 2.0),
            elevation: self.wander(elevation, 0.12, 6.0),
            tilt: self.wander(0.0, 0.06, 4.0),
        }
    }

    /// The target, which leaves the image for a while if `leaves`.
    pub fn target(&mut self, leaves: bool) -> Actor {
        let size = self.rng.random_range(TARGET_SIZE);
        let room = |side: f64| (side / 2.0 - 0.3 * size).max(0.05);
        let (x, y) = ([0.0, room(self.aspect)], [0.0, 0.8 * room(1.0)]);
        let mut target = self.actor(0, x, y, size);
        if leaves && let Motion::Wander(wander) = target.motion {
            let length = self.rng.random_range(1.6..2.6_f64).min(0.8 * self.seconds);
            // The first frame must show the target: trackers are initialised there.
            let latest = (self.seconds - length).max(0.35);
            let start = self.rng.random_range(0.3..latest.max(0.31));
            let side = self.sign();
            let slant = self.rng.random_range(-0.3..0.3);
            let away =
                self.aspect / 2.0 + 0.5 * size * (0.4 * self.difficulty.scaling).exp() + 0.25;
            target.motion = Motion::Leave {
                wander,
                outside: Vec2::new((side * away) as f32, slant as f32),
                start,
                length,
            };
        }
        target
    }

    /// An object beside the target. With an occluder in the video, some of the clutter stands in front of the target.
    pub fn clutter(&mut self, model: usize, has_occluder: bool) -> Actor {
        let size = self.rng.random_range(0.22..0.5);
        let x = self.rng.random_range(-0.42..0.42) * self.aspect;
        let y = self.rng.random_range(-0.35..0.35);
        let mut actor = self.actor(model, [x, 0.22 * self.aspect], [y, 0.18], size);
        actor.depth = if has_occluder && self.happens(0.3) {
            Depth::Before
        } else {
            Depth::Behind
        };
        actor
    }

    /// An object that passes in front of the target in part `pass` of `num_passes` equal parts of the video.
    pub fn occluder(&mut self, model: usize, pass: u32, num_passes: u32) -> Actor {
        let size = self.rng.random_range(0.45..0.8);
        let mut actor = self.actor(model, [0.0, 0.0], [0.0, 0.0], size);
        let part = self.seconds / f64::from(num_passes);
        let seconds = part * (f64::from(pass) + self.rng.random_range(0.4..0.8));
        let angle = self.rng.random_range(-0.5..0.5);
        let speed =
            self.sign() * self.rng.random_range(0.7..1.6) * self.difficulty.speed.clamp(0.3, 3.0);
        actor.motion = Motion::Pass {
            seconds,
            per_second: Vec2::from_angle(angle as f32) * speed as f32,
        };
        actor.depth = Depth::Before;
        actor
    }
}
