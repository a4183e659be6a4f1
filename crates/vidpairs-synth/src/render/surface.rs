//! Z-buffer: finds the triangle that every sample sees.

use glam::{Mat3, Vec2, Vec3};

use super::{Camera, Instance, Warp};
use crate::mesh::{Mesh, Texture};
use crate::raster::{Span, scan};

/// Lower bits of a sample's id, which hold the triangle; the others hold the object.
const TRIANGLE_BITS: u32 = 27;
/// Id of a sample that sees no triangle.
const NOTHING: u32 = u32::MAX;
/// Opacity below which a texel is a hole.
const HOLE: f32 = 0.5;

/// Grid of the samples of one exposure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling {
    pub camera: Camera,
    /// Samples along a side of a pixel.
    pub per_side: u32,
    /// Offset of the samples from their regular positions, px.
    pub offset: Vec2,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl Sampling {
    pub fn new(camera: Camera, per_side: u32, offset: Vec2) -> Self {
        Self {
            camera,
            per_side,
            offset,
            width: (camera.size.width * per_side) as usize,
            height: (camera.size.height * per_side) as usize,
        }
    }

    /// Position in samples, from a position in px.
    fn to_grid(self, px: Vec2) -> Vec2 {
        (px - self.offset) * self.per_side as f32
    }

    /// Centre of a sample, px.
    pub fn px_of(self, x: usize, y: usize) -> Vec2 {
        middle(x, y) / self.per_side as f32 + self.offset
    }
}

/// An object projected into the grid.
pub(super) struct Projected<'a> {
    pub mesh: &'a Mesh,
    /// Rotation from object space to camera space.
    pub rotation: Mat3,
    /// Position of every vertex: x and y in samples, z the inverse of the distance.
    pub at: Vec<Vec3>,
}

/// A point on a triangle.
pub(super) struct Point {
    /// Interpolated normal in object space, not of unit length.
    pub normal: Vec3,
    /// Position in the texture.
    pub uv: Vec2,
    /// Interpolated [`Vertex::openness`](crate::mesh::Vertex::openness).
    pub openness: f32,
    /// Mipmap level: log2 of the texels that a sample covers along a side.
    pub lod: f32,
}

