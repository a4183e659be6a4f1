//! Loads objects as triangle meshes with materials and textures.
//!
//! **Takes** the files of a [`CatalogObject`](super::catalog::CatalogObject). **Gives** a [`Mesh`] of unit size in the
//! standard pose. **Fails** with [`MeshError`]: leave the object out. **Source**: the OBJ and MTL formats as Wavefront
//! documented them, read by `tobj`.

mod corners;
mod libraries;
mod load;
mod materials;
mod normals;
mod occlusion;
mod texture;

pub use load::load;
pub use texture::Texture;

use glam::{Vec2, Vec3};
use vidpairs_image::jpeg::JpegError;

use super::catalog::CatalogError;

/// Maximum number of materials; each may have a texture.
const MAX_MATERIALS: usize = 1000;

/// Why an object cannot be rendered. Leave it out; the next one may be fine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeshError {
    /// A file of the object cannot be read.
    #[error(transparent)]
    Files(#[from] CatalogError),
    /// The OBJ file is not valid OBJ.
    #[error("damaged OBJ")]
    Obj(#[source] tobj::LoadError),
    /// The material library of the OBJ is not valid MTL.
    #[error("damaged MTL")]
    Mtl(#[source] tobj::LoadError),
    /// A texture cannot be decoded.
    #[error("damaged texture {name}")]
    Texture {
        /// File name in the MTL.
        name: String,
        /// Error of the decoder.
        #[source]
        source: image::ImageError,
    },
    /// A JPEG texture cannot be decoded.
    #[error("damaged texture {name}")]
    JpegTexture {
        /// File name in the MTL.
        name: String,
        /// Error of the decoder.
        #[source]
        source: JpegError,
    },
    /// A texture has more pixels than any object needs.
    #[error("texture {name} is {width} x {height} px; expected at most {max_side} px a side")]
    TextureSize {
        /// File name in the MTL.
        name: String,
        /// Width, px.
        width: u32,
        /// Height, px.
        height: u32,
        /// Maximum side, px.
        max_side: u32,
    },
    /// A coordinate is NaN, infinite, or too large to compute with.
    #[error("vertex {vertex} of {num_vertices} is not finite: {position:?}")]
    NotFinite {
        /// Index of the vertex.
        vertex: usize,
        /// Number of vertices.
        num_vertices: usize,
        /// Coordinates of the vertex.
        position: [f32; 3],
    },
    /// No triangle has an area.
    #[error("no face with an area among {num_faces}")]
    Empty {
        /// Number of faces.
        num_faces: usize,
    },
    /// A colour of a material is not as the format wants it.
    #[error(
        "line {line} of {file} is {statement:?}; expected a colour as three numbers: repair the file"
    )]
    Color {
        /// File name in the OBJ.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The line, shortened.
        statement: String,
    },
    /// The reader of OBJ and MTL files failed where it should have stated an error.
    #[error("damaged OBJ or MTL: its reader failed with the message: {0}")]
    Reader(String),
    /// The object has more of something than any object needs.
    #[error("{num} {what}; expected at most {max}: simplify the object")]
    TooLarge {
        /// Unit of the numbers: `triangles`.
        what: &'static str,
        /// Number found, at least.
        num: usize,
        /// Maximum number.
        max: usize,
    },
}

impl MeshError {
    /// Checks a number of `what`.
    fn check(what: &'static str, num: usize, max: usize) -> Result<(), Self> {
        match num > max {
            true => Err(Self::TooLarge { what, num, max }),
            false => Ok(()),
        }
    }
}

/// Appearance of a surface.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// Diffuse reflectance, linear red, green, blue, `0.0..=1.0`.
    pub diffuse: Vec3,
    /// Specular reflectance, linear.
    pub specular: Vec3,
    /// Exponent of the highlight (Blinn and Phong).
    pub shininess: f32,
    /// Opacity: 1 is opaque, 0 invisible.
    pub opacity: f32,
    /// Texture, an index into [`Mesh::textures`]. It multiplies `diffuse`; its alpha cuts holes.
    pub texture: Option<u16>,
}

/// Corner of a triangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vertex {
    /// Position in object space: the object's box is centred at the origin, its corners are 1 away; y is up, the front
    /// faces +z.
    pub position: Vec3,
    /// Unit normal; outward if the file states so. Both sides of a surface are shown.
    pub normal: Vec3,
    /// Texture coordinates: (0, 0) is the lower left corner; the texture repeats.
    pub uv: Vec2,
    /// Share of the sky that the surface sees past the rest of the object, `0.0..=1.0`.
    pub openness: f32,
}

/// Triangle mesh of an object, ready to render.
#[derive(Debug, Clone)]
pub struct Mesh {
    /// Vertices, shared by triangles.
    pub vertices: Vec<Vertex>,
    /// Corners of each triangle, indices into `vertices`. Opaque triangles come first.
    pub triangles: Vec<[u32; 3]>,
    /// Material of each triangle, an index into `materials`.
    pub material_of: Vec<u16>,
    /// Number of opaque triangles.
    pub num_opaque: usize,
    /// All materials.
    pub materials: Vec<Material>,
    /// All textures.
    pub textures: Vec<Texture>,
    /// Half the sides of the object's box.
    pub half_size: Vec3,
}

impl Mesh {
    /// The three corners of triangle `triangle`.
    pub(super) fn corners(&self, triangle: usize) -> [&Vertex; 3] {
        self.triangles[triangle].map(|vertex| &self.vertices[vertex as usize])
    }

    /// Size in memory, about.
    pub fn num_bytes(&self) -> usize {
        let textures = self.textures.iter().map(Texture::num_bytes);
        size_of_val(&*self.vertices) + size_of_val(&*self.triangles) + textures.sum::<usize>()
    }
}
