use vidpairs_fixtures::planes::drawn;
use vidpairs_types::Orientation;

use super::*;

/// A gray frame whose sample at (x, y) is `sample(x, y)`.
fn gray(size: SizePx, bit_depth: u8, sample: impl Fn(u32, u32) -> u16) -> Planes {
    drawn(size, PlaneLayout::Gray, bit_depth, |_, x, y| {
        sample(x as u32, y as u32)
    })
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
    let region = BoxXywh::from([10.0, 5.0, 30.0, 20.0]);
    let image = crop(&planes, Some(region), 256).unwrap();
    assert_eq!(image.size, SizePx::from([30, 20]));
    for (x, y) in [(0, 0), (29, 0), (0, 19), (29, 19), (11, 7)] {
        assert_eq!(u32::from(red_of(&image, x, y)), 3 * (x + 10) + y + 5);
    }
}

#[test]
fn row_padding_never_enters_the_image() {
    let planes = gray(SIZE, 8, |_, _| 20);
    for short_side in [7, 16, 33, 48] {
        let image = crop(&planes, None, short_side).unwrap();
        assert!(image.pixels.iter().all(|&sample| sample == 20));
    }
}

#[test]
fn samples_of_more_than_8_bits_are_rounded_to_8() {
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
fn a_turned_frame_is_cropped_upright_in_all_eight_orientations() {
    // A bright square near the top right of the upright picture.
    let upright = SizePx::from([48, 64]);
    let square = BoxXywh::from([30.0, 6.0, 10.0, 12.0]);
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
                let red = red_of(&image, x, y);
                assert_eq!(red, expected, "{orientation:?} at {x}, {y}");
            }
            let only = crop(&planes, Some(square), 256).unwrap();
            assert_eq!(only.size, SizePx::from([10, 12]));
            assert!(
                only.pixels.iter().all(|&sample| sample == 200),
                "{orientation:?}"
            );
        }
    }
}

#[test]
fn a_clockwise_quarter_turn_moves_the_left_column_to_the_top() {
    let planes = Planes {
        orientation: Orientation {
            mirrored: false,
            quarter_turns: 1,
        },
        ..gray(SIZE, 8, |x, y| if x == 0 { 100 + y as u16 } else { 0 })
    };
    let image = crop(&planes, None, 256).unwrap();
    // The stored bottom left corner moves to the top left, the stored top left corner to the top right.
    assert_eq!((red_of(&image, 0, 0), red_of(&image, 47, 0)), (147, 100));
}

#[test]
fn a_box_outside_the_frame_is_refused_with_box_and_frame_size() {
    let planes = gray(SIZE, 8, |_, _| 0);
    let region = BoxXywh::from([64.0, 0.0, 5.0, 5.0]);
    let err = crop(&planes, Some(region), 256).unwrap_err().to_string();
    assert_eq!(err, "box [64, 0, 5, 5] lies outside a frame of 64 x 48 px");
}
