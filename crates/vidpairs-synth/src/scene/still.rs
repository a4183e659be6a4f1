//! Still scenes: objects that stand on the floor of a place, as a photographer of the room sees them.
//!
//! The camera looks down or up so far that the horizon of the floor has the height that the backdrop shows. Objects have their own
//! sizes, compressed so that a bottle beside a car is still visible, and stand at drawn distances; their footprints do not overlap.
//! Nearer objects hide farther ones.

use std::f32::consts::TAU;
use std::sync::Arc;

use glam::{Vec2, Vec3};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::{Seed, SizePx};

use super::light::{draw_light, lighting};
use crate::backdrops::Floor;
use crate::render::{Camera, Instance, Model, Moment, Pose, Warp};
use crate::truth::LightTruth;

/// Focal length, image heights: a vertical field of view of about 39 degrees.
const FOCAL: f32 = 1.4;
/// Diameter of an object's bounding sphere in the image, image heights; drawn log-uniformly. A near object may be larger than the
/// image, and a far one be a small part of it.
const SIZES: [f32; 2] = [0.07, 1.1];
/// Radius to which the radii of all objects are compressed, metres: half of them in the logarithm.
const USUAL_RADIUS: f32 = 0.55;
/// Smallest and largest compressed radius, metres.
const RADII: [f32; 2] = [0.3, 1.3];
/// Lowest place of an object's foot, image heights below the image centre: a little below the image.
const LOWEST_FOOT: f32 = 0.58;
/// Distance of the nearest object, radii of its bounding sphere.
const NEAREST_IN_RADII: f32 = 1.5;
/// Places tried for an object.
const MAX_PLACES: u32 = 40;

/// Camera of every scene, for images of `size`.
pub fn camera(size: SizePx) -> Camera {
    Camera { size, focal: FOCAL }
}

/// Radius of the bounding sphere of an object of a scene, metres, from the sides of the object, cm.
pub fn radius_m(size_cm: Option<[f32; 3]>) -> f32 {
    let own = size_cm.map_or(USUAL_RADIUS, |sides| Vec3::from(sides).length() / 200.0);
    (USUAL_RADIUS * own).sqrt().clamp(RADII[0], RADII[1])
}

/// An object to place.
#[derive(Debug, Clone)]
pub struct Prop {
    /// Model of the object.
    pub model: Arc<Model>,
    /// Radius of its bounding sphere, metres.
    pub radius: f32,
}

/// A drawn scene.
#[derive(Debug, Clone)]
pub struct Still {
    /// Index and pose of every object that found a place, in the order of the objects.
    pub placed: Vec<(usize, Pose)>,
    /// Light of the scene.
    pub light: LightTruth,
}

impl Still {
    /// Draws places, turns and light of `props` on `floor`. An object that finds no place beside the others is left out.
    ///
    /// - `size`: size of the image, px.
    pub fn draw(seed: Seed, props: &[Prop], floor: Floor, size: SizePx) -> Self {
        let mut rng = seed.rng();
        let light = draw_light(&mut rng);
        let room = Room::draw(&mut rng, floor, size);
        let mut feet: Vec<(Vec3, f32)> = Vec::new();
        let mut placed = Vec::new();
        for (index, prop) in props.iter().enumerate() {
            let radius = prop.radius * rng.random_range(0.85..1.2);
            let half = prop.model.mesh.half_size;
            let footprint = radius * Vec2::new(half.x, half.z).length();
            let is_free = |foot: Vec3| {
                let mut others = feet.iter();
                others.all(|&(other, reach)| foot.distance(other) > 0.9 * (footprint + reach))
            };
            let foot = (0..MAX_PLACES).find_map(|_| {
                let foot = room.foot(&mut rng, radius);
                let center = foot + room.up * (half.y * radius);
                let is_before = -center.z > NEAREST_IN_RADII * radius;
                (is_before && is_free(foot)).then_some(foot)
            });
            let Some(foot) = foot else { continue };
            feet.push((foot, footprint));
            let center = foot + room.up * (half.y * radius);
            let azimuth = rng.random_range(0.0..TAU);
            placed.push((index, Pose::upright(center, radius, azimuth, room.up)));
        }
        Self { placed, light }
    }

    /// The scene, with the objects of [`placed`](Self::placed) in their order.
    ///
    /// # Panics
    /// If `props` are fewer than those that were placed.
    pub fn moment<'a>(&self, props: &'a [Prop]) -> Moment<'a> {
        let instance = |&(index, pose): &(usize, Pose)| Instance {
            model: &props[index].model,
            pose,
        };
        Moment {
            instances: self.placed.iter().map(instance).collect(),
            lighting: lighting(&self.light),
            warp: Warp::default(),
        }
    }
}

