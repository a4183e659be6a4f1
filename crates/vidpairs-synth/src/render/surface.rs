//! Which triangle every sample sees: the z-buffer.

use glam::{Mat3, Vec2, Vec3, Vec4};

use super::{Camera, Instance, Warp};
use crate::mesh::{Mesh, Texture};
use crate::raster::{Span, scan};

/// Bits of a sample's word that name the triangle; the others name the object.
const TRIANGLE_BITS: u32 = 27;
const NOTHING: u32 = u32::MAX;
/// Texels more transparent than this show what is behind.
const HOLE: f32 = 0.5;

/// The grid of samples of one exposure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling {
    pub camera: Camera,
    /// Samples along a side of a pixel.
    pub per_side: u32,
    /// Px by which the samples are shifted from the middle of their part of the pixel.
    pub offset: Vec2,
    pub width: usize,
    pub height: usize,
}

impl Sampling {
    pub fn new(camera: Camera, per_side: u32, offset: Vec3) -> Self {
        Self {
            camera,
            per_side,
            offset: offset.truncate(),
            width: (camera.size.width * per_side) as usize,
            height: (camera.size.height * per_side) as usize,
        }
    }

    /// Px in the image to samples of the grid.
    pub fn to_grid(self, px: Vec3) -> Vec3 {
        let at = (px.truncate() - self.offset) * self.per_side as f32;
        at.extend(px.z)
    }

    /// The middle of a sample, px in the image.
    pub fn px_of(self, x: usize, y: usize) -> Vec2 {
        Vec2::new(x as f32 + 0.5, y as f32 + 0.5) / self.per_side as f32 + self.offset
    }
}

/// An object as the grid sees it.
pub(super) struct Projected<'a> {
    pub mesh: &'a Mesh,
    pub rotation: Mat3,
    /// Per vertex: x and y in samples, the inverse of the distance.
    pub at: Vec<Vec3>,
}

/// A point on a triangle.
pub(super) struct Point {
    /// Not of unit length, in the object's space.
    pub normal: Vec3,
    pub uv: Vec2,
    pub openness: f32,
    /// log2 of the texels a sample covers, along a side.
    pub lod: f32,
}

impl<'a> Projected<'a> {
    pub fn new(instance: &Instance<'a>, warp: Warp, sampling: &Sampling) -> Self {
        let (mesh, pose) = (&instance.model.mesh, &instance.pose);
        let rotation = pose.rotation();
        let to_camera = rotation * pose.radius;
        // From the camera's plane to the grid is an affine map: three points tell it.
        let plane_to_grid = |x: f32, y: f32| {
            let px = sampling.camera.px_from_plane(warp.apply(Vec2::new(x, y)));
            sampling.to_grid(px.extend(0.0)).truncate()
        };
        let origin = plane_to_grid(0.0, 0.0);
        let across = (plane_to_grid(1.0, 0.0) - origin) * sampling.camera.focal;
        let down = (plane_to_grid(0.0, 1.0) - origin) * sampling.camera.focal;
        let grid = |position: Vec3| {
            let point = to_camera * position + pose.center;
            let inverse_distance = -1.0 / point.z;
            let (x, y) = (point.x * inverse_distance, -point.y * inverse_distance);
            (origin + across * x + down * y).extend(inverse_distance)
        };
        let at = mesh
            .vertices
            .iter()
            .map(|vertex| grid(vertex.position))
            .collect();
        Self { mesh, rotation, at }
    }

    pub fn screen(&self, triangle: usize) -> [Vec3; 3] {
        self.mesh.triangles[triangle].map(|vertex| self.at[vertex as usize])
    }

    pub fn texture(&self, triangle: usize) -> Option<&'a Texture> {
        let material = &self.mesh.materials[usize::from(self.mesh.material_of[triangle])];
        material
            .texture
            .map(|texture| &self.mesh.textures[usize::from(texture)])
    }

    /// The point of triangle `triangle` that the sample at `at` (samples) sees.
    ///
    /// Attributes are linear on the triangle; divided by the distance they are linear in the image
    /// (Heckbert 1989).
    pub fn point(&self, triangle: usize, at: Vec2) -> Point {
        let [p, q, r] = self.screen(triangle);
        let (pq, pr) = ((q - p).truncate(), (r - p).truncate());
        let area = pq.perp_dot(pr);
        let from_p = at - p.truncate();
        // Clamped: a sample on the rim must not see past the texture of its triangle.
        let weight_q = (from_p.perp_dot(pr) / area).clamp(0.0, 1.0);
        let weight_r = (pq.perp_dot(from_p) / area).clamp(0.0, 1.0);
        let weight_p = (1.0 - weight_q - weight_r).max(0.0);
        let weights = Vec3::new(weight_p * p.z, weight_q * q.z, weight_r * r.z);
        let inverse = weights.x + weights.y + weights.z;
        let weights = weights / inverse;
        let [a, b, c] = self.mesh.corners(triangle);
        let uv = a.uv * weights.x + b.uv * weights.y + c.uv * weights.z;
        let lod = self.texture(triangle).map_or(0.0, |texture| {
            // How much larger the texture's part is than the samples', at this distance: the
            // determinant of the mapping, whose square root is the mean over directions.
            let uv_area = (b.uv - a.uv).perp_dot(c.uv - a.uv);
            let stretch = p.z * q.z * r.z / (inverse * inverse * inverse);
            0.5 * (uv_area / area * stretch * texture.area())
                .abs()
                .max(1e-12)
                .log2()
        });
        Point {
            normal: a.normal * weights.x + b.normal * weights.y + c.normal * weights.z,
            uv,
            openness: a.openness * weights.x + b.openness * weights.y + c.openness * weights.z,
            lod,
        }
    }

    /// Whether the texture has a hole where the sample at `at` (samples) looks.
    pub fn is_hole(&self, triangle: usize, texture: &Texture, at: Vec2) -> bool {
        let point = self.point(triangle, at);
        texture.opacity(point.uv, point.lod) < HOLE
    }

    /// Triangles whose texture has holes, with it.
    pub fn holed(&self, triangle: usize) -> Option<&'a Texture> {
        self.texture(triangle).filter(|texture| texture.has_holes())
    }
}

