//! Soft shadow of an object on the ground it stands on.

use glam::{Vec2, Vec3};

use super::surface::depths;
use super::{Camera, Instance, Moment};
use crate::mesh::Mesh;
use crate::raster::scan;

/// Cells along a side of a layer.
const SIDE: usize = 64;
/// Half the side of a layer, object radii; more than 1, for the blur.
const HALF: f32 = 1.5;
/// Lower ends of the layers, shares of the object's height; the last layer ends at the top.
const FLOORS: [f32; 6] = [0.0, 0.06, 0.16, 0.32, 0.55, 0.8];
/// Cells along a side of the shaded ground.
const SHADE_SIDE: usize = 80;
/// Half the side of the shaded ground, object radii.
const REACH: f32 = 2.4;
/// Share of the light that the ground loses where an object touches it.
const CONTACT: f32 = 0.45;
/// Share of the light that the ground loses in the shadow of the first lamp.
const CAST: f32 = 0.55;
/// Sine of the smallest elevation of the lamp that is used: lower lamps would cast endless shadows.
const LOWEST: f32 = 0.35;

/// An object seen from above, in layers of height.
///
/// Each layer casts its own shadow, displaced away from the lamp. Higher layers cast softer shadows.
#[derive(Debug)]
pub struct Footprint {
    layers: Vec<Layer>,
    /// Half the object's height, object radii.
    half_height: f32,
}

#[derive(Debug)]
struct Layer {
    /// Height of the middle of the layer above the ground, object radii.
    height: f32,
    /// Covered share of the ground below the layer, after the blur.
    cover: Grid,
}

impl Footprint {
    pub(super) fn of(mesh: &Mesh) -> Self {
        let half_height = mesh.half_size.y;
        let columns = columns(mesh);
        let ceilings = FLOORS[1..].iter().copied().chain([1.0]);
        let layers = FLOORS.iter().zip(ceilings).map(|(&floor, ceiling)| {
            let height_of = |share: f32| (2.0 * share - 1.0) * half_height;
            let (low, high) = (height_of(floor), height_of(ceiling));
            let is_filled = |&[bottom, top]: &[f32; 2]| bottom <= high && top >= low;
            let filled = columns.iter().map(is_filled);
            let mut cover: Vec<f32> = filled.map(|filled| f32::from(u8::from(filled))).collect();
            let height = (low + high) / 2.0 + half_height;
            let cells = (0.06 + 0.35 * height) * SIDE as f32 / (2.0 * HALF);
            blur(&mut cover, cells.round() as usize);
            let cover = Grid {
                side: SIDE,
                half: HALF,
                cells: cover,
            };
            Layer { height, cover }
        });
        Self {
            layers: layers.collect(),
            half_height,
        }
    }

    /// Share of the light that the ground around the object loses: [`SHADE_SIDE`] x [`SHADE_SIDE`] cells that extend
    /// [`REACH`] radii in each direction.
    ///
    /// - `lamp`: unit vector towards the lamp, in object space; `None` if no lamp is above the ground.
    fn shade(&self, lamp: Option<Vec3>) -> Grid {
        // Displacement of the shadow of a layer one radius above the ground.
        let throw = lamp.map_or(Vec2::ZERO, |lamp| {
            Vec2::new(lamp.x, lamp.z) / -lamp.y.max(LOWEST)
        });
        let cast = lamp.map_or(0.0, |lamp| CAST * (lamp.y / 0.2).min(1.0));
        let cell = |index: usize| {
            let (column, row) = (index % SHADE_SIDE, index / SHADE_SIDE);
            let share = Vec2::new(column as f32 + 0.5, row as f32 + 0.5) / SHADE_SIDE as f32;
            let at = (share * 2.0 - 1.0) * REACH;
            let lit: f32 = self
                .layers
                .iter()
                .map(|layer| 1.0 - layer.cover.at(at - throw * layer.height))
                .product();
            let lowest = self.layers.iter().take(2);
            let open: f32 = lowest.map(|layer| 1.0 - layer.cover.at(at)).product();
            CONTACT * (1.0 - open) + cast * (1.0 - lit)
        };
        Grid {
            side: SHADE_SIDE,
            half: REACH,
            cells: (0..SHADE_SIDE * SHADE_SIDE).map(cell).collect(),
        }
    }
}

/// Heights of the lowest and the highest point of the object above every cell of the ground.
fn columns(mesh: &Mesh) -> Vec<[f32; 2]> {
    let mut columns = vec![[f32::INFINITY, f32::NEG_INFINITY]; SIDE * SIDE];
    let mut add = |cell: usize, height: f32| {
        let [low, high] = columns[cell];
        columns[cell] = [low.min(height), high.max(height)];
    };
    for triangle in 0..mesh.num_opaque {
        let corners = mesh.corners(triangle).map(|vertex| {
            let at = cell_of(Vec2::new(vertex.position.x, vertex.position.z));
            Vec3::new(at.x, at.y, vertex.position.y)
        });
        scan(corners, SIDE, SIDE, |span| {
            for (x, height) in depths(span) {
                add(span.y * SIDE + x, height);
            }
        });
        // A wall is a line seen from above and covers no cell centre: points on its edges are added instead.
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            for step in 0..4 {
                let at = corners[from].lerp(corners[to], step as f32 / 4.0);
                let (x, y) = (at.x as usize, at.y as usize);
                add(y.min(SIDE - 1) * SIDE + x.min(SIDE - 1), at.z);
            }
        }
    }
    columns
}

