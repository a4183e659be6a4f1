//! A picture on a surface, with smaller copies of itself for when it is seen from afar.

use glam::{Vec2, Vec4};
use image::imageops::{self, FilterType};
use image::{ImageReader, RgbaImage};

use super::MeshError;
use crate::color::{linear_from_srgb, srgb_from_linear};
use crate::raster::floor;

/// The most that is read, px a side.
const MAX_SIDE_READ: u32 = 8192;
/// The most that is kept, px a side: objects fill at most an image.
const MAX_SIDE_KEPT: u32 = 1024;

/// A picture and its halvings down to one pixel (mip-mapping, Williams 1983).
#[derive(Debug, Clone)]
pub struct Texture {
    levels: Vec<Level>,
    has_holes: bool,
}

#[derive(Debug, Clone)]
struct Level {
    width: u32,
    height: u32,
    /// sRGB with straight alpha, row after row from the top.
    texels: Vec<[u8; 4]>,
}

impl Texture {
    /// Decodes PNG, JPEG, BMP or TGA; `alpha`, where given, is a gray picture of the same space whose
    /// brightness is the opacity.
    ///
    /// # Errors
    /// [`MeshError::Texture`] and [`MeshError::TextureSize`], with `name`.
    pub fn decode(
        name: &str,
        bytes: &[u8],
        alpha: Option<(&str, &[u8])>,
    ) -> Result<Self, MeshError> {
        let mut picture = decode(name, bytes)?;
        if let Some((alpha_name, alpha)) = alpha {
            let alpha = decode(alpha_name, alpha)?;
            let alpha = fitted(alpha, picture.width(), picture.height());
            for (pixel, opacity) in picture.pixels_mut().zip(alpha.pixels()) {
                // A map with an alpha channel of its own carries the opacity there.
                let value = if opacity[3] < 255 {
                    opacity[3]
                } else {
                    opacity[0]
                };
                pixel[3] = value;
            }
        }
        Ok(Self::from_rgba(&picture))
    }

    pub(super) fn from_rgba(picture: &RgbaImage) -> Self {
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
        Self { levels, has_holes }
    }

    /// Whether it has pixels that show what is behind.
    pub fn has_holes(&self) -> bool {
        self.has_holes
    }

    /// Number of pixels of the largest level.
    pub fn area(&self) -> f32 {
        self.levels[0].width as f32 * self.levels[0].height as f32
    }

    pub(super) fn num_bytes(&self) -> usize {
        let levels = self.levels.iter();
        levels
            .map(|level| size_of_val(level.texels.as_slice()))
            .sum()
    }

    /// Linear red, green and blue, and the opacity, at `uv`, blended between the two levels around `lod`.
    ///
    /// - `lod`: log2 of how many pixels of the picture, along a side, one sample covers.
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

    /// The opacity alone, of one level.
    pub fn opacity(&self, uv: Vec2, lod: f32) -> f32 {
        let last = self.levels.len() - 1;
        let level = &self.levels[(lod.max(0.0) as usize).min(last)];
        let (x, y) = level.texel_at(uv);
        f32::from(level.at(x as i32, y as i32)[3]) / 255.0
    }
}

impl Level {
    /// Texel coordinates of `uv`, from the upper left corner; the picture repeats.
    fn texel_at(&self, uv: Vec2) -> (f32, f32) {
        let part = |at: f32| at - floor(at) as f32;
        let (u, v) = (part(uv.x), 1.0 - part(uv.y));
        (u * self.width as f32, v * self.height as f32)
    }

    fn at(&self, x: i32, y: i32) -> [u8; 4] {
        // Coordinates are at most one texel outside.
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

    /// Half the sides, each texel the mean light of those it covers, weighted by their opacity.
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
                    let weight = color.w + 1e-4; // colours under holes count where nothing else does
                    sum += (color * weight).with_w(color.w);
                    weights += weight;
                }
                let color = sum / weights;
                let alpha = sum.w / 4.0;
                texels.push([
                    srgb_from_linear(color.x),
                    srgb_from_linear(color.y),
                    srgb_from_linear(color.z),
                    (alpha * 255.0 + 0.5) as u8,
                ]);
            }
        }
        Some(Self {
            width,
            height,
            texels,
        })
    }
}

fn linear([r, g, b, a]: [u8; 4]) -> Vec4 {
    Vec4::new(
        linear_from_srgb(r),
        linear_from_srgb(g),
        linear_from_srgb(b),
        f32::from(a) * (1.0 / 255.0),
    )
}

fn decode(name: &str, bytes: &[u8]) -> Result<RgbaImage, MeshError> {
    let failed = |source| MeshError::Texture {
        name: name.to_owned(),
        source,
    };
    let reader = || {
        let reader = ImageReader::new(std::io::Cursor::new(bytes));
        // TGA has no mark at its beginning: there the name must tell.
        let by_name = image::ImageFormat::from_path(name).ok();
        let mut reader = reader
            .with_guessed_format()
            .map_err(image::ImageError::IoError)?;
        if let (None, Some(format)) = (reader.format(), by_name) {
            reader.set_format(format);
        }
        Ok(reader)
    };
    let (width, height) = reader()
        .and_then(ImageReader::into_dimensions)
        .map_err(failed)?;
    if width.max(height) > MAX_SIDE_READ {
        return Err(MeshError::TextureSize {
            name: name.to_owned(),
            width,
            height,
            max_side: MAX_SIDE_READ,
        });
    }
    let picture = reader().and_then(ImageReader::decode).map_err(failed)?;
    let (width, height) = (width.min(MAX_SIDE_KEPT), height.min(MAX_SIDE_KEPT));
    Ok(fitted(picture.into_rgba8(), width, height))
}

fn fitted(picture: RgbaImage, width: u32, height: u32) -> RgbaImage {
    if (picture.width(), picture.height()) == (width, height) {
        return picture;
    }
    imageops::resize(&picture, width, height, FilterType::Triangle)
}
