//! Still scenes of objects on a turntable or a pedestal.

use glam::{Vec2, Vec3};
use vidpairs_types::SizePx;

use super::light::lighting;
use crate::render::{Camera, Instance, Lighting, Model, Moment, Pose, Warp};
use crate::truth::LightTruth;

/// Focal length, image heights: longer than in videos, as in product photographs.
const FOCAL: f32 = 2.4;

/// Viewpoint, position and size of an object in the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stand {
    /// Azimuth of the camera, degrees from the object's front, counterclockwise seen from above.
    pub azimuth: f64,
    /// Elevation of the camera above the object's horizon, degrees.
    pub elevation: f64,
    /// Position of the centre, image heights right of and below the image centre.
    pub at: [f32; 2],
    /// Diameter of the bounding sphere, image heights; below 4.
    pub size: f32,
    /// Row of the object, from 0 for the nearest.
    pub row: u32,
}

/// Camera of the studio, for images of `size`.
pub fn camera(size: SizePx) -> Camera {
    Camera { size, focal: FOCAL }
}

/// Largest [`Stand::size`] at which `model`, in the middle of an image of `size`, fits into `share` of the image from
/// every azimuth, seen from `elevation` degrees above its horizon.
pub fn fitting_size(model: &Model, size: SizePx, elevation: f64, share: f32) -> f32 {
    let half = model.mesh.half_size;
    let aspect = size.width as f32 / size.height as f32;
    let (sin, cos) = (elevation.to_radians() as f32).sin_cos();
    // On a turntable the corners of the box move on two circles.
    let around = Vec2::new(half.x, half.z).length();
    let corners = (0..360).step_by(5).flat_map(|turn| {
        let (x, z) = (turn as f32).to_radians().sin_cos();
        [-half.y, half.y].map(|y| (around * x, y, around * z))
    });
    // A corner that is `near` towards the camera appears at `FOCAL * aside / (distance - near)`.
    let distance = corners.map(|(x, y, z)| {
        let near = z * cos + y * sin;
        let aside = (x.abs() / aspect).max((y * cos - z * sin).abs());
        near + 2.0 * FOCAL * aside / share
    });
    (2.0 * FOCAL / distance.fold(0.0, f32::max)).min(3.0)
}

/// Scene of `stands`, in their order, lit by one lamp and the sky.
pub fn scene<'a>(
    stands: impl IntoIterator<Item = (&'a Model, Stand)>,
    light: &LightTruth,
) -> Moment<'a> {
    lit_by(stands, lighting(light))
}

/// Scene of `stands`, in their order, under `lighting`.
pub fn lit_by<'a>(
    stands: impl IntoIterator<Item = (&'a Model, Stand)>,
    lighting: Lighting,
) -> Moment<'a> {
    let instances = stands.into_iter().map(|(model, stand)| Instance {
        model,
        pose: pose(&stand),
    });
    Moment {
        instances: instances.collect(),
        lighting,
        warp: Warp::default(),
    }
}

/// Distance from the camera to an object of [`Stand::size`] `size`, in radii of its bounding sphere.
pub fn distance_in_radii(size: f32) -> f32 {
    (2.0 * FOCAL / size).max(1.2)
}

fn pose(stand: &Stand) -> Pose {
    let in_radii = distance_in_radii(stand.size);
    // Rows are further apart than two objects are deep.
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