impl<'a> Projected<'a> {
    pub fn new(instance: &Instance<'a>, warp: Warp, sampling: &Sampling) -> Self {
        let (mesh, pose) = (&instance.model.mesh, &instance.pose);
        let rotation = pose.rotation();
        let to_camera = rotation * pose.radius;
        // The map from the image plane to the grid is affine: three points define it.
        let plane_to_grid = |x: f32, y: f32| {
            sampling.to_grid(sampling.camera.px_from_plane(warp.apply(Vec2::new(x, y))))
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

    /// Corners of a triangle in the grid.
    pub fn screen(&self, triangle: usize) -> [Vec3; 3] {
        self.mesh.triangles[triangle].map(|vertex| self.at[vertex as usize])
    }

    /// Texture of a triangle, if it has one.
    pub fn texture(&self, triangle: usize) -> Option<&'a Texture> {
        let material = &self.mesh.materials[usize::from(self.mesh.material_of[triangle])];
        material
            .texture
            .map(|texture| &self.mesh.textures[usize::from(texture)])
    }

    /// Point of a triangle at position `at` of the grid, samples.
    ///
    /// Attributes are linear on the triangle; divided by the distance they are linear in the image (Heckbert 1989).
    pub fn point(&self, triangle: usize, at: Vec2) -> Point {
        let [p, q, r] = self.screen(triangle);
        let (pq, pr) = ((q - p).truncate(), (r - p).truncate());
        let area = pq.perp_dot(pr);
        let from_p = at - p.truncate();
        // Clamped: a sample on an edge must not see texels outside its triangle.
        let weight_q = (from_p.perp_dot(pr) / area).clamp(0.0, 1.0);
        let weight_r = (pq.perp_dot(from_p) / area).clamp(0.0, 1.0);
        let weight_p = (1.0 - weight_q - weight_r).max(0.0);
        let weights = Vec3::new(weight_p * p.z, weight_q * q.z, weight_r * r.z);
        let inverse = weights.x + weights.y + weights.z;
        let weights = weights / inverse;
        let [a, b, c] = self.mesh.corners(triangle);
        let uv = a.uv * weights.x + b.uv * weights.y + c.uv * weights.z;
        let lod = self.texture(triangle).map_or(0.0, |texture| {
            // Determinant of the map from samples to texels at this distance; its square root is the mean scale over
            // all directions.
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

    /// Test for holes in the texture of a triangle, by the position in samples; `None` if the texture has no holes.
    pub fn hole_test(&self, triangle: usize) -> Option<impl Fn(Vec2) -> bool> {
        let texture = self.texture(triangle)?;
        texture.has_holes().then_some(move |at: Vec2| {
            let point = self.point(triangle, at);
            texture.opacity(point.uv, point.lod) < HOLE
        })
    }
}

/// Nearest opaque triangle at a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Inverse of the distance to the triangle; 0 if there is none.
    pub inverse_distance: f32,
    /// Object and triangle, packed.
    id: u32,
}

impl Sample {
    const EMPTY: Self = Self {
        inverse_distance: 0.0,
        id: NOTHING,
    };

    /// Index of the object, and of its triangle.
    pub fn seen(self) -> Option<(usize, usize)> {
        (self.id != NOTHING).then(|| {
            let triangle = self.id & ((1 << TRIANGLE_BITS) - 1);
            ((self.id >> TRIANGLE_BITS) as usize, triangle as usize)
        })
    }
}

/// Nearest opaque triangle of every sample, and the transparent objects in front of it.
#[derive(Default)]
pub(super) struct Surface {
    samples: Vec<Sample>,
    /// Bit `i` is set if object `i` has a transparent triangle in front of anything opaque.
    glass: Vec<u32>,
}

impl Surface {
    /// All samples, row by row.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Whether object `object` is visible at sample `sample`.
    pub fn shows(&self, object: usize, sample: usize) -> bool {
        let is_nearest = self.samples[sample]
            .seen()
            .is_some_and(|(seen, _)| seen == object);
        is_nearest || self.glass[sample] >> object & 1 == 1
    }

    /// Finds the nearest opaque triangle of every sample.
    pub fn cover(&mut self, objects: &[Projected<'_>], sampling: &Sampling) {
        let (width, height) = (sampling.width, sampling.height);
        self.samples.clear();
        self.samples.resize(width * height, Sample::EMPTY);
        for (index, object) in objects.iter().enumerate() {
            for triangle in 0..object.mesh.num_opaque {
                let id = (index as u32) << TRIANGLE_BITS | triangle as u32;
                let corners = object.screen(triangle);
                match object.hole_test(triangle) {
                    None => scan(corners, width, height, |span| {
                        let row = &mut self.samples[span.y * width..][span.start..span.end];
                        let mut inverse_distance = span.depth;
                        for sample in row {
                            if inverse_distance > sample.inverse_distance {
                                *sample = Sample {
                                    inverse_distance,
                                    id,
                                };
                            }
                            inverse_distance += span.depth_step;
                        }
                    }),
                    Some(is_hole) => scan(corners, width, height, |span| {
                        for (x, inverse_distance) in depths(span) {
                            let sample = &mut self.samples[span.y * width + x];
                            if inverse_distance > sample.inverse_distance
                                && !is_hole(middle(x, span.y))
                            {
                                *sample = Sample {
                                    inverse_distance,
                                    id,
                                };
                            }
                        }
                    }),
                }
            }
        }
    }

    /// Marks the transparent triangles in front of what [`Surface::cover`] found.
    pub fn look_through(&mut self, objects: &[Projected<'_>], sampling: &Sampling) {
        let width = sampling.width;
        self.glass.clear();
        self.glass.resize(self.samples.len(), 0);
        for (index, object) in objects.iter().enumerate() {
            for triangle in object.mesh.num_opaque..object.mesh.triangles.len() {
                let hole_test = object.hole_test(triangle);
                scan(object.screen(triangle), width, sampling.height, |span| {
                    for (x, inverse_distance) in depths(span) {
                        let at = span.y * width + x;
                        let is_hidden = inverse_distance < self.samples[at].inverse_distance;
                        let sees_hole = || {
                            let test = hole_test.as_ref();
                            test.is_some_and(|is_hole| is_hole(middle(x, span.y)))
                        };
                        if !is_hidden && !sees_hole() {
                            self.glass[at] |= 1 << index;
                        }
                    }
                });
            }
        }
    }
}

/// Column and depth of every sample of a span.
pub(super) fn depths(span: Span) -> impl Iterator<Item = (usize, f32)> {
    (span.start..span.end).map(move |x| {
        let depth = span.depth + (x - span.start) as f32 * span.depth_step;
        (x, depth)
    })
}

/// Centre of a sample, in samples.
pub(super) fn middle(x: usize, y: usize) -> Vec2 {
    Vec2::new(x as f32 + 0.5, y as f32 + 0.5)
}
