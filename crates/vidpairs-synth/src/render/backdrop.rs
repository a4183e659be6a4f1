//! Background of the scene: a plain colour or a picture.

use glam::{Vec2, Vec3, Vec4};
use vidpairs_types::RgbImage;

use crate::color::linear_from_srgb;
use crate::raster::floor;

/// Background of the scene. It moves with the camera; nothing in it moves by itself.
#[derive(Debug, Clone, Copy)]
pub enum Backdrop<'a> {
    /// One colour, linear RGB.
    Plain(Vec3),
    /// A picture.
    Picture(Picture<'a>),
}

/// Picture behind the objects, mirrored at its borders.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// Pixels of the picture.
    pub image: &'a RgbImage,
    /// Scale: picture px per height of the rendered image.
    pub px_per_height: f32,
}

/// A backdrop in linear light; its buffer is reused.
#[derive(Default)]
pub(super) struct Behind {
    plain: Vec3,
    /// Pixels of the picture, row by row; empty for a plain colour.
    light: Vec<Vec4>,
    width: i32,
    height: i32,
    px_per_height: f32,
}

impl Behind {
    /// Replaces the backdrop.
    pub fn set(&mut self, backdrop: &Backdrop<'_>) {
        self.light.clear();
        match backdrop {
            Backdrop::Plain(color) => self.plain = *color,
            Backdrop::Picture(Picture {
                image,
                px_per_height,
            }) => {
                (self.width, self.height) = (image.size.width as i32, image.size.height as i32);
                self.px_per_height = *px_per_height;
                let (pixels, _) = image.pixels.as_chunks::<3>();
                let linear = |rgb: &[u8; 3]| Vec3::from(rgb.map(linear_from_srgb)).extend(0.0);
                self.light.extend(pixels.iter().map(linear));
            }
        }
    }

    /// Light at `at`, image heights right of and below the image centre; bilinear interpolation.
    #[inline]
    pub fn light_at(&self, at: Vec2) -> Vec3 {
        if self.light.is_empty() {
            return self.plain;
        }
        let x = at.x * self.px_per_height + 0.5 * self.width as f32 - 0.5;
        let y = at.y * self.px_per_height + 0.5 * self.height as f32 - 0.5;
        let (left, top) = (floor(x), floor(y));
        let (dx, dy) = (x - left as f32, y - top as f32);
        let (columns, rows) =
            if left >= 0 && top >= 0 && left + 1 < self.width && top + 1 < self.height {
                let (left, top) = (left as usize, top as usize);
                ([left, left + 1], [top, top + 1])
            } else {
                (
                    [mirrored(left, self.width), mirrored(left + 1, self.width)],
                    [mirrored(top, self.height), mirrored(top + 1, self.height)],
                )
            };
        let light = |column: usize, row: usize| self.light[row * self.width as usize + column];
        let upper = light(columns[0], rows[0]).lerp(light(columns[1], rows[0]), dx);
        let lower = light(columns[0], rows[1]).lerp(light(columns[1], rows[1]), dx);
        upper.lerp(lower, dy).truncate()
    }
}

/// `at` mirrored into `0..side`.
#[inline]
fn mirrored(at: i32, side: i32) -> usize {
    if (0..side).contains(&at) {
        return at as usize;
    }
    let at = at.rem_euclid(2 * side);
    (if at < side { at } else { 2 * side - 1 - at }) as usize
}

#[cfg(test)]
mod tests {
    use super::mirrored;

    #[test]
    fn a_picture_is_mirrored_at_its_borders() {
        let places: Vec<usize> = (-4..8).map(|at| mirrored(at, 3)).collect();
        assert_eq!(places, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }
}
