//! Materials and textures of an MTL file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use glam::Vec3;

use super::{Material, MeshError, Texture};
use crate::catalog::{CatalogError, ObjectFiles};

/// Maximum number of materials; each may have a texture.
const MAX_MATERIALS: usize = 1000;
/// Minimum diffuse reflectance: that of black paint.
const BLACK: f32 = 0.025;

/// Converts `materials` and decodes their textures. The last of the returned materials is the default one, for faces
/// without a material.
pub(super) fn read_materials(
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
    let mut indices: HashMap<(&str, Option<&str>), u16> = HashMap::new();
    let mut converted = Vec::with_capacity(materials.len() + 1);
    for material in materials {
        let alpha = material.dissolve_texture.as_deref().map(file_name);
        let texture = match material.diffuse_texture.as_deref().map(file_name) {
            None => None,
            Some(name) => Some(match indices.entry((name, alpha)) {
                Entry::Occupied(index) => *index.get(),
                Entry::Vacant(index) => {
                    textures.push(read_texture(name, alpha, files)?);
                    *index.insert((textures.len() - 1) as u16)
                }
            }),
        };
        converted.push(convert(material, texture));
    }
    converted.push(convert(&tobj::Material::default(), None));
    Ok((converted, textures))
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

/// Bytes of a file that the MTL names. If the MTL names a path on its author's disk, the file of that name beside the
/// model is read.
fn read_named(name: &str, files: &mut ObjectFiles) -> Result<Vec<u8>, CatalogError> {
    files
        .read(name)
        .or_else(|err| match name.rsplit_once(['/', '\\']) {
            Some((_, last)) => files.read(last).map_err(|_| err),
            None => Err(err),
        })
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
