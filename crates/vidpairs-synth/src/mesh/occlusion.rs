//! Ambient occlusion: the share of the sky that each vertex of a mesh sees past the rest of the mesh.

use glam::{Mat3, Vec3};

use super::Mesh;
use crate::raster::scan;

/// Side of the depth maps, samples.
const SIDE: usize = 96;
/// Number of directions of the sky.
const DIRECTIONS: u32 = 24;
/// Distance behind the depth map from which a surface counts as hidden, object radii. Steep surfaces cover a range of
/// depths within one sample.
const TOLERANCE: f32 = 0.03;

/// Sets [`Vertex::openness`](super::Vertex::openness): the share of directions above the surface, weighted by the
/// cosine, in which nothing of the object is in the way.
///
/// # Source
/// Landis, "Production-Ready Global Illumination", SIGGRAPH 2002 course notes (ambient occlusion).
pub(super) fn add_openness(mesh: &mut Mesh) {
    // For the front and the back of every vertex: the unobstructed weight and the total weight.
    let mut weights = vec![[[0.0f32; 2]; 2]; mesh.vertices.len()];
    let mut depths = vec![f32::NEG_INFINITY; SIDE * SIDE];
    for direction in (0..DIRECTIONS).map(sky_direction) {
        // Rows of the view: right, up, towards the light.
        let right = direction.any_orthonormal_vector();
        let view = Mat3::from_cols(right, direction.cross(right), direction).transpose();
        let to_map = |position: Vec3| {
            let seen = view * position;
            let scaled = |at: f32| (at + 1.0) * 0.5 * SIDE as f32;
            Vec3::new(scaled(seen.x), scaled(seen.y), seen.z)
        };
        depths.fill(f32::NEG_INFINITY);
        for triangle in 0..mesh.num_opaque {
            let corners = mesh.corners(triangle).map(|vertex| to_map(vertex.position));
            scan(corners, SIDE, SIDE, |span| {
                let row = &mut depths[span.y * SIDE..][span.start..span.end];
                let mut depth = span.depth;
                for nearest in row {
                    *nearest = nearest.max(depth);
                    depth += span.depth_step;
                }
            });
        }
        for (vertex, weights) in mesh.vertices.iter().zip(&mut weights) {
            let cosine = vertex.normal.dot(direction);
            let at = to_map(vertex.position + vertex.normal * TOLERANCE.copysign(cosine));
            let clamped = |at: f32| (at as usize).min(SIDE - 1);
            let nearest = depths[clamped(at.y) * SIDE + clamped(at.x)];
            let [open, total] = &mut weights[usize::from(cosine < 0.0)];
            *total += cosine.abs();
            if at.z + TOLERANCE >= nearest {
                *open += cosine.abs();
            }
        }
    }
    for (vertex, [front, back]) in mesh.vertices.iter_mut().zip(weights) {
        // Files disagree on which side is the outer one; it is the one that sees more of the sky.
        let share = |[open, total]: [f32; 2]| if total > 0.0 { open / total } else { 0.0 };
        vertex.openness = share(front).max(share(back));
    }
}

/// Direction `index` of [`DIRECTIONS`]: a Fibonacci spiral, even over the sphere above an elevation of -20 degrees.
fn sky_direction(index: u32) -> Vec3 {
    let height = 1.0 - 1.34 * (index as f32 + 0.5) / DIRECTIONS as f32;
    let angle = index as f32 * 2.399_963;
    let radius = (1.0 - height * height).sqrt();
    Vec3::new(radius * angle.cos(), height, radius * angle.sin())
}
