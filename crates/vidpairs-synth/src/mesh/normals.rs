//! Computes the normals that a file does not state.

use std::collections::HashMap;

use glam::Vec3;

use super::Vertex;

/// Cosine of the angle (45 degrees) below which adjacent faces are shaded as one curved surface.
const MIN_COSINE: f32 = 0.707;

/// Computes all normals: at each corner, the area-weighted mean of the adjacent faces that form one curved surface with
/// the corner's own face. Corners with different normals become separate vertices.
pub(super) fn add_normals(vertices: &mut Vec<Vertex>, triangles: &mut [[u32; 3]]) {
    let mut around: HashMap<[u32; 3], Vec<Vec3>> = HashMap::new();
    let faces: Vec<Vec3> = triangles
        .iter()
        .map(|&triangle| {
            let positions = corners(vertices, triangle);
            let face = face_normal(positions);
            for position in positions {
                around.entry(key(position)).or_default().push(face);
            }
            face
        })
        .collect();
    let mut smoothed = Vec::with_capacity(3 * triangles.len());
    for (triangle, face) in triangles.iter_mut().zip(faces) {
        let direction = face.normalize_or_zero();
        for vertex in triangle {
            let corner = vertices[*vertex as usize];
            let adjacent = around[&key(corner.position)].iter();
            let sum: Vec3 = adjacent
                .filter(|other| other.normalize_or_zero().dot(direction) > MIN_COSINE)
                .sum();
            *vertex = smoothed.len() as u32;
            smoothed.push(Vertex {
                normal: sum.normalize_or(Vec3::Y),
                ..corner
            });
        }
    }
    *vertices = smoothed;
}

/// Replaces normals of length 0 by the normal of an adjacent face.
pub(super) fn fill_in_normals(vertices: &mut [Vertex], triangles: &[[u32; 3]]) {
    for &triangle in triangles {
        let face = face_normal(corners(vertices, triangle)).normalize_or(Vec3::Y);
        for vertex in triangle {
            let normal = &mut vertices[vertex as usize].normal;
            if *normal == Vec3::ZERO {
                *normal = face;
            }
        }
    }
}

fn corners(vertices: &[Vertex], triangle: [u32; 3]) -> [Vec3; 3] {
    triangle.map(|vertex| vertices[vertex as usize].position)
}

/// Normal of a face, twice as long as the face's area.
fn face_normal([a, b, c]: [Vec3; 3]) -> Vec3 {
    (b - a).cross(c - a)
}

fn key(position: Vec3) -> [u32; 3] {
    // Adding 0 turns -0 into 0.
    position.to_array().map(|part| (part + 0.0).to_bits())
}
