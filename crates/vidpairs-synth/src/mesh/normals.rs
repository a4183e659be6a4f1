//! Normals for files that have none.

use std::collections::HashMap;

use glam::Vec3;

use super::Vertex;

/// Faces that meet at less than 45 degrees are shaded as one curved surface.
const MIN_COSINE: f32 = 0.707;

/// Gives every corner of `triangles` a normal: the mean, weighted by area, of the faces around it that
/// bend away little. Corners with different normals become vertices of their own.
pub(super) fn add_normals(vertices: &mut Vec<Vertex>, triangles: &mut [[u32; 3]]) {
    let corners_of = |triangle: [u32; 3]| triangle.map(|vertex| vertices[vertex as usize]);
    let mut around: HashMap<[u32; 3], Vec<Vec3>> = HashMap::new();
    let faces: Vec<Vec3> = triangles
        .iter()
        .map(|&triangle| {
            let [a, b, c] = corners_of(triangle).map(|vertex| vertex.position);
            let face = (b - a).cross(c - a); // twice the area long
            for position in [a, b, c] {
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
            let neighbours = around.get(&key(corner.position)).into_iter().flatten();
            let sum: Vec3 = neighbours
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

fn key(position: Vec3) -> [u32; 3] {
    // Adding 0 makes one zero of the two.
    position.to_array().map(|part| (part + 0.0).to_bits())
}
