//! OBJ and MTL to a mesh of unit size in its standard pose.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Cursor;

use glam::{Mat3, Vec2, Vec3};
use tobj::{LoadOptions, MTLLoadResult};

use super::corners::complete_corners;
use super::normals::add_normals;
use super::occlusion::add_openness;
use super::{Material, Mesh, MeshError, Texture, Vertex};
use crate::catalog::{CatalogError, CatalogObject, ObjectFiles};

/// More are refused: ten times what the largest of the known catalogues has.
const MAX_TRIANGLES: usize = 2_000_000;
/// More are refused; each may have a picture.
const MAX_MATERIALS: usize = 1000;
/// What the blackest surface reflects: black paint.
const BLACK: f32 = 0.025;
/// Surfaces that hide so much of what is behind are taken as solid.
const SOLID: f32 = 0.98;
/// Surfaces that show no more of themselves are left out.
const CLEAR: f32 = 0.02;

/// Reads `object`, turns and scales it as its catalogue says, and brings it to unit size.
///
/// Faces of any number of corners are cut into triangles; normals are made where there are none.
///
/// # Errors
/// [`MeshError`] if a file is missing or damaged, a coordinate is not finite, or there is no face.
pub fn load(object: &CatalogObject) -> Result<Mesh, MeshError> {
    let mut files = object.open()?;
    let obj = files.model()?;
    let (models, materials) = parse(&obj, &mut files)?;
    drop(obj);
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

fn parse(
    obj: &[u8],
    files: &mut ObjectFiles,
) -> Result<(Vec<tobj::Model>, Vec<tobj::Material>), MeshError> {
    let options = LoadOptions {
        single_index: true,
        triangulate: true,
        ignore_points: true,
        ignore_lines: true,
    };
    // Names in old files are Latin-1; a damaged letter must not cost the object.
    let text = String::from_utf8_lossy(obj);
    let text = complete_corners(&text);
    let files = RefCell::new(files);
    let missing: RefCell<Option<CatalogError>> = RefCell::default();
    let read_mtl = |path: &std::path::Path| -> MTLLoadResult {
        let bytes = match files.borrow_mut().read(&path.to_string_lossy()) {
            Ok(bytes) => bytes,
            Err(err) => {
                missing.borrow_mut().get_or_insert(err);
                return Err(tobj::LoadError::OpenFileFailed);
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        tobj::load_mtl_buf(&mut Cursor::new(text.as_bytes()))
    };
    let loaded = tobj::load_obj_buf(&mut Cursor::new(text.as_bytes()), &options, read_mtl);
    if let Some(err) = missing.take() {
        return Err(err.into());
    }
    let (models, materials) = loaded.map_err(MeshError::Obj)?;
    Ok((models, materials.map_err(MeshError::Mtl)?))
}

fn read_materials(
    materials: &[tobj::Material],
    files: &mut ObjectFiles,
) -> Result<(Vec<Material>, Vec<Texture>), MeshError> {
    if materials.len() > MAX_MATERIALS {
        return Err(MeshError::TooManyMaterials {
            num_materials: materials.len(),
            max: MAX_MATERIALS,
        });
    }
    let mut textures = Vec::new();
    let mut places: HashMap<(&str, Option<&str>), u16> = HashMap::new();
    let mut read = Vec::with_capacity(materials.len() + 1);
    for material in materials {
        let names = (
            material.diffuse_texture.as_deref().map(file_name),
            material.dissolve_texture.as_deref().map(file_name),
        );
        let texture = match names {
            (Some(name), alpha) => Some(match places.get(&(name, alpha)) {
                Some(&place) => place,
                None => {
                    textures.push(read_texture(name, alpha, files)?);
                    let place = (textures.len() - 1) as u16;
                    places.insert((name, alpha), place);
                    place
                }
            }),
            _ => None,
        };
        read.push(material_of(material, texture));
    }
    read.push(material_of(&tobj::Material::default(), None)); // for faces without one
    Ok((read, textures))
}

fn read_texture(
    name: &str,
    alpha: Option<&str>,
    files: &mut ObjectFiles,
) -> Result<Texture, MeshError> {
    let bytes = read_named(name, files)?;
    match alpha.filter(|&alpha| alpha != name) {
        Some(alpha) => {
            let opacity = read_named(alpha, files)?;
            Texture::decode(name, &bytes, Some((alpha, &opacity)))
        }
        None => Texture::decode(name, &bytes, None),
    }
}

/// A file as the MTL names it; where that is a place on its author's disk, the file of that name beside
/// the model.
fn read_named(name: &str, files: &mut ObjectFiles) -> Result<Vec<u8>, CatalogError> {
    files
        .read(name)
        .or_else(|err| match name.rsplit_once(['/', '\\']) {
            Some((_, last)) => files.read(last).map_err(|_| err),
            None => Err(err),
        })
}

/// The file of a `map_` statement, whose options (`-s 1 1 1`) come first.
fn file_name(statement: &str) -> &str {
    if !statement.starts_with('-') {
        return statement;
    }
    statement
        .rsplit_once(' ')
        .map_or(statement, |(_, name)| name)
}

fn material_of(material: &tobj::Material, texture: Option<u16>) -> Material {
    // Without a colour of its own a picture is shown as it is, and a bare surface as light gray.
    let fallback = if texture.is_some() { 1.0 } else { 0.8 };
    let color = |color: [f32; 3]| Vec3::from_array(color.map(unit_or_zero));
    let diffuse = material.diffuse.map_or(Vec3::splat(fallback), color);
    let is_shiny = material.illumination_model.is_none_or(|model| model >= 2);
    let specular = material.specular.filter(|_| is_shiny);
    Material {
        // Exporters write black under a picture and mean white.
        diffuse: if texture.is_some() && diffuse.max_element() < 0.05 {
            Vec3::ONE
        } else {
            // Colours in MTL files are meant for a screen; and nothing is as black as theirs.
            diffuse.powf(2.2).max(Vec3::splat(BLACK))
        },
        specular: specular.map_or(Vec3::ZERO, color),
        shininess: material
            .shininess
            .filter(|it| it.is_finite())
            .unwrap_or(20.0)
            .clamp(2.0, 200.0),
        opacity: material
            .dissolve
            .filter(|it| it.is_finite())
            .unwrap_or(1.0)
            .clamp(0.0, 1.0),
        texture,
    }
}

fn unit_or_zero(value: f32) -> f32 {
    if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// The triangles of all parts of a file, in the file's space.
struct Builder {
    vertices: Vec<Vertex>,
    triangles: Vec<([u32; 3], u16)>,
    num_faces: usize,
    has_normals: bool,
}

impl Builder {
    fn new(models: &[tobj::Model]) -> Result<Self, MeshError> {
        let num_triangles = models
            .iter()
            .map(|model| model.mesh.indices.len() / 3)
            .sum();
        if num_triangles > MAX_TRIANGLES {
            return Err(MeshError::TooLarge {
                num_triangles,
                max: MAX_TRIANGLES,
            });
        }
        let num_vertices = models
            .iter()
            .map(|model| model.mesh.positions.len() / 3)
            .sum();
        let mut before = 0;
        for model in models {
            for position in model.mesh.positions.chunks_exact(3) {
                if position
                    .iter()
                    .any(|part| !part.is_finite() || part.abs() > 1e18)
                {
                    return Err(MeshError::NotFinite {
                        vertex: before,
                        num_vertices,
                        position: [position[0], position[1], position[2]],
                    });
                }
                before += 1;
            }
        }
        // A file where one part lacks them is shaded as one piece.
        let has_normals = models
            .iter()
            .all(|model| model.mesh.indices.is_empty() || !model.mesh.normals.is_empty());
        Ok(Self {
            vertices: Vec::with_capacity(num_vertices),
            triangles: Vec::with_capacity(num_triangles),
            num_faces: num_triangles,
            has_normals,
        })
    }

    fn add(&mut self, mesh: &tobj::Mesh, materials: &[Material]) {
        let first = self.vertices.len() as u32;
        let (normals, uvs) = (&mesh.normals, &mesh.texcoords);
        for (vertex, position) in mesh.positions.chunks_exact(3).enumerate() {
            let normal = normals.get(3 * vertex..3 * vertex + 3);
            let uv = uvs.get(2 * vertex..2 * vertex + 2);
            let finite = |value: f32| if value.is_finite() { value } else { 0.0 };
            self.vertices.push(Vertex {
                position: Vec3::from_slice(position),
                normal: normal.map_or(Vec3::ZERO, |it| Vec3::from_slice(it).map(finite)),
                uv: uv.map_or(Vec2::ZERO, |it| Vec2::from_slice(it).map(finite)),
                openness: 1.0,
            });
        }
        let material = mesh.material_id.filter(|&id| id + 1 < materials.len());
        let material = material.unwrap_or(materials.len() - 1);
        if materials[material].opacity < CLEAR {
            return;
        }
        for corners in mesh.indices.chunks_exact(3) {
            let triangle = [corners[0], corners[1], corners[2]].map(|corner| first + corner);
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
        let is_solid = |material: u16| materials[usize::from(material)].opacity >= SOLID;
        self.triangles
            .sort_by_key(|&(_, material)| !is_solid(material)); // stable
        let num_opaque = self
            .triangles
            .iter()
            .filter(|(_, material)| is_solid(*material))
            .count();
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

    /// Turns, scales to the sides that the catalogue states, centres, and scales to unit radius.
    fn bring_to_unit_size(&mut self, pose: Mat3, size: Option<Vec3>) -> Vec3 {
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for (triangle, _) in &self.triangles {
            for &vertex in triangle {
                let position = pose * self.vertices[vertex as usize].position;
                (low, high) = (low.min(position), high.max(position));
            }
        }
        let extent = (high - low).max(Vec3::splat((high - low).max_element() * 1e-6));
        let center = (low + high) / 2.0;
        let stretch = size.map_or(Vec3::ONE, |size| size / extent);
        let half = extent * stretch / 2.0;
        let scale = stretch / half.length();
        for vertex in &mut self.vertices {
            vertex.position = (pose * vertex.position - center) * scale;
            // Normals turn with the surface, so they shrink where it grows.
            vertex.normal = (pose * vertex.normal / scale).normalize_or_zero();
        }
        half / half.length()
    }
}

/// A corner whose stated normal is no direction gets that of a face it belongs to.
fn fill_in_normals(vertices: &mut [Vertex], triangles: &[[u32; 3]]) {
    for triangle in triangles {
        if triangle
            .iter()
            .all(|&it| vertices[it as usize].normal != Vec3::ZERO)
        {
            continue;
        }
        let [a, b, c] = triangle.map(|vertex| vertices[vertex as usize].position);
        let face = (b - a).cross(c - a).normalize_or(Vec3::Y);
        for &vertex in triangle {
            let normal = &mut vertices[vertex as usize].normal;
            if *normal == Vec3::ZERO {
                *normal = face;
            }
        }
    }
}
