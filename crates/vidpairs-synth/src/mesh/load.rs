//! Loads an OBJ file and its materials as a mesh of unit size in the standard pose.

use std::cell::RefCell;
use std::io::Cursor;
use std::path::Path;

use glam::{Mat3, Vec2, Vec3};
use tobj::LoadOptions;
use vidpairs_types::parallel::caught;

use super::corners::complete_corners;
use super::libraries::{Libraries, check_counts};
use super::materials::read_materials;
use super::normals::{add_normals, fill_in_normals};
use super::occlusion::add_openness;
use super::{Material, Mesh, MeshError, Texture, Vertex};
use crate::catalog::{CatalogObject, ObjectFiles};

/// Opacity from which a surface counts as opaque.
const SOLID: f32 = 0.98;
/// Opacity below which a surface is left out.
const CLEAR: f32 = 0.02;

/// Loads `object`, turns and scales it as its catalogue states, and brings it to unit size.
///
/// Polygons are divided into triangles. Normals are computed if the file has none.
///
/// # Errors
/// [`MeshError`] if a file is missing or damaged, a coordinate is not finite, or there is no face.
pub fn load(object: &CatalogObject) -> Result<Mesh, MeshError> {
    let mut files = object.open()?;
    let (models, materials) = parse(&mut files)?;
    let mut builder = Builder::new(&models)?;
    let (materials, textures) = read_materials(&materials, &mut files)?;
    for model in &models {
        builder.add(&model.mesh, &materials);
    }
    let pose = object.rotation.map_or(Mat3::IDENTITY, |rows| {
        Mat3::from_cols_array(&rows).transpose()
    });
    let size = object.size_cm.map(Vec3::from_array);
    builder.finish(pose, size, materials, textures)
}

fn parse(files: &mut ObjectFiles) -> Result<(Vec<tobj::Model>, Vec<tobj::Material>), MeshError> {
    let options = LoadOptions {
        single_index: true,
        triangulate: true,
        ignore_points: true,
        ignore_lines: true,
    };
    let obj = files.model()?;
    // Names in old files are Latin-1; an invalid character must not cost the object.
    let text = String::from_utf8_lossy(&obj);
    check_counts(&text)?;
    let text = complete_corners(&text);
    let libraries = RefCell::new(Libraries::new(files));
    let read_mtl = |path: &Path| libraries.borrow_mut().read(&path.to_string_lossy());
    let mut input = Cursor::new(text.as_bytes());
    let loaded = caught(|| tobj::load_obj_buf(&mut input, &options, read_mtl));
    if let Some(err) = libraries.into_inner().error {
        return Err(err);
    }
    let (models, materials) = loaded.map_err(MeshError::Reader)?.map_err(MeshError::Obj)?;
    Ok((models, materials.map_err(MeshError::Mtl)?))
}

/// Triangles of all parts of a file, in the space of the file.
struct Builder {
    vertices: Vec<Vertex>,
    /// Triangles with the index of their material.
    triangles: Vec<([u32; 3], u16)>,
    num_faces: usize,
    has_normals: bool,
}

impl Builder {
    fn new(models: &[tobj::Model]) -> Result<Self, MeshError> {
        let meshes = || models.iter().map(|model| &model.mesh);
        let num_triangles = meshes().map(|mesh| mesh.indices.len() / 3).sum();
        let num_vertices = meshes().map(|mesh| mesh.positions.len() / 3).sum();
        let positions = meshes().flat_map(|mesh| mesh.positions.as_chunks().0);
        let is_usable = |part: &f32| part.is_finite() && part.abs() <= 1e18;
        for (vertex, &position) in positions.enumerate() {
            if !position.iter().all(is_usable) {
                return Err(MeshError::NotFinite {
                    vertex,
                    num_vertices,
                    position,
                });
            }
        }
        // If one part has no normals, all are computed, so that the object is shaded as one surface.
        let has_normals = meshes().all(|mesh| mesh.indices.is_empty() || !mesh.normals.is_empty());
        Ok(Self {
            vertices: Vec::with_capacity(num_vertices),
            triangles: Vec::with_capacity(num_triangles),
            num_faces: num_triangles,
            has_normals,
        })
    }

