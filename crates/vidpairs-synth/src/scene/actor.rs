//! An object of a script: its position, size and pose at any time.

use glam::Vec2;

use super::curves::{Wander, pulse};
use crate::render::{Camera, Pose};

/// An object of a script.
///
/// Positions and sizes are in image heights; positions are relative to the image centre, right and down.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    /// Index into the models; the target's is 0.
    pub model: usize,
    pub motion: Motion,
    /// Natural logarithm of the diameter of the bounding sphere.
    pub log_size: Wander,
    pub depth: Depth,
    /// Azimuth at time 0 without the sway, radians.
    pub azimuth: f64,
    /// Mean rotation speed, radians per second.
    pub turn: f64,
    /// Oscillation of the azimuth, radians.
    pub sway: Wander,
    /// Elevation of the camera above the object's horizon, radians.
    pub elevation: Wander,
    /// Roll in the image, radians.
    pub tilt: Wander,
}

/// Motion of an actor in the image.
#[derive(Debug, Clone)]
pub(super) enum Motion {
    /// Stays near a centre.
    Wander([Wander; 2]),
    /// Wanders, but moves out of the image to `outside` and back, from `start` on for `length` seconds.
    Leave {
        wander: [Wander; 2],
        outside: Vec2,
        start: f64,
        length: f64,
    },
    /// Crosses the image in a straight line and meets the target at `seconds`.
    Pass { seconds: f64, per_second: Vec2 },
}

/// Distance of an actor from the camera; the distance does not change the actor's size in the image.
#[derive(Debug, Clone, Copy)]
pub(super) enum Depth {
    /// The distance at which the target, with a radius of 1, has its size in the image.
    Target,
    /// Behind the target, far enough never to touch it.
    Behind,
    /// In front of the target, far enough never to touch it.
    Before,
}

impl Actor {
    /// Position at `seconds`.
    pub fn at(&self, seconds: f64, target: &Actor) -> Vec2 {
        let wandering =
            |[x, y]: &[Wander; 2]| Vec2::new(x.at(seconds) as f32, y.at(seconds) as f32);
        match &self.motion {
            Motion::Wander(wander) => wandering(wander),
            Motion::Leave {
                wander,
                outside,
                start,
                length,
            } => {
                let away = pulse(seconds, *start, *length) as f32;
                wandering(wander) * (1.0 - away) + *outside * away
            }
            Motion::Pass {
                seconds: meeting,
                per_second,
            } => target.at(*meeting, target) + *per_second * (seconds - meeting) as f32,
        }
    }

    /// Diameter of the bounding sphere at `seconds`.
    pub fn size_at(&self, seconds: f64) -> f64 {
        self.log_size.at(seconds).exp()
    }

    /// Azimuth at `seconds`, radians.
    pub fn azimuth_at(&self, seconds: f64) -> f64 {
        self.azimuth + self.turn * seconds + self.sway.at(seconds)
    }

    /// Pose in front of `camera` at `seconds`.
    pub fn pose(&self, seconds: f64, target: &Actor, camera: &Camera) -> Pose {
        // Distance at which a sphere of radius 1 has the actor's size in the image.
        let unit_distance = |actor: &Actor| 2.0 * camera.focal / actor.size_at(seconds) as f32;
        let (in_radii, to_target) = (unit_distance(self), unit_distance(target));
        let distance = match self.depth {
            Depth::Target => in_radii,
            Depth::Behind => (to_target + 1.3) / (1.0 - 1.0 / in_radii.max(1.5)),
            Depth::Before => (to_target - 1.1).max(0.3) / (1.0 + 1.0 / in_radii),
        };
        Pose {
            center: camera.point_at(self.at(seconds, target), distance),
            radius: distance / in_radii.max(1.2),
            azimuth: self.azimuth_at(seconds) as f32,
            elevation: self.elevation.at(seconds) as f32,
            tilt: self.tilt.at(seconds) as f32,
        }
    }
}
