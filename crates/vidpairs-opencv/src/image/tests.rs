use opencv::core::{MatTraitConstManual, Vec3b};
use vidpairs_extract::track::TrackError;
use vidpairs_fixtures::planes::{OwnedPlanes, drawn};
use vidpairs_types::{ColorMatrix, ColorRange, Orientation, PlaneLayout};

use super::*;

const ODD: SizePx = SizePx {
    width: 37,
    height: 21,
};

/// A frame whose planes each hold a single 8-bit value.
fn plain(layout: PlaneLayout, bit_depth: u8, values: [u8; 3]) -> Planes {
    Planes {
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        ..drawn(ODD, layout, bit_depth, |plane, _, _| {
            u16::from(values[plane]) << (bit_depth - 8)
        })
    }
}

fn bgr_of(image: &BgrImage) -> Vec<Vec3b> {
    image.mat.data_typed::<Vec3b>().unwrap().to_vec()
}

#[test]
fn every_layout_and_bit_depth_is_converted_by_bt_709() {
    // The red of BT.709 in limited range is (63, 102, 240), H.273; in G, B, R order (0, 0, 255).
    for layout in [
        PlaneLayout::Yuv420,
        PlaneLayout::Yuv422,
        PlaneLayout::Yuv444,
        PlaneLayout::Gbr,
    ] {
        for bit_depth in [8, 10, 12, 16] {
            let red = if layout == PlaneLayout::Gbr {
                [0, 0, 255]
            } else {
                [63, 102, 240]
            };
            let image =
                BgrImage::from_planes::<TrackError>(&plain(layout, bit_depth, red)).unwrap();
            assert_eq!(image.size(), ODD);
            for pixel in bgr_of(&image) {
                let near = |got: u8, expected: u8| got.abs_diff(expected) <= 3;
                let is_red = near(pixel[0], 0) && near(pixel[1], 0) && near(pixel[2], 255);
                assert!(is_red, "{layout:?}, {bit_depth} bits: {pixel:?}");
            }
        }
    }
}

#[test]
fn gray_of_limited_and_of_full_range_is_stretched_to_full_range() {
    for (range, white) in [(ColorRange::Limited, 235), (ColorRange::Full, 255)] {
        let planes = Planes {
            range,
            ..plain(PlaneLayout::Gray, 8, [white; 3])
        };
        let image = BgrImage::from_planes::<TrackError>(&planes).unwrap();
        let is_white = |pixel: &Vec3b| pixel.iter().all(|&sample| sample >= 253);
        let mut pixels = bgr_of(&image);
        pixels.retain(|pixel| !is_white(pixel));
        assert!(pixels.is_empty(), "{range:?}: {pixels:?}");
    }
}

#[test]
fn the_image_is_upright_in_all_eight_orientations() {
    // Position of the bright stored left top corner after mirroring and clockwise turns.
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)]; // clockwise: right, down as shares of the image
    for quarter_turns in 0..4u8 {
        for mirrored in [false, true] {
            let corner = |_, x, y| if (x, y) == (0, 0) { 235 } else { 16 };
            let planes = Planes {
                range: ColorRange::Limited,
                orientation: Orientation {
                    mirrored,
                    quarter_turns,
                },
                ..drawn(ODD, PlaneLayout::Gray, 8, corner)
            };
            let image = BgrImage::from_planes::<TrackError>(&planes).unwrap();
            assert_eq!(image.size(), planes.size());
            let (right, down) = corners[(usize::from(mirrored) + usize::from(quarter_turns)) % 4];
            let (width, height) = (planes.size().width, planes.size().height);
            let at = down * (height - 1) * width + right * (width - 1);
            let pixels = bgr_of(&image);
            let bright: Vec<usize> = (0..pixels.len()).filter(|&i| pixels[i][0] > 200).collect();
            assert_eq!(bright, [at as usize], "{:?}", planes.orientation);
        }
    }
}

#[test]
fn a_too_short_plane_is_an_error() {
    let planes = Planes {
        bytes: Box::new(OwnedPlanes(vec![(vec![0; 986], 47)])),
        ..plain(PlaneLayout::Gray, 8, [16; 3])
    };
    let err = BgrImage::from_planes::<TrackError>(&planes).err().unwrap();
    assert_eq!(
        err.to_string(),
        "plane 0 of a frame of 37 x 21 px has 986 bytes, fewer than its rows need"
    );
}