    /// Adds a part. `materials` end with the default material.
    fn add(&mut self, mesh: &tobj::Mesh, materials: &[Material]) {
        let first = self.vertices.len() as u32;
        let (normals, uvs) = (&mesh.normals, &mesh.texcoords);
        let finite = |value: f32| if value.is_finite() { value } else { 0.0 };
        for (vertex, position) in mesh.positions.chunks_exact(3).enumerate() {
            let normal = normals.get(3 * vertex..3 * vertex + 3);
            let uv = uvs.get(2 * vertex..2 * vertex + 2);
            self.vertices.push(Vertex {
                position: Vec3::from_slice(position),
                normal: normal.map_or(Vec3::ZERO, |xyz| Vec3::from_slice(xyz).map(finite)),
                uv: uv.map_or(Vec2::ZERO, |uv| Vec2::from_slice(uv).map(finite)),
                openness: 1.0,
            });
        }
        let default = materials.len() - 1;
        let material = mesh.material_id.filter(|&id| id < default);
        let material = material.unwrap_or(default);
        if materials[material].opacity < CLEAR {
            return;
        }
        for &corners in mesh.indices.as_chunks::<3>().0 {
            let triangle = corners.map(|corner| first + corner);
            self.triangles.push((triangle, material as u16));
        }
    }

    fn finish(
        mut self,
        pose: Mat3,
        size: Option<Vec3>,
        materials: Vec<Material>,
        textures: Vec<Texture>,
    ) -> Result<Mesh, MeshError> {
        let vertices = &self.vertices;
        self.triangles.retain(|(triangle, _)| {
            let [a, b, c] = triangle.map(|vertex| vertices[vertex as usize].position);
            (b - a).cross(c - a).length_squared() > 0.0
        });
        if self.triangles.is_empty() {
            return Err(MeshError::Empty {
                num_faces: self.num_faces,
            });
        }
        let half_size = self.bring_to_unit_size(pose, size);
        let is_glass =
            |&(_, material): &([u32; 3], u16)| materials[usize::from(material)].opacity < SOLID;
        self.triangles.sort_by_key(is_glass); // stable
        let num_opaque = self
            .triangles
            .partition_point(|triangle| !is_glass(triangle));
        let (mut triangles, material_of): (Vec<_>, Vec<_>) = self.triangles.into_iter().unzip();
        if self.has_normals {
            fill_in_normals(&mut self.vertices, &triangles);
        } else {
            add_normals(&mut self.vertices, &mut triangles);
        }
        let mut mesh = Mesh {
            vertices: self.vertices,
            triangles,
            material_of,
            num_opaque,
            materials,
            textures,
            half_size,
        };
        add_openness(&mut mesh);
        Ok(mesh)
    }

    /// Turns the object, stretches it to the sides that the catalogue states, centres it and scales it to unit radius.
    /// Returns half the sides of its box.
    fn bring_to_unit_size(&mut self, pose: Mat3, size: Option<Vec3>) -> Vec3 {
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for &vertex in self.triangles.iter().flat_map(|(triangle, _)| triangle) {
            let position = pose * self.vertices[vertex as usize].position;
            (low, high) = (low.min(position), high.max(position));
        }
        let extent = (high - low).max(Vec3::splat((high - low).max_element() * 1e-6));
        let center = (low + high) / 2.0;
        let stretch = size.map_or(Vec3::ONE, |size| size / extent);
        let half = extent * stretch / 2.0;
        let scale = stretch / half.length();
        for vertex in &mut self.vertices {
            vertex.position = (pose * vertex.position - center) * scale;
            // Normals transform with the inverse of the scale.
            vertex.normal = (pose * vertex.normal / scale).normalize_or_zero();
        }
        half / half.length()
    }
}
