//! Decodes and samples textures, with mipmap levels.

use std::io::Cursor;

use glam::{Vec2, Vec3, Vec4};
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Rgba, RgbaImage};

use vidpairs_image::jpeg::{self, RegionDecoder};
use vidpairs_image::still::StillFormat;

use super::MeshError;
use crate::color::{linear_from_srgb, srgb_from_linear};
use crate::raster::floor;

/// Maximum side of a texture file, px.
const MAX_SIDE_READ: u32 = 8192;
/// Side to which larger textures are scaled down, px: objects fill at most an image.
const MAX_SIDE_KEPT: u32 = 1024;
/// From here on, `f32` has no fractions.
const FIRST_WITHOUT_FRACTIONS: f32 = 8_388_608.0;

/// Texture with its mipmap levels down to one pixel (Williams 1983).
#[derive(Debug, Clone)]
pub struct Texture {
    levels: Vec<Level>,
    has_holes: bool,
}

#[derive(Debug, Clone)]
struct Level {
    width: u32,
    height: u32,
    /// sRGB with straight alpha, row by row from the top.
    texels: Vec<[u8; 4]>,
}

impl Texture {
    /// Decodes a PNG, JPEG, BMP or TGA file.
    ///
    /// - `name`: name of the file, for errors and to recognise TGA.
    /// - `alpha`: name and bytes of a second file, whose alpha or else brightness is the opacity.
    ///
    /// # Errors
    /// [`MeshError::Texture`] and [`MeshError::TextureSize`], with the name of the file.
    pub fn decode(
        name: &str,
        bytes: &[u8],
        alpha: Option<(&str, &[u8])>,
    ) -> Result<Self, MeshError> {
        let mut picture = decode(name, bytes)?;
        if let Some((alpha_name, alpha)) = alpha {
            let alpha = decode(alpha_name, alpha)?;
            let alpha = fitted(alpha, picture.width(), picture.height());
            for (pixel, &Rgba([gray, .., alpha])) in picture.pixels_mut().zip(alpha.pixels()) {
                pixel[3] = if alpha < 255 { alpha } else { gray };
            }
        }
        let has_holes = picture.pixels().any(|pixel| pixel[3] < 128);
        let texels = picture.pixels().map(|pixel| pixel.0).collect();
        let mut levels = vec![Level {
            width: picture.width(),
            height: picture.height(),
            texels,
        }];
        while let Some(next) = levels.last().and_then(Level::halved) {
            levels.push(next);
        }
        Ok(Self { levels, has_holes })
    }

    /// Size in memory, bytes.
    pub fn num_bytes(&self) -> usize {
        let texels = self.levels.iter().map(|level| level.texels.len());
        texels.sum::<usize>() * size_of::<[u8; 4]>()
    }

    /// Whether some texels are transparent.
    pub fn has_holes(&self) -> bool {
        self.has_holes
    }

    /// Number of texels of the largest level.
    pub fn area(&self) -> f32 {
        self.levels[0].width as f32 * self.levels[0].height as f32
    }

    /// Linear red, green and blue, and opacity, at `uv`, blended between the two levels around `lod`.
    ///
    /// - `lod`: mipmap level, log2 of the texels that a sample covers along a side.
    pub fn sample(&self, uv: Vec2, lod: f32) -> Vec4 {
        let last = self.levels.len() - 1;
        let lod = lod.clamp(0.0, last as f32);
        let fine = lod as usize;
        let (blend, coarse) = (lod - fine as f32, (fine + 1).min(last));
        let color = self.levels[fine].bilinear(uv);
        if blend < 0.02 {
            return color;
        }
        color.lerp(self.levels[coarse].bilinear(uv), blend)
    }

    /// Opacity at `uv` in the level below `lod`, not interpolated.
    pub fn opacity(&self, uv: Vec2, lod: f32) -> f32 {
        let last = self.levels.len() - 1;
        let level = &self.levels[(lod.max(0.0) as usize).min(last)];
        let (x, y) = level.texel_at(uv);
        f32::from(level.at(x as i32, y as i32)[3]) / 255.0
    }
}

impl Level {
    /// Position of `uv` in texels from the upper left corner; the texture repeats.
    fn texel_at(&self, uv: Vec2) -> (f32, f32) {
        let part = |at: f32| {
            let at = at.clamp(-FIRST_WITHOUT_FRACTIONS, FIRST_WITHOUT_FRACTIONS);
            at - floor(at) as f32
        };
        let (u, v) = (part(uv.x), 1.0 - part(uv.y));
        (u * self.width as f32, v * self.height as f32)
    }

    /// Texel at column `x` and row `y`, which are at most one texel outside.
    fn at(&self, x: i32, y: i32) -> [u8; 4] {
        let wrap = |at: i32, side: u32| -> usize {
            let side = side as i32;
            (if at < 0 {
                at + side
            } else if at >= side {
                at - side
            } else {
                at
            })
            .clamp(0, side - 1) as usize
        };
        self.texels[wrap(y, self.height) * self.width as usize + wrap(x, self.width)]
    }

