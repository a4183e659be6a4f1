//! An object as triangles: shape, materials, pictures on its surface.
//!
//! **Takes** the files of a [`CatalogObject`](super::catalog::CatalogObject). **Gives** a [`Mesh`] of
//! unit size in a standard pose. **Fails** with [`MeshError`]: leave the object out. **Source**: the
//! OBJ and MTL formats as Wavefront documented them, read by `tobj`.

mod corners;
mod load;
mod normals;
mod occlusion;
mod texture;

pub use load::load;
pub use texture::Texture;

use glam::{Vec2, Vec3};

use super::catalog::CatalogError;

/// Why an object cannot be rendered. Leave it out; the next one may be fine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeshError {
    /// A file of the object cannot be read.
    #[error(transparent)]
    Files(#[from] CatalogError),
    /// The OBJ is no OBJ.
    #[error("damaged OBJ")]
    Obj(#[source] tobj::LoadError),
    /// The OBJ's material library is no MTL.
    #[error("damaged MTL")]
    Mtl(#[source] tobj::LoadError),
    /// A picture that the MTL names cannot be decoded.
    #[error("damaged texture {name}")]
    Texture {
        /// As the MTL names it.
        name: String,
        /// The decoder's word.
        #[source]
        source: image::ImageError,
    },
    /// A picture of more pixels than any object needs.
    #[error("texture {name} is {width} x {height} px; at most {max_side} px a side are accepted")]
    TextureSize {
        /// As the MTL names it.
        name: String,
        /// px.
        width: u32,
        /// px.
        height: u32,
        /// The most that is accepted, px.
        max_side: u32,
    },
    /// A coordinate is NaN or infinite.
    #[error("vertex {vertex} of {num_vertices} is not finite: {position:?}")]
    NotFinite {
        /// Place among the vertices, from 0.
        vertex: usize,
        /// How many there are.
        num_vertices: usize,
        /// As read.
        position: [f32; 3],
    },
    /// No triangle with an area.
    #[error("no face with an area among {num_faces}")]
    Empty {
        /// Faces read.
        num_faces: usize,
    },
    /// More materials than any object needs.
    #[error("{num_materials} materials; at most {max} are accepted")]
    TooManyMaterials {
        /// Materials read.
        num_materials: usize,
        /// The most that is accepted.
        max: usize,
    },
    /// More triangles than any object needs.
    #[error("{num_triangles} triangles; at most {max} are accepted")]
    TooLarge {
        /// Triangles read.
        num_triangles: usize,
        /// The most that is accepted.
        max: usize,
    },
}

/// How a surface looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// Diffuse reflectance, linear red, green, blue, `0.0..=1.0`.
    pub diffuse: Vec3,
    /// Specular reflectance, linear.
    pub specular: Vec3,
    /// Exponent of the highlight (Blinn and Phong).
    pub shininess: f32,
    /// 1 hides what is behind, 0 can't be seen.
    pub opacity: f32,
    /// Index into [`Mesh::textures`]: multiplies `diffuse`, and its alpha cuts holes.
    pub texture: Option<u16>,
}

/// A corner of a triangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vertex {
    /// In the object's space: its box is centred at the origin, its farthest corner 1 away; y is up,
    /// the front looks along +z.
    pub position: Vec3,
    /// Unit length, outwards where the file says so; both sides of a surface are shown.
    pub normal: Vec3,
    /// Place in the texture: (0, 0) is its lower left corner, it repeats.
    pub uv: Vec2,
    /// Share of the sky that the surface sees past the rest of the object, `0.0..=1.0`.
    pub openness: f32,
}

/// An object, ready to render.
#[derive(Debug, Clone)]
pub struct Mesh {
    /// Corners that triangles share.
    pub vertices: Vec<Vertex>,
    /// Three indices into `vertices` each; those that hide what is behind come first.
    pub triangles: Vec<[u32; 3]>,
    /// Index into `materials` of every triangle.
    pub material_of: Vec<u16>,
    /// How many of the triangles, from the first, are opaque.
    pub num_opaque: usize,
    /// All materials.
    pub materials: Vec<Material>,
    /// All pictures.
    pub textures: Vec<Texture>,
    /// Half the sides of the object's box.
    pub half_size: Vec3,
}

impl Mesh {
    /// Bytes that the mesh takes in memory.
    pub fn num_bytes(&self) -> usize {
        let vertices = size_of_val(self.vertices.as_slice());
        let triangles = size_of_val(self.triangles.as_slice());
        let textures: usize = self.textures.iter().map(Texture::num_bytes).sum();
        vertices + triangles + 2 * self.material_of.len() + textures
    }

    /// The three corners of triangle `triangle`.
    pub(super) fn corners(&self, triangle: usize) -> [&Vertex; 3] {
        self.triangles[triangle].map(|vertex| &self.vertices[vertex as usize])
    }
}
