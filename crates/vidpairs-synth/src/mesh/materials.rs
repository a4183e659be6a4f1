//! Materials and textures of an MTL file.

use std::collections::HashMap;
use std::ffi::OsString;

use glam::Vec3;

use super::{MAX_MATERIALS, Material, MeshError, Texture};
use crate::catalog::{CatalogError, ObjectFiles};

/// Maximum size of the decoded textures of an object, bytes: about 90 of the largest.
const MAX_TEXTURE_BYTES: usize = 512 << 20;
/// Minimum diffuse reflectance: that of black paint.
const BLACK: f32 = 0.025;

/// Converts `materials` and decodes their textures. The last of the returned materials is the default one, for faces
/// without a material.
pub(super) fn read_materials(
    materials: &[tobj::Material],
    files: &mut ObjectFiles,
) -> Result<(Vec<Material>, Vec<Texture>), MeshError> {
    MeshError::check("materials", materials.len(), MAX_MATERIALS)?;
    let mut textures = Textures {
        files,
        indices: HashMap::new(),
        decoded: Vec::new(),
        num_bytes: 0,
    };
    let mut converted = Vec::with_capacity(materials.len() + 1);
    for material in materials {
        let alpha = material.dissolve_texture.as_deref().map(file_name);
        let texture = match material.diffuse_texture.as_deref().map(file_name) {
            None => None,
            Some(name) => Some(textures.index(name, alpha)?),
        };
        converted.push(convert(material, texture));
    }
    converted.push(convert(&tobj::Material::default(), None));
    Ok((converted, textures.decoded))
}

/// Textures of one object, each decoded once whatever names it has.
struct Textures<'a> {
    files: &'a mut ObjectFiles,
    /// By the places of the texture and of its opacity.
    indices: HashMap<(OsString, Option<OsString>), u16>,
    decoded: Vec<Texture>,
    num_bytes: usize,
}

impl Textures<'_> {
    /// Index of the texture in file `name`, with its opacity in file `alpha`.
    fn index(&mut self, name: &str, alpha: Option<&str>) -> Result<u16, MeshError> {
        let (name, place) = self.locate(name)?;
        let alpha = alpha.map(|alpha| self.locate(alpha)).transpose()?;
        let alpha = alpha.filter(|(_, alpha)| *alpha != place);
        let key = (place, alpha.as_ref().map(|(_, place)| place.clone()));
        if let Some(&index) = self.indices.get(&key) {
            return Ok(index);
        }
        let bytes = self.files.read(name)?;
        let texture = match alpha {
            Some((alpha, _)) => {
                let opacity = self.files.read(alpha)?;
                Texture::decode(name, &bytes, Some((alpha, &opacity)))?
            }
            None => Texture::decode(name, &bytes, None)?,
        };
        self.num_bytes += texture.num_bytes();
        MeshError::check("bytes of textures", self.num_bytes, MAX_TEXTURE_BYTES)?;
        let index = self.decoded.len() as u16; // at most `MAX_MATERIALS`
        self.decoded.push(texture);
        self.indices.insert(key, index);
        Ok(index)
    }

    /// A file that the MTL names, under the name by which it is found, and its place. If the MTL names a path on its author's disk, the
    /// file of that name beside the model is taken.
    fn locate<'n>(&self, name: &'n str) -> Result<(&'n str, OsString), CatalogError> {
        let located = |name: &'n str| self.files.locate(name).map(|place| (name, place));
        located(name).or_else(|err| match name.rsplit_once(['/', '\\']) {
            Some((_, last)) => located(last).map_err(|_| err),
            None => Err(err),
        })
    }
}

/// File name of a `map_` statement, in which options (`-s 1 1 1`) come first.
fn file_name(statement: &str) -> &str {
    match statement.rsplit_once(' ') {
        Some((_, name)) if statement.starts_with('-') => name,
        _ => statement,
    }
}

fn convert(material: &tobj::Material, texture: Option<u16>) -> Material {
    let color = |color: [f32; 3]| {
        Vec3::from_array(color.map(|value| finite_or(Some(value), 0.0).clamp(0.0, 1.0)))
    };
    // Without a stated colour, a texture keeps its colours and a bare surface is light gray.
    let fallback = if texture.is_some() { 1.0 } else { 0.8 };
    let diffuse = material.diffuse.map_or(Vec3::splat(fallback), color);
    let is_shiny = material.illumination_model.is_none_or(|model| model >= 2);
    let specular = material.specular.filter(|_| is_shiny);
    Material {
        // Exporters write black for a textured surface and mean white.
        diffuse: if texture.is_some() && diffuse.max_element() < 0.05 {
            Vec3::ONE
        } else {
            // Colours in MTL files are sRGB, and darker than any real surface.
            diffuse.powf(2.2).max(Vec3::splat(BLACK))
        },
        specular: specular.map_or(Vec3::ZERO, color),
        shininess: finite_or(material.shininess, 20.0).clamp(2.0, 200.0),
        opacity: finite_or(material.dissolve, 1.0).clamp(0.0, 1.0),
        texture,
    }
}

fn finite_or(value: Option<f32>, default: f32) -> f32 {
    value.filter(|value| value.is_finite()).unwrap_or(default)
}
