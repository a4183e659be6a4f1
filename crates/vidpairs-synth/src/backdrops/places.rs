//! Paints places: a floor and a wall with patterns and panels.

use fastnoise_lite::{FastNoiseLite, FractalType, NoiseType};
use glam::{Vec2, Vec3};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::{RgbImage, Seed, SizePx};

use crate::color::srgb_from_linear;

/// Colours of floors and walls, linear RGB: plaster, concrete, light and dark wood, brick, sand, grass, blue paint,
/// stone, carpet.
const SURFACES: [Vec3; 10] = [
    Vec3::new(0.55, 0.52, 0.46),
    Vec3::new(0.28, 0.28, 0.27),
    Vec3::new(0.42, 0.27, 0.15),
    Vec3::new(0.16, 0.09, 0.05),
    Vec3::new(0.30, 0.12, 0.08),
    Vec3::new(0.45, 0.36, 0.23),
    Vec3::new(0.10, 0.17, 0.05),
    Vec3::new(0.17, 0.24, 0.33),
    Vec3::new(0.20, 0.19, 0.17),
    Vec3::new(0.22, 0.07, 0.07),
];

/// Pattern of a surface; the numbers are elements per unit of length.
#[derive(Clone, Copy)]
enum Pattern {
    Plain,
    /// Strips of different brightness.
    Planks(f32),
    /// Bricks or tiles with joints.
    Tiles(f32),
    /// Soft stripes.
    Stripes(f32),
}

/// Surface of a floor, a wall or a panel.
struct Covering {
    color: Vec3,
    second: Vec3,
    pattern: Pattern,
    /// Amplitude of the noise in the brightness.
    contrast: f32,
    /// Noise of low frequency.
    clouds: FastNoiseLite,
    /// Noise of high frequency.
    grain: FastNoiseLite,
}

/// The floor of a place, as the camera sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// Height at which the floor would end if it were endless.
    pub horizon: f32,
    /// Height at which it ends, at the wall; below the horizon.
    pub edge: f32,
}

impl Floor {
    /// Heights in picture heights below the upper border.
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let horizon = rng.random_range(0.15..0.6);
        let edge = horizon + rng.random_range(0.04..0.22_f32);
        Self { horizon, edge }
    }

    /// Floor of the place that [`paint`] paints with `seed`, in picture heights below the upper border.
    pub(super) fn of(seed: Seed) -> Self {
        Self::draw(&mut seed.rng())
    }
}

/// Rectangle on the wall, image heights from the upper left corner.
struct Panel {
    low: Vec2,
    high: Vec2,
    covering: Covering,
}

/// Paints a place of `size`: a floor in perspective, and above it a wall with panels.
pub fn paint(seed: Seed, size: SizePx) -> RgbImage {
    let mut rng = seed.rng();
    let Floor {
        horizon,
        edge: base,
    } = Floor::draw(&mut rng);
    let (floor, wall) = (Covering::draw(&mut rng), Covering::draw(&mut rng));
    let aspect = size.width as f32 / size.height as f32;
    let num_panels = rng.random_range(0..6);
    let panels: Vec<Panel> = (0..num_panels)
        .map(|_| Panel::draw(&mut rng, aspect, base))
        .collect();
    let lit_from = rng.random_range(0.0..1.0_f32) * aspect;
    let mut pixels = Vec::with_capacity(3 * size.area() as usize);
    for row in 0..size.height {
        for column in 0..size.width {
            let at = Vec2::new(column as f32, row as f32) / size.height as f32;
            let mut light = if at.y > base {
                // Distance on the floor, which ends at the horizon.
                let depth = 0.35 / (at.y - horizon);
                let near = (at.y - base) / (1.0 - base);
                floor.light(Vec2::new((at.x - aspect / 2.0) * depth * 3.0, depth * 3.0))
                    * (0.6 + 0.4 * near)
            } else {
                let panel = panels.iter().rev().find(|panel| panel.holds(at));
                let covering = panel.map_or(&wall, |panel| &panel.covering);
                let corner = ((base - at.y) * 14.0).min(1.0); // dark where wall and floor meet
                covering.light(at * 3.0) * (0.7 + 0.3 * corner)
            };
            let away = (at.x - lit_from).abs() / aspect;
            light *= 1.1 - 0.5 * away * away;
            pixels.extend(light.to_array().map(srgb_from_linear));
        }
    }
    RgbImage { size, pixels }
}

