//! Exposure and development: sums the light at every pixel, and converts it to sRGB with sensor noise.

use std::sync::LazyLock;

use glam::{Vec2, Vec3, Vec4};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::{RgbImage, Seed, SizePx};

use super::Warp;
use super::backdrop::Behind;
use super::surface::Sampling;
use crate::color::srgb_level_from_linear;

/// Sensor of the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensor {
    /// Standard deviation of the noise, levels of 255.
    pub noise: f32,
}

/// Standard normal numbers, reused: drawing new ones for every pixel would cost more than rendering.
static NORMALS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut rng = Seed::of_run(0).for_step("noise", "").rng();
    let mut unit = || rng.random::<f32>().max(1e-7);
    // Box-Muller transform (1958).
    (0..1 << 16)
        .map(|_| (-2.0 * unit().ln()).sqrt() * (std::f32::consts::TAU * unit()).cos())
        .collect()
});

/// Layers of an exposure, from back to front.
pub(super) struct Layers<'a> {
    pub behind: &'a Behind,
    pub warp: Warp,
    /// Share of the backdrop's light outside shadows, per pixel.
    pub shadows: &'a [f32],
    /// Premultiplied light and coverage, per sample.
    pub colors: &'a [Vec4],
}

/// Sum over the samples of a pixel.
fn sum_of_pixel(colors: &[Vec4], sampling: &Sampling, x: usize, y: usize) -> Vec4 {
    let per_side = sampling.per_side as usize;
    let rows = y * per_side..(y + 1) * per_side;
    let sums = rows.map(|row| {
        let first = row * sampling.width + x * per_side;
        colors[first..first + per_side].iter().sum::<Vec4>()
    });
    sums.sum()
}

/// Linear light of every pixel.
pub(super) struct Film {
    size: SizePx,
    light: Vec<Vec3>,
}

impl Film {
    pub fn new(size: SizePx) -> Self {
        Self {
            size,
            light: vec![Vec3::ZERO; size.area() as usize],
        }
    }

    pub fn clear(&mut self) {
        self.light.fill(Vec3::ZERO);
    }

    /// Adds `share` of the light of `layers`.
    pub fn expose(&mut self, layers: &Layers<'_>, sampling: &Sampling, share: f32) {
        let per_side = sampling.per_side as usize;
        let weight = share / (per_side * per_side) as f32;
        let (width, warp) = (self.size.width as usize, layers.warp);
        // The warp is affine: its steps along a row and along a column define it.
        let on_plane = |x: f32, y: f32| {
            let px = Vec2::new(x + 0.5, y + 0.5) + sampling.offset;
            warp.undo(sampling.camera.plane_from_px(px))
        };
        let origin = on_plane(0.0, 0.0);
        let (across, down) = (on_plane(1.0, 0.0) - origin, on_plane(0.0, 1.0) - origin);
        for (y, row) in self.light.chunks_mut(width).enumerate() {
            let start = origin + down * y as f32;
            for (x, light) in row.iter_mut().enumerate() {
                let sum = if per_side == 1 {
                    layers.colors[y * sampling.width + x]
                } else {
                    sum_of_pixel(layers.colors, sampling, x, y)
                };
                *light += sum.truncate() * weight;
                let uncovered = share - sum.w * weight;
                if uncovered > share * 1e-3 {
                    let behind = layers.behind.light_at(start + across * x as f32);
                    *light += behind * (uncovered * layers.shadows[y * width + x]);
                }
            }
        }
    }

    /// Image with sensor noise.
    pub fn develop(&self, sensor: &Sensor, rng: &mut ChaCha8Rng) -> RgbImage {
        let normals = NORMALS.as_slice();
        let mut pixels = Vec::with_capacity(3 * self.light.len());
        for row in self.light.chunks(self.size.width as usize) {
            let mut next = rng.random::<u32>() as usize;
            let mut normal = || {
                next = next.wrapping_add(1);
                normals[next & (normals.len() - 1)]
            };
            for light in row {
                // Most of the noise is common to the three colours, as after the processing in a camera.
                let common = 0.8 * normal();
                let mut level = |light: f32| {
                    let noise = common + 0.6 * normal();
                    (srgb_level_from_linear(light) + sensor.noise * noise + 0.5) as u8
                };
                let pixel = [level(light.x), level(light.y), level(light.z)];
                pixels.extend_from_slice(&pixel);
            }
        }
        RgbImage {
            size: self.size,
            pixels,
        }
    }
}
