//! Lighting of a scene and its change during a video.

use std::array;

use glam::Vec3;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::curves::ease;
use crate::render::{Light, Lighting};
use crate::truth::LightTruth;

/// Light that changes once from one state to another.
#[derive(Debug, Clone)]
pub(super) struct LightChange {
    from: LightTruth,
    to: LightTruth,
    /// Start of the change, seconds.
    start: f64,
    /// Duration of the change, seconds.
    length: f64,
}

impl LightChange {
    /// Draws the light of a video of `seconds`; it stays the same unless `is_relit`.
    pub fn draw(rng: &mut ChaCha8Rng, is_relit: bool, seconds: f64) -> Self {
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

    /// Light at `seconds`.
    pub fn at(&self, seconds: f64) -> LightTruth {
        let share = ease(seconds, self.start, self.length);
        let mix = |from: f64, to: f64| from + (to - from) * share;
        let (from, to) = (&self.from, &self.to);
        LightTruth {
            azimuth: mix(from.azimuth, to.azimuth),
            elevation: mix(from.elevation, to.elevation),
            color: array::from_fn(|band| mix(from.color[band], to.color[band])),
            strength: mix(from.strength, to.strength),
        }
    }
}

/// Draws a light: from before the objects or from a side, from low to high, warm or cold.
pub(super) fn draw_light(rng: &mut ChaCha8Rng) -> LightTruth {
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

/// Lighting of a scene: one lamp as `light` describes it, a sky tinted with its colour, and light reflected by the ground.
pub(super) fn lighting(light: &LightTruth) -> Lighting {
    let color = Vec3::from_array(light.color.map(|band| band as f32)) * light.strength as f32;
    let [azimuth, elevation] =
        [light.azimuth, light.elevation].map(|degrees| degrees.to_radians() as f32);
    Lighting {
        lights: vec![Light::from_angles(azimuth, elevation, color * 0.8)],
        sky: color.lerp(Vec3::splat(light.strength as f32), 0.5) * 0.42,
        ground: color * 0.2,
    }
}
