//! Reads the planes of a frame row by row, and turns stored pictures upright.

use std::ops::Range;

use super::{Orientation, Planes, SizePx};

/// A plane holds fewer bytes than its rows need: a bug in a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("plane {plane} of a frame of {frame} has {got} bytes, fewer than its rows need")]
pub struct ShortPlane {
    /// Number of the plane, from 0.
    pub plane: usize,
    /// Size of the stored frame.
    pub frame: SizePx,
    /// Bytes in the plane.
    pub got: usize,
}

/// One plane of a frame, checked to hold all of its rows.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// `size.height` rows of `stride_bytes` each, padding included; little-endian u16 above 8 bits.
    pub bytes: &'a [u8],
    /// Bytes from one row to the next.
    pub stride_bytes: usize,
    /// Columns and rows of samples.
    pub size: SizePx,
    /// Bits per sample, 8 to 16.
    pub bit_depth: u8,
}

impl Planes {
    /// Plane `plane` of the stored picture.
    ///
    /// # Errors
    /// [`ShortPlane`] if the plane has no samples, fewer than `stride * height` bytes, or rows longer than the stride.
    pub fn plane(&self, plane: usize) -> Result<Plane<'_>, ShortPlane> {
        let all = self.bytes.plane(plane);
        let size = self.layout.plane_size(self.stored_size, plane);
        let stride_bytes = self.bytes.stride_bytes(plane);
        let row_bytes = size.width as usize * sample_bytes(self.bit_depth);
        all.get(..stride_bytes * size.height as usize)
            .filter(|_| size.area() > 0 && row_bytes <= stride_bytes)
            .map(|bytes| Plane {
                bytes,
                stride_bytes,
                size,
                bit_depth: self.bit_depth,
            })
            .ok_or(ShortPlane {
                plane,
                frame: self.stored_size,
                got: all.len(),
            })
    }
}

impl<'a> Plane<'a> {
    /// Bytes of the samples of row `row` in `columns`.
    ///
    /// # Panics
    /// If the row or a column lies outside the plane.
    pub fn row(&self, row: usize, columns: Range<usize>) -> &'a [u8] {
        let sample_bytes = sample_bytes(self.bit_depth);
        let start = row * self.stride_bytes;
        &self.bytes[start + columns.start * sample_bytes..start + columns.end * sample_bytes]
    }
}

/// Bytes per sample of `bit_depth` bits: 1 or 2.
fn sample_bytes(bit_depth: u8) -> usize {
    if bit_depth > 8 { 2 } else { 1 }
}

/// Rounds samples of more than 8 bits, stored as little-endian u16, to 8 bits.
pub fn rounded_to_8_bits(samples: &[u8], bit_depth: u8) -> impl Iterator<Item = u8> {
    let shift = bit_depth - 8;
    let half = 1u32 << (shift - 1);
    samples.as_chunks().0.iter().map(move |&sample| {
        let sample = u32::from(u16::from_le_bytes(sample));
        ((sample + half) >> shift).min(255) as u8
    })
}

impl Orientation {
    /// Turns a stored picture upright.
    ///
    /// - `stored`: `N` bytes per pixel, row-major, without padding.
    /// - `size`: size of the stored picture.
    pub fn upright<const N: usize>(self, stored: Vec<u8>, size: SizePx) -> Vec<u8> {
        if self == Self::default() {
            return stored;
        }
        let (pixels, _) = stored.as_chunks::<N>();
        let (width, upright) = (size.width as usize, self.applied_to(size));
        let (right, bottom) = (width - 1, size.height as usize - 1);
        let mut turned = Vec::with_capacity(pixels.len());
        for y in 0..upright.height as usize {
            for x in 0..upright.width as usize {
                let (column, row) = match self.quarter_turns % 4 {
                    0 => (x, y),
                    1 => (y, bottom - x),
                    2 => (right - x, bottom - y),
                    _ => (right - y, x),
                };
                let column = if self.mirrored {
                    right - column
                } else {
                    column
                };
                turned.push(pixels[row * width + column]);
            }
        }
        turned.into_flattened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxXywh;

    #[test]
    fn an_upright_picture_shows_each_pixel_where_its_box_goes() {
        let size = SizePx {
            width: 3,
            height: 2,
        };
        let stored: Vec<u8> = (0..2 * 6).collect();
        for quarter_turns in 0..4 {
            for mirrored in [false, true] {
                let orientation = Orientation {
                    mirrored,
                    quarter_turns,
                };
                let upright = orientation.upright::<2>(stored.clone(), size);
                let width = orientation.applied_to(size).width;
                for at in 0..6u32 {
                    let (x, y) = (f64::from(at % 3), f64::from(at / 3));
                    let (w, h) = (1.0, 1.0);
                    let shown = orientation.box_in_upright(BoxXywh { x, y, w, h }, size);
                    let place = 2 * (shown.y as u32 * width + shown.x as u32) as usize;
                    let expected = [2 * at as u8, 2 * at as u8 + 1];
                    assert_eq!(upright[place..place + 2], expected, "{orientation:?}");
                }
            }
        }
    }

    #[test]
    fn samples_are_rounded_to_the_nearest_of_8_bits_and_stay_below_256() {
        let words = [0u16, 1, 2, 5, 6, 1021, 1023].map(u16::to_le_bytes);
        let rounded: Vec<u8> = rounded_to_8_bits(words.as_flattened(), 10).collect();
        assert_eq!(rounded, [0, 0, 1, 1, 2, 255, 255]);
    }
}
