//! What is behind the objects.

use glam::{Vec2, Vec3, Vec4};
use vidpairs_types::RgbImage;

use crate::color::linear_from_srgb;
use crate::raster::floor;

/// What is behind the objects: it moves with the camera, nothing moves in it.
#[derive(Debug, Clone, Copy)]
pub enum Backdrop<'a> {
    /// One linear colour.
    Plain(Vec3),
    /// A picture.
    Picture(Picture<'a>),
}

/// A picture behind the objects; past its rim it is mirrored.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// The picture.
    pub image: &'a RgbImage,
    /// How many of its px are one height of the rendered image.
    pub px_per_height: f32,
}

/// A backdrop in linear light; keeps its buffer from one to the next.
#[derive(Default)]
pub(super) struct Behind {
    plain: Vec3,
    /// Of the picture; none for a plain colour.
    light: Vec<Vec4>,
    width: i32,
    height: i32,
    px_per_height: f32,
}

impl Behind {
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
                self.light.extend(image.pixels.chunks_exact(3).map(|pixel| {
                    Vec4::new(
                        linear_from_srgb(pixel[0]),
                        linear_from_srgb(pixel[1]),
                        linear_from_srgb(pixel[2]),
                        0.0,
                    )
                }));
            }
        }
    }

    /// The light from a place, heights of the rendered image right of and below the centre; bilinear
    /// between the four nearest px.
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

/// `at` within `0..side`, as if mirrors stood at both ends.
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
    fn a_picture_is_mirrored_at_its_rims() {
        let places: Vec<usize> = (-4..8).map(|at| mirrored(at, 3)).collect();
        assert_eq!(places, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }
}
