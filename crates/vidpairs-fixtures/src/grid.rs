//! Pictures that show a number: a grid of large black and white cells beside a moving texture.
//!
//! 8 x 4 cells hold 16 bits and then their complement, so that misreadings are detected. They fill a fixed part of the
//! upright picture, so the number is read by relative coordinates.

use vidpairs_types::{RgbImage, SizePx};

const COLUMNS: usize = 8;
const ROWS: usize = 4;
/// Part of the picture that the grid fills, from the upper left corner.
const WIDTH: f64 = 0.72;
const HEIGHT: f64 = 0.88;
const BLACK: u8 = 16;
const WHITE: u8 = 235;

/// Planes Y, U, V in 4:2:0 of the upright picture of frame `number`.
pub fn draw(size: SizePx, number: u64) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (cell_w, cell_h) = (
        WIDTH * width as f64 / COLUMNS as f64,
        HEIGHT * height as f64 / ROWS as f64,
    );
    let mut picture = Vec::with_capacity(width * height * 3 / 2);
    for y in 0..height {
        for x in 0..width {
            let (column, row) = ((x as f64 / cell_w) as usize, (y as f64 / cell_h) as usize);
            picture.push(if column < COLUMNS && row < ROWS {
                if bit(number, row * COLUMNS + column) {
                    WHITE
                } else {
                    BLACK
                }
            } else {
                texture(x, y, number)
            });
        }
    }
    for shift in [11, 29] {
        for y in 0..height.div_ceil(2) {
            for x in 0..width.div_ceil(2) {
                picture.push(96 + texture(x + shift, y, number) / 4);
            }
        }
    }
    picture
}

/// Reads the number in an upright picture of any size; `None` if the cells are unclear or their complement does not match.
pub fn read_number(image: &RgbImage) -> Option<u64> {
    let luma = |x: usize, y: usize| {
        let at = (y * image.size.width as usize + x) * 3;
        image.pixels[at..at + 3]
            .iter()
            .map(|&v| u64::from(v))
            .sum::<u64>()
            / 3
    };
    read_luma(image.size, luma)
}

/// Like [`read_number`], for a picture of gray bytes without padding.
pub fn read_gray(size: SizePx, pixels: &[u8]) -> Option<u64> {
    read_luma(size, |x, y| u64::from(pixels[y * size.width as usize + x]))
}

fn read_luma(size: SizePx, luma: impl Fn(usize, usize) -> u64) -> Option<u64> {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let mut bits = 0u32;
    for cell in 0..COLUMNS * ROWS {
        // Inner half of the cell, since the edges blur into its neighbors.
        let span = |place: usize, count: usize, part: f64, side: f64| {
            let at = |offset: f64| ((place as f64 + offset) / count as f64 * part * side) as usize;
            at(0.25)..at(0.75).max(at(0.25) + 1)
        };
        let (mut sum, mut count) = (0, 0);
        for y in span(cell / COLUMNS, ROWS, HEIGHT, height) {
            for x in span(cell % COLUMNS, COLUMNS, WIDTH, width) {
                sum += luma(x, y);
                count += 1;
            }
        }
        match sum / count {
            160.. => bits |= 1 << cell,
            ..96 => {}
            _ => return None,
        }
    }
    let (number, complement) = (bits & 0xffff, bits >> 16);
    (complement == !number & 0xffff).then_some(u64::from(number))
}

fn bit(number: u64, cell: usize) -> bool {
    let both = number & 0xffff | (!number & 0xffff) << 16;
    both >> cell & 1 == 1
}

/// Texture: blobs of 4 px that drift by a part of a blob per frame, with noise.
fn texture(x: usize, y: usize, number: u64) -> u8 {
    let number = number as usize;
    let blob = mix(((x + 3 * number) / 4) as u32, ((y + number) / 4) as u32);
    let noise = mix(x as u32 ^ (number as u32) << 16, y as u32);
    (48 + (blob % 140) + noise % 12) as u8
}

fn mix(a: u32, b: u32) -> u32 {
    let mut h = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^ h >> 13
}
