use vidpairs_types::{ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout};

use super::*;

struct Bytes(Vec<Vec<u8>>, Vec<usize>);

impl PlaneBytes for Bytes {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.0[plane]
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.1[plane]
    }
}

/// A frame of full-range gray whose sample at (x, y) is `sample(x, y)`; rows padded with garbage.
fn gray(size: SizePx, bit_depth: u8, sample: impl Fn(u32, u32) -> u16) -> Planes {
    let bytes = if bit_depth > 8 { 2 } else { 1 };
    let stride = (size.width as usize + 13) * bytes;
    let mut plane = vec![0xee; stride * size.height as usize];
    for y in 0..size.height {
        for x in 0..size.width {
            let at = y as usize * stride + x as usize * bytes;
            let le = sample(x, y).to_le_bytes();
            plane[at..at + bytes].copy_from_slice(&le[..bytes]);
        }
    }
    Planes {
        stored_size: size,
        layout: PlaneLayout::Gray,
        bit_depth,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation: Orientation::default(),
        bytes: Box::new(Bytes(vec![plane], vec![stride])),
    }
}

fn red_of(image: &RgbImage, x: u32, y: u32) -> u8 {
    image.pixels[3 * (y * image.size.width + x) as usize]
}

const SIZE: SizePx = SizePx {
    width: 64,
    height: 48,
};

#[test]
fn a_box_on_whole_pixels_is_copied_exactly() {
    let planes = gray(SIZE, 8, |x, y| (3 * x + y) as u16);
    let region = BoxXywh {
        x: 10.0,
        y: 5.0,
        w: 30.0,
        h: 20.0,
    };
    let image = crop(&planes, Some(region), 256).unwrap();
    assert_eq!(
        image.size,
        SizePx {
            width: 30,
            height: 20
        }
    );
    for (x, y) in [(0, 0), (29, 0), (0, 19), (29, 19), (11, 7)] {
        assert_eq!(u32::from(red_of(&image, x, y)), 3 * (x + 10) + y + 5);
    }
}

#[test]
fn the_padding_of_rows_never_enters_the_picture() {
    let planes = gray(SIZE, 8, |_, _| 20);
    for short_side in [7, 16, 33, 48] {
        let image = crop(&planes, None, short_side).unwrap();
        assert!(image.pixels.iter().all(|&sample| sample == 20));
    }
}

#[test]
fn more_than_eight_bits_are_rounded_to_eight() {
    for bit_depth in [9, 10, 12, 16] {
        let planes = gray(SIZE, bit_depth, |x, _| (x as u16 * 3) << (bit_depth - 8));
        let image = crop(&planes, None, 256).unwrap();
        assert!(
            (0..64).all(|x| u32::from(red_of(&image, x, 9)) == 3 * x),
            "{bit_depth} bits"
        );
    }
}

#[test]
fn a_turned_frame_is_cropped_in_the_upright_picture() {
    // A bright square near the top right of the upright picture, in all eight orientations.
    let upright = SizePx {
        width: 48,
        height: 64,
    };
    let square = BoxXywh {
        x: 30.0,
        y: 6.0,
        w: 10.0,
        h: 12.0,
    };
    for quarter_turns in 0..4 {
        for mirrored in [false, true] {
            let orientation = Orientation {
                mirrored,
                quarter_turns,
            };
            let stored_size = orientation.applied_to(upright);
            let stored = orientation.box_in_stored(square, upright);
            let is_in = |v: u32, start: f64, len: f64| (start..start + len).contains(&f64::from(v));
            let bright = |x, y| is_in(x, stored.x, stored.w) && is_in(y, stored.y, stored.h);
            let sample = |x, y| if bright(x, y) { 200 } else { 10 };
            let planes = Planes {
                orientation,
                ..gray(stored_size, 8, sample)
            };
            let image = crop(&planes, None, 256).unwrap();
            assert_eq!(image.size, upright);
            for (x, y, expected) in [
                (30, 6, 200),
                (39, 17, 200),
                (29, 6, 10),
                (40, 17, 10),
                (30, 18, 10),
            ] {
                assert_eq!(
                    red_of(&image, x, y),
                    expected,
                    "{orientation:?} at {x}, {y}"
                );
            }
            let only = crop(&planes, Some(square), 256).unwrap();
            assert_eq!(
                only.size,
                SizePx {
                    width: 10,
                    height: 12
                }
            );
            assert!(
                only.pixels.iter().all(|&sample| sample == 200),
                "{orientation:?}"
            );
        }
    }
}

#[test]
fn a_quarter_turn_clockwise_puts_the_stored_left_column_on_top() {
    let planes = Planes {
        orientation: Orientation {
            mirrored: false,
            quarter_turns: 1,
        },
        ..gray(SIZE, 8, |x, y| if x == 0 { 100 + y as u16 } else { 0 })
    };
    let image = crop(&planes, None, 256).unwrap();
    // Stored (0, bottom) comes to (0, 0), stored (0, 0) to the top right.
    assert_eq!((red_of(&image, 0, 0), red_of(&image, 47, 0)), (147, 100));
}

#[test]
fn a_box_outside_the_frame_is_refused_with_both() {
    let planes = gray(SIZE, 8, |_, _| 0);
    let region = BoxXywh {
        x: 64.0,
        y: 0.0,
        w: 5.0,
        h: 5.0,
    };
    let err = crop(&planes, Some(region), 256).unwrap_err().to_string();
    assert_eq!(err, "box [64, 0, 5, 5] lies outside a frame of 64 x 48 px");
}