    fn bilinear(&self, uv: Vec2) -> Vec4 {
        let (x, y) = self.texel_at(uv);
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (floor(x), floor(y));
        let (dx, dy) = (x - left as f32, y - top as f32);
        let texel = |x, y| linear(self.at(x, y));
        let upper = texel(left, top).lerp(texel(left + 1, top), dx);
        let lower = texel(left, top + 1).lerp(texel(left + 1, top + 1), dx);
        upper.lerp(lower, dy)
    }

    /// The next level, of half the sides: each texel is the mean light of the texels it covers, weighted by their opacity.
    fn halved(&self) -> Option<Self> {
        if self.width == 1 && self.height == 1 {
            return None;
        }
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut texels = Vec::with_capacity((width * height) as usize);
        for y in 0..height {
            for x in 0..width {
                let (mut sum, mut weights) = (Vec4::ZERO, 0.0);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let x = (2 * x + dx).min(self.width - 1) as i32;
                    let y = (2 * y + dy).min(self.height - 1) as i32;
                    let color = linear(self.at(x, y));
                    let weight = color.w + 1e-4; // colours of holes count only where all texels are holes
                    sum += (color * weight).with_w(color.w);
                    weights += weight;
                }
                let color = (sum / weights).truncate();
                let [r, g, b] = color.to_array().map(srgb_from_linear);
                texels.push([r, g, b, (sum.w / 4.0 * 255.0 + 0.5) as u8]);
            }
        }
        Some(Self {
            width,
            height,
            texels,
        })
    }
}

fn linear([r, g, b, alpha]: [u8; 4]) -> Vec4 {
    let color = Vec3::from([r, g, b].map(linear_from_srgb));
    color.extend(f32::from(alpha) * (1.0 / 255.0))
}

fn decode(name: &str, bytes: &[u8]) -> Result<RgbaImage, MeshError> {
    let picture = match StillFormat::of(bytes) {
        // libjpeg-turbo notices damage that the other decoder fills with gray.
        Ok(StillFormat::Jpeg) => decode_jpeg(name, bytes)?,
        _ => decode_with_alpha(name, bytes)?,
    };
    let (width, height) = picture.dimensions();
    Ok(fitted(
        picture,
        width.min(MAX_SIDE_KEPT),
        height.min(MAX_SIDE_KEPT),
    ))
}

fn decode_jpeg(name: &str, bytes: &[u8]) -> Result<RgbaImage, MeshError> {
    let failed = |source| MeshError::JpegTexture {
        name: name.to_owned(),
        source,
    };
    let mut decoder = RegionDecoder::new().map_err(failed)?;
    // The coordinates of a mesh count in the stored picture.
    let (size, _) = decoder.read_orientation(bytes).map_err(failed)?;
    check_size(name, size.width, size.height)?;
    let stored = jpeg::decode_stored(bytes).map_err(failed)?;
    let (pixels, _) = stored.pixels.as_chunks::<3>();
    let texels = pixels
        .iter()
        .flat_map(|&[r, g, b]| [r, g, b, 255])
        .collect();
    let picture = RgbaImage::from_raw(size.width, size.height, texels);
    Ok(picture.expect("a decoded picture has three samples per pixel"))
}

fn decode_with_alpha(name: &str, bytes: &[u8]) -> Result<RgbaImage, MeshError> {
    let failed = |source| MeshError::Texture {
        name: name.to_owned(),
        source,
    };
    let open = || -> ImageResult<_> {
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
        // TGA files have no signature: the name decides.
        if reader.format().is_none()
            && let Ok(format) = ImageFormat::from_path(name)
        {
            reader.set_format(format);
        }
        reader.into_decoder()
    };
    let decoder = open().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(name, width, height)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok(picture.into_rgba8())
}

fn check_size(name: &str, width: u32, height: u32) -> Result<(), MeshError> {
    if width.max(height) <= MAX_SIDE_READ {
        return Ok(());
    }
    Err(MeshError::TextureSize {
        name: name.to_owned(),
        width,
        height,
        max_side: MAX_SIDE_READ,
    })
}

fn fitted(picture: RgbaImage, width: u32, height: u32) -> RgbaImage {
    if (picture.width(), picture.height()) == (width, height) {
        return picture;
    }
    imageops::resize(&picture, width, height, FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_coordinate_is_a_whole_number_of_repetitions() {
        let picture = RgbaImage::from_fn(2, 2, |x, y| {
            Rgba([(x * 200) as u8, (y * 200) as u8, 0, 255])
        });
        let mut png = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .expect("it writes to memory");
        let texture = Texture::decode("checks.png", &png, None).expect("it is a PNG");
        let at_zero = texture.sample(Vec2::ZERO, 0.0);
        for far in [3e9, -3e9, 1e30, -1e30] {
            assert_eq!(texture.sample(Vec2::splat(far), 0.0), at_zero, "{far}");
            assert_eq!(texture.opacity(Vec2::splat(far), 0.0), 1.0, "{far}");
        }
    }
}
