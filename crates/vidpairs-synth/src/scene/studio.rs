//! One object on a turntable or a pedestal: everything is set, nothing moves.

use glam::{Vec2, Vec3};
use vidpairs_types::SizePx;

use super::script::lighting;
use crate::render::{Camera, Instance, Lighting, Model, Moment, Pose, Warp};
use crate::truth::LightTruth;

/// Focal length, heights of the image: seen from further away than in videos, as products are.
const FOCAL: f32 = 2.4;

/// How an object stands before the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stand {
    /// Degrees from its front to the camera, counterclockwise seen from above.
    pub azimuth: f64,
    /// Degrees of the camera above its horizon.
    pub elevation: f64,
    /// Heights of the image right of and below its centre.
    pub at: [f32; 2],
    /// Diameter of the sphere around it, heights of the image; below 4.
    pub size: f32,
    /// Farther objects have larger numbers; the first is at 0.
    pub row: u32,
}

/// The camera of a studio.
pub fn camera(size: SizePx) -> Camera {
    Camera { size, focal: FOCAL }
}

/// The largest [`Stand::size`] at which an object of this shape, in the middle of an image of `size`, fits into
/// `share` of it, seen from `elevation` degrees above and from every azimuth.
pub fn fitting_size(model: &Model, size: SizePx, elevation: f64, share: f32) -> f32 {
    let half = model.mesh.half_size;
    let aspect = size.width as f32 / size.height as f32;
    let (sin, cos) = (elevation.to_radians() as f32).sin_cos();
    // Turned about, the corners of its box go round two circles.
    let around = Vec2::new(half.x, half.z).length();
    let corners = (0..360).step_by(5).flat_map(|turn| {
        let (x, z) = (turn as f32).to_radians().sin_cos();
        [-half.y, half.y].map(|y| (around * x, y, around * z))
    });
    // A corner `near` the camera is seen at `FOCAL * aside / (distance - near)`.
    let distance = corners.map(|(x, y, z)| {
        let near = z * cos + y * sin;
        let aside = (x.abs() / aspect).max((y * cos - z * sin).abs());
        near + 2.0 * FOCAL * aside / share
    });
    (2.0 * FOCAL / distance.fold(0.0, f32::max)).min(3.0)
}

/// `stands` in their order, lit by one lamp and the sky.
pub fn scene<'a>(stands: &[(&'a Model, Stand)], light: &LightTruth) -> Moment<'a> {
    lit_by(stands, lighting(light))
}

/// `stands` in their order under `lighting`.
pub fn lit_by<'a>(stands: &[(&'a Model, Stand)], lighting: Lighting) -> Moment<'a> {
    let instances = stands.iter().map(|&(model, stand)| Instance {
        model,
        pose: pose(&stand),
    });
    Moment {
        instances: instances.collect(),
        lighting,
        warp: Warp::default(),
    }
}

/// How far away an object of [`Stand::size`] `size` is, in radii of the sphere around it.
pub fn distance_in_radii(size: f32) -> f32 {
    (2.0 * FOCAL / size).max(1.2)
}

fn pose(stand: &Stand) -> Pose {
    let in_radii = distance_in_radii(stand.size);
    // Rows apart by more than two objects are deep.
    let distance = in_radii * (1.0 + stand.row as f32);
    let at = Vec2::from_array(stand.at);
    let center = Vec3::new(at.x, -at.y, -FOCAL) * (distance / FOCAL);
    Pose {
        center,
        radius: distance / in_radii,
        azimuth: stand.azimuth.to_radians() as f32,
        elevation: stand.elevation.to_radians() as f32,
        tilt: 0.0,
    }
}