/// The floor in camera space, and the part of it where objects stand.
struct Room {
    /// Unit vector against gravity.
    up: Vec3,
    /// Height of the camera above the floor, metres.
    eye: f32,
    /// Cosine and sine of the angle by which the camera looks down.
    pitch: Vec2,
    /// Height of the wall's foot, image heights below the image centre.
    edge: f32,
    /// Half the width of the image, image heights.
    half_width: f32,
}

impl Room {
    fn draw(rng: &mut ChaCha8Rng, floor: Floor, size: SizePx) -> Self {
        let pitch = Vec2::new(FOCAL, -floor.horizon).normalize();
        Self {
            up: Vec3::new(0.0, pitch.x, pitch.y),
            // With a high horizon the camera stands higher, or objects would fill only a strip at the bottom.
            eye: (LOWEST_FOOT - floor.horizon) * rng.random_range(0.55..1.25),
            pitch,
            edge: floor.edge.min(LOWEST_FOOT - 0.05),
            half_width: 0.5 * size.width as f32 / size.height as f32,
        }
    }

    /// Distance along the optical axis of the floor at `y`, image heights below the image centre.
    fn depth_at(&self, y: f32) -> f32 {
        self.eye * FOCAL / (y * self.pitch.x + FOCAL * self.pitch.y)
    }

    /// Height in the image of the floor at `depth`.
    fn y_at(&self, depth: f32) -> f32 {
        (self.eye * FOCAL / depth - FOCAL * self.pitch.y) / self.pitch.x
    }

    /// Draws a point of the floor for an object of `radius`, at which it has one of the [`SIZES`] as far as the floor allows.
    fn foot(&self, rng: &mut ChaCha8Rng, radius: f32) -> Vec3 {
        let [nearest, farthest] = [LOWEST_FOOT, self.edge].map(|y| self.depth_at(y));
        let size_at = |depth: f32| 2.0 * FOCAL * radius / depth;
        let largest = SIZES[1].min(size_at(nearest));
        let smallest = SIZES[0].max(size_at(farthest)).min(0.95 * largest);
        let size = rng.random_range(smallest.ln()..largest.ln()).exp();
        let depth = size_at(1.0) / size;
        let x = self.half_width * rng.random_range(-0.92..0.92);
        Vec3::new(x, -self.y_at(depth), -FOCAL) * (depth / FOCAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: SizePx = SizePx {
        width: 320,
        height: 240,
    };

    #[test]
    fn feet_stand_on_the_floor_below_the_wall_and_inside_the_image() {
        let mut rng = Seed::of_run(3).rng();
        for (horizon, edge) in [(-0.4, -0.3), (-0.1, 0.0), (0.11, 0.35)] {
            let room = Room::draw(&mut rng, Floor { horizon, edge }, SIZE);
            for _ in 0..100 {
                let foot = room.foot(&mut rng, 0.5);
                // The floor lies below the camera by the height of the eye.
                assert!((foot.dot(room.up) + room.eye).abs() < 1e-3, "{foot}");
                let at = camera(SIZE).project(foot, Warp::default());
                let y = at.y / 240.0 - 0.5;
                assert!((edge - 1e-3..LOWEST_FOOT + 1e-3).contains(&y), "{y}");
                assert!((0.0..320.0).contains(&at.x), "{at}");
            }
        }
    }

    #[test]
    fn points_of_the_floor_rise_to_the_horizon_with_their_distance() {
        let floor = Floor {
            horizon: -0.3,
            edge: -0.2,
        };
        let room = Room::draw(&mut Seed::of_run(3).rng(), floor, SIZE);
        for y in [-0.29, 0.0, 0.5] {
            assert!((room.y_at(room.depth_at(y)) - y).abs() < 1e-4, "{y}");
        }
        assert!((room.y_at(1e6) + 0.3).abs() < 1e-4);
    }

    #[test]
    fn sizes_are_compressed_and_an_object_without_a_size_has_the_usual_one() {
        let radii = [[8.0, 30.0, 8.0], [55.0, 90.0, 55.0], [180.0, 150.0, 430.0]];
        let radii = radii.map(|sides| radius_m(Some(sides)));
        assert!(radii.is_sorted() && radii[2] < 6.0 * radii[0], "{radii:?}");
        assert!((0.5..0.6).contains(&radii[1]), "{radii:?}");
        assert_eq!(radius_m(None), USUAL_RADIUS);
    }
}
