//! Where things are before the camera, and where in the image that is.

use glam::{Mat3, Vec2, Vec3};
use vidpairs_types::SizePx;

/// A pinhole camera at the origin that looks along -z; y is up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Size of the image, px.
    pub size: SizePx,
    /// Focal length in heights of the image.
    pub focal: f32,
}

impl Camera {
    /// Where in the image a point is, px from the upper left corner, and the inverse of its distance
    /// along the line of sight.
    pub fn project(&self, point: Vec3, warp: Warp) -> Vec3 {
        let inverse = -1.0 / point.z;
        let on_plane = Vec2::new(point.x, -point.y) * (self.focal * inverse);
        let at = self.px_from_plane(warp.apply(on_plane));
        at.extend(inverse)
    }

    /// The direction in which the camera sees a place of the image, not of unit length: z is -1.
    pub fn ray(&self, px: Vec2, warp: Warp) -> Vec3 {
        let on_plane = warp.undo(self.plane_from_px(px)) / self.focal;
        Vec3::new(on_plane.x, -on_plane.y, -1.0)
    }

    /// Px to heights of the image right of and below its centre.
    pub fn plane_from_px(&self, px: Vec2) -> Vec2 {
        let center = Vec2::new(self.size.width as f32, self.size.height as f32) / 2.0;
        (px - center) / self.size.height as f32
    }

    /// The other way.
    pub fn px_from_plane(&self, at: Vec2) -> Vec2 {
        let center = Vec2::new(self.size.width as f32, self.size.height as f32) / 2.0;
        at * self.size.height as f32 + center
    }

    /// A point `distance` away along -z, seen at `at`: heights of the image right of and below its
    /// centre.
    pub fn point_at(&self, at: Vec2, distance: f32) -> Vec3 {
        Vec3::new(at.x, -at.y, -self.focal) * (distance / self.focal)
    }
}

/// How a camera that turns in place moves the image: for small turns a shift, a roll about the
/// centre, a zoom.
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
    /// - `shift`: where the centre goes, heights of the image.
    /// - `roll`: radians, clockwise.
    /// - `zoom`: magnification, above 0.
    pub fn new(shift: Vec2, roll: f32, zoom: f32) -> Self {
        Self {
            shift,
            roll: Vec2::from_angle(roll),
            zoom,
        }
    }

    /// Where a place of the unmoved image goes; both in heights of the image from its centre.
    pub fn apply(self, at: Vec2) -> Vec2 {
        self.roll.rotate(at) * self.zoom + self.shift
    }

    /// Where a place of the moved image was.
    pub fn undo(self, at: Vec2) -> Vec2 {
        let back = Vec2::new(self.roll.x, -self.roll.y);
        back.rotate(at - self.shift) / self.zoom
    }
}

/// Where an object is and how it stands towards the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Centre of the object, in the camera's space.
    pub center: Vec3,
    /// Of the sphere around the object, in the camera's units; less than the distance of the centre.
    pub radius: f32,
    /// Radians from the object's front to the camera, counterclockwise seen from above.
    pub azimuth: f32,
    /// Radians of the camera above the object's horizon.
    pub elevation: f32,
    /// Radians by which the object is tipped over, clockwise as the camera sees it.
    pub tilt: f32,
}

impl Pose {
    /// The object's axes in the camera's space.
    ///
    /// The camera sees the object's centre from exactly `azimuth` and `elevation`, wherever in the
    /// image it is.
    pub fn rotation(&self) -> Mat3 {
        let towards = -self.center.normalize();
        let yaw = Mat3::from_rotation_y(towards.x.atan2(towards.z));
        let pitch = Mat3::from_rotation_x(-towards.y.clamp(-1.0, 1.0).asin());
        yaw * pitch
            * Mat3::from_rotation_z(-self.tilt)
            * Mat3::from_rotation_x(self.elevation)
            * Mat3::from_rotation_y(-self.azimuth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_sees_an_object_from_its_azimuth_and_elevation_wherever_it_is() {
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
    fn a_ray_meets_the_point_that_was_projected() {
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