impl Covering {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut tint = || {
            let color = *SURFACES.choose(rng).expect("SURFACES has ten colours");
            let shift = Vec3::new(
                rng.random_range(0.85..1.15),
                rng.random_range(0.9..1.1),
                rng.random_range(0.85..1.15),
            );
            color * shift * rng.random_range(0.5..1.1_f32)
        };
        let color = tint();
        let second = color.lerp(tint(), 0.35) * 0.7;
        let scale = rng.random_range(1.0..5.0_f32);
        let pattern = match rng.random_range(0..4) {
            0 => Pattern::Plain,
            1 => Pattern::Planks(scale),
            2 => Pattern::Tiles(scale),
            _ => Pattern::Stripes(scale),
        };
        let mut noise = |frequency: f32, octaves: i32| {
            let mut noise = FastNoiseLite::with_seed(rng.random::<i32>());
            noise.set_noise_type(Some(NoiseType::OpenSimplex2));
            noise.set_frequency(Some(frequency));
            noise.set_fractal_type(Some(FractalType::FBm));
            noise.set_fractal_octaves(Some(octaves));
            noise
        };
        let (clouds, grain) = (noise(0.9, 3), noise(14.0, 2));
        Self {
            color,
            second,
            pattern,
            contrast: rng.random_range(0.08..0.4),
            clouds,
            grain,
        }
    }

    fn light(&self, at: Vec2) -> Vec3 {
        let clouds = self.clouds.get_noise_2d(at.x, at.y);
        let (share, stretch) = match self.pattern {
            Pattern::Plain => (0.0, Vec2::ONE),
            Pattern::Planks(scale) => {
                let plank = (at.x * scale).floor();
                let edge = (at.x * scale - plank - 0.5).abs() * 2.0;
                let shade = hash(plank, 0.0) * 0.5;
                (if edge > 0.96 { 0.9 } else { shade }, Vec2::new(1.0, 0.15))
            }
            Pattern::Tiles(scale) => {
                let row = (at.y * scale).floor();
                let column = (at.x * scale * 0.6 + 0.5 * (row % 2.0)).floor();
                let across = (at.x * scale * 0.6 + 0.5 * (row % 2.0) - column - 0.5).abs() * 2.0;
                let along = (at.y * scale - row - 0.5).abs() * 2.0;
                let is_joint = across > 0.94 || along > 0.9;
                let shade = 0.3 * hash(column, row);
                (if is_joint { 1.0 } else { shade }, Vec2::ONE)
            }
            Pattern::Stripes(scale) => {
                let phase = at.x * scale * 3.0 + 0.8 * clouds;
                (0.5 + 0.5 * phase.sin(), Vec2::ONE)
            }
        };
        let grain = self.grain.get_noise_2d(at.x * stretch.x, at.y * stretch.y);
        let brightness = 1.0 + self.contrast * (clouds + 0.5 * grain);
        self.color.lerp(self.second, share) * brightness.max(0.1)
    }
}

impl Panel {
    fn draw(rng: &mut ChaCha8Rng, aspect: f32, base: f32) -> Self {
        let size = Vec2::new(
            rng.random_range(0.12..0.5),
            rng.random_range(0.12..0.6) * base.max(0.2),
        );
        let middle = Vec2::new(
            rng.random_range(0.0..aspect),
            rng.random_range(0.1..0.85) * base,
        );
        Self {
            low: middle - size / 2.0,
            high: middle + size / 2.0,
            covering: Covering::draw(rng),
        }
    }

    fn holds(&self, at: Vec2) -> bool {
        at.cmpge(self.low).all() && at.cmple(self.high).all()
    }
}

/// Pseudorandom number of a cell, `0.0..=1.0`.
fn hash(x: f32, y: f32) -> f32 {
    let combined = (x as i32).wrapping_mul(0x2c1b_3c6d) ^ (y as i32).wrapping_mul(0x297a_2d39);
    let mixed = (combined ^ (combined >> 15)).wrapping_mul(0x1b87_3593);
    ((mixed >> 8) & 0xffff) as f32 / 65535.0
}