/// Position in cells of a layer, from a position on the ground in object radii.
fn cell_of(ground: Vec2) -> Vec2 {
    (ground / (2.0 * HALF) + 0.5) * SIDE as f32
}

/// Applies two box filters of `radius` cells in both directions.
fn blur(cover: &mut [f32], radius: usize) {
    if radius == 0 {
        return;
    }
    let mut line = [0.0f32; SIDE];
    for _ in 0..2 {
        for (step, next_line) in [(1, SIDE), (SIDE, 1)] {
            for start in 0..SIDE {
                for (at, value) in line.iter_mut().enumerate() {
                    let cells = at.saturating_sub(radius)..(at + radius + 1).min(SIDE);
                    let cells = cells.map(|cell| cover[start * next_line + cell * step]);
                    *value = cells.sum::<f32>() / (2 * radius + 1) as f32;
                }
                for (at, &value) in line.iter().enumerate() {
                    cover[start * next_line + at * step] = value;
                }
            }
        }
    }
}

/// A square of the ground around an object, divided into cells.
#[derive(Debug)]
struct Grid {
    /// Cells along a side.
    side: usize,
    /// Half the side, object radii.
    half: f32,
    /// Values of the `side * side` cells, rows along z.
    cells: Vec<f32>,
}

impl Grid {
    /// Bilinear interpolation at `ground`, object radii; 0 outside the square.
    #[inline]
    fn at(&self, ground: Vec2) -> f32 {
        let at = (ground / (2.0 * self.half) + 0.5) * self.side as f32 - 0.5;
        let last = (self.side - 1) as f32;
        if !(at.x >= 0.0 && at.y >= 0.0 && at.x < last && at.y < last) {
            return 0.0;
        }
        let (column, row) = (at.x as usize, at.y as usize);
        let (dx, dy) = (at.x - column as f32, at.y - row as f32);
        let first = row * self.side + column;
        let (upper, lower) = (&self.cells[first..], &self.cells[first + self.side..]);
        let above = upper[0] + (upper[1] - upper[0]) * dx;
        let below = lower[0] + (lower[1] - lower[0]) * dx;
        above + (below - above) * dy
    }
}

/// Multiplies `shadows`, a share of light per pixel, by the share that the shadow of `instance` leaves.
pub(super) fn draw(
    instance: &Instance<'_>,
    moment: &Moment<'_>,
    camera: &Camera,
    shadows: &mut [f32],
) {
    let (pose, footprint) = (&instance.pose, &instance.model.footprint);
    let rotation = pose.rotation();
    let up = rotation.y_axis;
    let ground = pose.center - up * (footprint.half_height * pose.radius);
    // The ground is not visible from below or edge-on.
    let facing = -ground.normalize().dot(up);
    if facing < 0.05 {
        return;
    }
    let to_object = rotation.transpose();
    let light = moment.lighting.lights.first();
    let lamp = light.map(|light| to_object * light.direction);
    let shade = footprint.shade(lamp.filter(|lamp| lamp.y > 0.02));
    // Fades at flat viewing angles, where the shadow would shrink to a line.
    let strength = ((facing - 0.05) / 0.15).min(1.0);

    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, z)| {
        let point = ground + rotation * (Vec3::new(x, 0.0, z) * (REACH * pose.radius));
        let before = point.min(Vec3::new(f32::MAX, f32::MAX, -0.05));
        camera.project(before, moment.warp).truncate()
    });
    let low = corners.into_iter().fold(Vec2::INFINITY, Vec2::min);
    let high = corners.into_iter().fold(Vec2::NEG_INFINITY, Vec2::max);
    let (width, height) = (camera.size.width as usize, camera.size.height as usize);
    let range = |low: f32, high: f32, side: usize| {
        low.clamp(0.0, side as f32) as usize..high.ceil().clamp(0.0, side as f32) as usize
    };
    let plane = ground.dot(up);
    for y in range(low.y, high.y, height) {
        for x in range(low.x, high.x, width) {
            let ray = camera.ray(Vec2::new(x as f32 + 0.5, y as f32 + 0.5), moment.warp);
            let along = plane / ray.dot(up);
            if along > 0.0 {
                let at = to_object * (ray * along - ground) / pose.radius;
                let taken = strength * shade.at(Vec2::new(at.x, at.z));
                shadows[y * width + x] *= (1.0 - taken).max(0.08);
            } // otherwise the pixel is above the horizon
        }
    }
}
