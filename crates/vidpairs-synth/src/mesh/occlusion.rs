//! How much of the sky every corner of a mesh sees past the rest of it.

use glam::{Mat3, Vec3};

use super::Mesh;
use crate::raster::scan;

/// Side of the depth maps, samples.
const SIDE: usize = 96;
/// Directions of the sky that are tried.
const DIRECTIONS: u32 = 24;
/// How far a surface may lie behind the depth map before it is hidden: steep surfaces cover a range of
/// depths within one sample. In units of the object's radius.
const TOLERANCE: f32 = 0.03;

/// Sets [`Vertex::openness`](super::Vertex::openness): the share of directions above the surface, weighted by
/// the cosine, in which nothing of the object is in the way.
///
/// # Source
/// Landis, "Production-Ready Global Illumination", SIGGRAPH 2002 course notes (ambient occlusion).
pub(super) fn add_openness(mesh: &mut Mesh) {
    // Before and behind every vertex: seen, and of how much.
    let mut sides = vec![[[0.0f32; 2]; 2]; mesh.vertices.len()];
    let mut depths = vec![f32::NEG_INFINITY; SIDE * SIDE];
    for direction in (0..DIRECTIONS).map(sky_direction) {
        // Rows of the view: right, up, towards the light.
        let right = direction.any_orthonormal_vector();
        let view = Mat3::from_cols(right, direction.cross(right), direction).transpose();
        let to_map = |position: Vec3| {
            let it = view * position;
            let scaled = |at: f32| (at + 1.0) * 0.5 * SIDE as f32;
            Vec3::new(scaled(it.x), scaled(it.y), it.z)
        };
        depths.fill(f32::NEG_INFINITY);
        for triangle in &mesh.triangles[..mesh.num_opaque] {
            let corners = triangle.map(|it| to_map(mesh.vertices[it as usize].position));
            scan(corners, SIDE, SIDE, |span| {
                let row = &mut depths[span.y * SIDE..][span.start..span.end];
                let mut depth = span.depth;
                for nearest in row {
                    *nearest = nearest.max(depth);
                    depth += span.depth_step;
                }
            });
        }
        for (vertex, sides) in mesh.vertices.iter().zip(&mut sides) {
            let cosine = vertex.normal.dot(direction);
            let at = to_map(vertex.position + vertex.normal * TOLERANCE.copysign(cosine));
            let clamped = |at: f32| (at as usize).min(SIDE - 1);
            let nearest = depths[clamped(at.y) * SIDE + clamped(at.x)];
            let side = &mut sides[usize::from(cosine < 0.0)];
            side[1] += cosine.abs();
            if at.z + TOLERANCE >= nearest {
                side[0] += cosine.abs();
            }
        }
    }
    for (vertex, sides) in mesh.vertices.iter_mut().zip(sides) {
        // Files disagree on which side is the outer one: it is the one that sees more.
        let share = |[seen, all]: [f32; 2]| if all > 0.0 { seen / all } else { 0.0 };
        vertex.openness = share(sides[0]).max(share(sides[1]));
    }
}

/// Direction `place` of [`DIRECTIONS`], evenly over the sphere above 20 degrees below the horizon
/// (Fibonacci spiral).
fn sky_direction(place: u32) -> Vec3 {
    let height = 1.0 - 1.34 * (place as f32 + 0.5) / DIRECTIONS as f32;
    let angle = place as f32 * 2.399_963;
    let radius = (1.0 - height * height).sqrt();
    Vec3::new(radius * angle.cos(), height, radius * angle.sin())
}
