//! Camera geometry: projects points in front of the camera into the image, and back.

use glam::{Mat3, Vec2, Vec3};
use vidpairs_types::SizePx;

/// Pinhole camera at the origin, looking along -z with y up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Size of the image, px.
    pub size: SizePx,
    /// Focal length, image heights.
    pub focal: f32,
}

impl Camera {
    /// Position of a point in the image: x and y in px from the upper left corner, z the inverse of the distance along
    /// the optical axis.
    pub fn project(&self, point: Vec3, warp: Warp) -> Vec3 {
        let inverse = -1.0 / point.z;
        let on_plane = Vec2::new(point.x, -point.y) * (self.focal * inverse);
        let at = self.px_from_plane(warp.apply(on_plane));
        at.extend(inverse)
    }

    /// Direction of the line of sight through an image position in px; not of unit length, z is -1.
    pub fn ray(&self, px: Vec2, warp: Warp) -> Vec3 {
        let on_plane = warp.undo(self.plane_from_px(px)) / self.focal;
        Vec3::new(on_plane.x, -on_plane.y, -1.0)
    }

    /// Position in image heights right of and below the image centre, from a position in px.
    pub fn plane_from_px(&self, px: Vec2) -> Vec2 {
        (px - self.center_px()) / self.size.height as f32
    }

    /// Position in px, from a position in image heights right of and below the image centre.
    pub fn px_from_plane(&self, at: Vec2) -> Vec2 {
        at * self.size.height as f32 + self.center_px()
    }

    fn center_px(&self) -> Vec2 {
        Vec2::new(self.size.width as f32, self.size.height as f32) / 2.0
    }

    /// Point at `distance` along -z that appears at `at`, image heights right of and below the image centre.
    pub fn point_at(&self, at: Vec2, distance: f32) -> Vec3 {
        Vec3::new(at.x, -at.y, -self.focal) * (distance / self.focal)
    }
}

/// Motion of the image caused by small rotations of the camera: a shift, a roll about the centre, and a zoom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    shift: Vec2,
    /// Cosine and sine of the roll.
    roll: Vec2,
    zoom: f32,
}

impl Default for Warp {
    fn default() -> Self {
        Self::new(Vec2::ZERO, 0.0, 1.0)
    }
}

impl Warp {
    /// A warp from its parts.
    ///
    /// - `shift`: displacement of the centre, image heights.
    /// - `roll`: clockwise rotation, radians.
    /// - `zoom`: magnification, above 0.
    pub fn new(shift: Vec2, roll: f32, zoom: f32) -> Self {
        Self {
            shift,
            roll: Vec2::from_angle(roll),
            zoom,
        }
    }

    /// Warped position of `at`; both in image heights from the centre.
    pub fn apply(self, at: Vec2) -> Vec2 {
        self.roll.rotate(at) * self.zoom + self.shift
    }

    /// Position before the warp: the inverse of [`apply`](Self::apply).
    pub fn undo(self, at: Vec2) -> Vec2 {
        let back = Vec2::new(self.roll.x, -self.roll.y);
        back.rotate(at - self.shift) / self.zoom
    }
}

/// Position, size and orientation of an object relative to the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Centre of the object, in camera space.
    pub center: Vec3,
    /// Radius of the bounding sphere, in camera space; less than the distance of the centre.
    pub radius: f32,
    /// Azimuth of the camera, radians from the object's front, counterclockwise seen from above.
    pub azimuth: f32,
    /// Elevation of the camera above the object's horizon, radians.
    pub elevation: f32,
    /// Roll of the object, radians, clockwise as the camera sees it.
    pub tilt: f32,
}

impl Pose {
    /// Pose of an object that stands upright.
    ///
    /// - `up`: unit vector against gravity, in camera space.
    pub fn upright(center: Vec3, radius: f32, azimuth: f32, up: Vec3) -> Self {
        let up = facing_camera(center).transpose() * up;
        Self {
            center,
            radius,
            azimuth,
            elevation: up.z.clamp(-1.0, 1.0).asin(),
            tilt: up.x.atan2(up.y),
        }
    }

    /// Rotation from object space to camera space.
    ///
    /// The camera sees the object's centre from exactly `azimuth` and `elevation`, wherever the centre is in the image.
    pub fn rotation(&self) -> Mat3 {
        facing_camera(self.center)
            * Mat3::from_rotation_z(-self.tilt)
            * Mat3::from_rotation_x(self.elevation)
            * Mat3::from_rotation_y(-self.azimuth)
    }
}

/// Rotation that turns the front of an object at `center`, `+z`, towards the camera.
fn facing_camera(center: Vec3) -> Mat3 {
    let towards = -center.normalize();
    let yaw = Mat3::from_rotation_y(towards.x.atan2(towards.z));
    yaw * Mat3::from_rotation_x(-towards.y.clamp(-1.0, 1.0).asin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upright_object_points_up_and_is_seen_from_its_azimuth_under_a_camera_that_looks_down() {
        for pitch in [-0.2f32, 0.0, 0.4] {
            let up = Vec3::new(0.0, pitch.cos(), pitch.sin());
            for center in [Vec3::new(0.0, -1.0, -9.0), Vec3::new(3.0, -2.0, -7.0)] {
                for azimuth in [0.0f32, 2.0, 5.5] {
                    let rotation = Pose::upright(center, 1.0, azimuth, up).rotation();
                    assert!((rotation.y_axis - up).length() < 1e-5, "{rotation}");
                    let to_camera = rotation.transpose() * -center;
                    let seen_from = to_camera.x.atan2(to_camera.z);
                    let apart = Vec2::from_angle(seen_from).angle_to(Vec2::from_angle(azimuth));
                    assert!(apart.abs() < 1e-5, "{seen_from} {azimuth}");
                }
            }
        }
    }

    #[test]
    fn an_object_is_seen_from_its_azimuth_and_elevation_anywhere_in_the_image() {
        for (azimuth, elevation) in [(0.0f32, 0.0f32), (1.2, 0.5), (4.0, -0.3), (6.0, 1.4)] {
            for center in [Vec3::new(0.0, 0.0, -9.0), Vec3::new(3.0, -2.0, -7.0)] {
                let pose = Pose {
                    center,
                    radius: 1.0,
                    azimuth,
                    elevation,
                    tilt: 0.0,
                };
                let to_camera = pose.rotation().transpose() * -center.normalize();
                let seen_from = to_camera.x.atan2(to_camera.z);
                let apart = Vec2::from_angle(seen_from).angle_to(Vec2::from_angle(azimuth));
                assert!(apart.abs() < 1e-5, "{seen_from} {azimuth}");
                assert!((to_camera.y.asin() - elevation).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn the_ray_through_a_projected_point_meets_the_point() {
        let camera = Camera {
            size: SizePx {
                width: 320,
                height: 240,
            },
            focal: 1.8,
        };
        let warp = Warp::new(Vec2::new(0.1, -0.05), 0.2, 1.1);
        let point = Vec3::new(1.0, -2.0, -8.0);
        let seen = camera.project(point, warp);
        assert!((seen.z - 0.125).abs() < 1e-6);
        let ray = camera.ray(seen.truncate(), warp) / seen.z;
        assert!((ray - point).length() < 1e-4, "{ray}");
    }
}
