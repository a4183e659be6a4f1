//! Light: lamps far away, and the sky.

use glam::Vec3;

/// A lamp so far away that its light comes from one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Unit vector towards the lamp, in the camera's space.
    pub direction: Vec3,
    /// Linear red, green and blue; 1 shows a white surface that faces the lamp as white.
    pub color: Vec3,
}

impl Light {
    /// A lamp at `azimuth` radians to the right of the camera as seen from the object, `elevation`
    /// above its horizon.
    pub fn from_angles(azimuth: f32, elevation: f32, color: Vec3) -> Self {
        let direction = Vec3::new(
            azimuth.sin() * elevation.cos(),
            elevation.sin(),
            azimuth.cos() * elevation.cos(),
        );
        Self { direction, color }
    }
}

/// All that lights a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Lighting {
    /// The lamps; the first one casts the shadows.
    pub lights: Vec<Light>,
    /// Light from above, linear.
    pub sky: Vec3,
    /// Light from below, linear.
    pub ground: Vec3,
}

impl Lighting {
    /// The light on a surface with unit normal `normal` that sees `openness` of the sky.
    #[inline]
    pub(super) fn diffuse(&self, normal: Vec3, openness: f32) -> Vec3 {
        let ambient = self.ground.lerp(self.sky, 0.5 + 0.5 * normal.y) * openness;
        // Lamps are hidden less often than the sky, by what little is known of it.
        let direct = 0.35 + 0.65 * openness.sqrt();
        self.lights.iter().fold(ambient, |sum, light| {
            sum + light.color * (normal.dot(light.direction).max(0.0) * direct)
        })
    }

    /// The mirrored light of the lamps, for a surface of exponent `shininess` seen from `towards`.
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
