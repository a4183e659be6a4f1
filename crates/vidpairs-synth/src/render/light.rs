//! Light sources: distant lamps and the sky.

use glam::Vec3;

/// Distant lamp: its light comes from one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Unit vector towards the lamp, in camera space.
    pub direction: Vec3,
    /// Linear red, green and blue; at 1, a white surface that faces the lamp appears white.
    pub color: Vec3,
}

impl Light {
    /// Lamp at `azimuth` radians to the camera's right of the line from the object to the camera, and `elevation`
    /// radians above the ground.
    pub fn from_angles(azimuth: f32, elevation: f32, color: Vec3) -> Self {
        let direction = Vec3::new(
            azimuth.sin() * elevation.cos(),
            elevation.sin(),
            azimuth.cos() * elevation.cos(),
        );
        Self { direction, color }
    }
}

/// Light sources of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Lighting {
    /// Lamps; the first casts the shadows.
    pub lights: Vec<Light>,
    /// Light from above, linear RGB.
    pub sky: Vec3,
    /// Light from below, linear RGB.
    pub ground: Vec3,
}

impl Lighting {
    /// Light on a surface with unit normal `normal` that sees the share `openness` of the sky.
    #[inline]
    pub(super) fn diffuse(&self, normal: Vec3, openness: f32) -> Vec3 {
        let ambient = self.ground.lerp(self.sky, 0.5 + 0.5 * normal.y) * openness;
        // No shadow rays: the openness estimates how often a lamp is hidden, which is less often than the sky.
        let direct = 0.35 + 0.65 * openness.sqrt();
        self.lights.iter().fold(ambient, |sum, light| {
            sum + light.color * (normal.dot(light.direction).max(0.0) * direct)
        })
    }

    /// Blinn highlights of the lamps.
    ///
    /// - `towards`: unit vector towards the camera.
    /// - `shininess`: exponent of the highlight.
    #[inline]
    pub(super) fn specular(&self, normal: Vec3, towards: Vec3, shininess: f32) -> Vec3 {
        self.lights.iter().fold(Vec3::ZERO, |sum, light| {
            let cosine = normal.dot((light.direction + towards).normalize()).max(0.0);
            if normal.dot(light.direction) <= 0.0 {
                return sum;
            }
            sum + light.color * cosine.powf(shininess)
        })
    }
}