/// What a sample sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Of the nearest surface; 0 where there is none.
    pub inverse_distance: f32,
    name: u32,
}

impl Sample {
    const EMPTY: Self = Self {
        inverse_distance: 0.0,
        name: NOTHING,
    };

    /// Object and triangle.
    pub fn seen(self) -> Option<(usize, usize)> {
        (self.name != NOTHING).then(|| {
            let triangle = self.name & ((1 << TRIANGLE_BITS) - 1);
            ((self.name >> TRIANGLE_BITS) as usize, triangle as usize)
        })
    }
}

/// The nearest opaque triangle of every sample, and the glass before it.
#[derive(Default)]
pub(super) struct Surface {
    samples: Vec<Sample>,
    /// Bit i: object i has glass there, before anything opaque.
    glass: Vec<u32>,
}

impl Surface {
    /// Row after row.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Whether object `object` can be seen in sample `place`.
    pub fn shows(&self, object: usize, place: usize) -> bool {
        let is_nearest = self.samples[place]
            .seen()
            .is_some_and(|(seen, _)| seen == object);
        is_nearest || self.glass[place] >> object & 1 == 1
    }

    /// Finds the nearest opaque triangle of every sample.
    pub fn cover(&mut self, objects: &[Projected<'_>], sampling: &Sampling) {
        let (width, height) = (sampling.width, sampling.height);
        self.samples.clear();
        self.samples.resize(width * height, Sample::EMPTY);
        for (place, object) in objects.iter().enumerate() {
            for triangle in 0..object.mesh.num_opaque {
                let name = (place as u32) << TRIANGLE_BITS | triangle as u32;
                let corners = object.screen(triangle);
                match object.holed(triangle) {
                    None => scan(corners, width, height, |span| {
                        let row = &mut self.samples[span.y * width..][span.start..span.end];
                        let mut inverse_distance = span.depth;
                        for sample in row {
                            if inverse_distance > sample.inverse_distance {
                                *sample = Sample {
                                    inverse_distance,
                                    name,
                                };
                            }
                            inverse_distance += span.depth_step;
                        }
                    }),
                    Some(texture) => scan(corners, width, height, |span| {
                        for (x, inverse_distance) in depths(span) {
                            let sample = &mut self.samples[span.y * width + x];
                            if inverse_distance > sample.inverse_distance
                                && !object.is_hole(triangle, texture, middle(x, span.y))
                            {
                                *sample = Sample {
                                    inverse_distance,
                                    name,
                                };
                            }
                        }
                    }),
                }
            }
        }
    }

    /// Finds out where glass stands before what [`Surface::cover`] found.
    pub fn look_through(&mut self, objects: &[Projected<'_>], sampling: &Sampling) {
        let width = sampling.width;
        self.glass.clear();
        self.glass.resize(self.samples.len(), 0);
        for (place, object) in objects.iter().enumerate() {
            for triangle in object.mesh.num_opaque..object.mesh.triangles.len() {
                let holed = object.holed(triangle);
                scan(object.screen(triangle), width, sampling.height, |span| {
                    for (x, inverse_distance) in depths(span) {
                        let at = span.y * width + x;
                        let is_hidden = inverse_distance < self.samples[at].inverse_distance;
                        let is_hole =
                            |texture| object.is_hole(triangle, texture, middle(x, span.y));
                        if !is_hidden && !holed.is_some_and(is_hole) {
                            self.glass[at] |= 1 << place;
                        }
                    }
                });
            }
        }
    }
}

/// The samples of a span with their third coordinates.
pub(super) fn depths(span: Span) -> impl Iterator<Item = (usize, f32)> {
    (span.start..span.end).map(move |x| {
        let depth = span.depth + (x - span.start) as f32 * span.depth_step;
        (x, depth)
    })
}

/// The middle of a sample, in samples.
pub(super) fn middle(x: usize, y: usize) -> Vec2 {
    Vec2::new(x as f32 + 0.5, y as f32 + 0.5)
}

/// Light over light, both multiplied with their coverage.
pub(super) fn over(front: Vec4, back: Vec4) -> Vec4 {
    front + back * (1.0 - front.w)
}
