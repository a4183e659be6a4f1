use opencv::core::{MatTraitConstManual, Vec3b};
use vidpairs_types::PlaneBytes;

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

const ODD: SizePx = SizePx {
    width: 37,
    height: 21,
};

/// A frame whose planes hold one 8-bit value each; rows padded with garbage.
fn plain(layout: PlaneLayout, bit_depth: u8, values: [u8; 3]) -> Planes {
    let sample_bytes = if bit_depth == 8 { 1 } else { 2 };
    let (mut samples, mut strides) = (Vec::new(), Vec::new());
    for (plane, value) in values.iter().enumerate().take(layout.num_planes()) {
        let size = layout.plane_size(ODD, plane);
        let sample = (u16::from(*value) << (bit_depth - 8)).to_le_bytes();
        let row = sample[..sample_bytes].repeat(size.width as usize);
        let padded = [row.as_slice(), &[0xee; 10]].concat();
        strides.push(padded.len());
        samples.push(padded.repeat(size.height as usize));
    }
    Planes {
        stored_size: ODD,
        layout,
        bit_depth,
        range: ColorRange::Limited,
        matrix: ColorMatrix::Bt709,
        orientation: Orientation::default(),
        bytes: Box::new(Bytes(samples, strides)),
    }
}

fn bgr_of(image: &BgrImage) -> Vec<Vec3b> {
    image.mat.data_typed::<Vec3b>().unwrap().to_vec()
}

#[test]
fn every_layout_and_depth_gives_the_colours_of_bt_709() {
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
            let image = BgrImage::from_planes(&plain(layout, bit_depth, red)).unwrap();
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
fn gray_of_either_range_is_stretched_to_all_of_it() {
    for (range, white) in [(ColorRange::Limited, 235), (ColorRange::Full, 255)] {
        let planes = Planes {
            range,
            ..plain(PlaneLayout::Gray, 8, [white; 3])
        };
        let image = BgrImage::from_planes(&planes).unwrap();
        let is_white = |pixel: &Vec3b| pixel.iter().all(|&sample| sample >= 253);
        let mut pixels = bgr_of(&image);
        pixels.retain(|pixel| !is_white(pixel));
        assert!(pixels.is_empty(), "{range:?}: {pixels:?}");
    }
}

#[test]
fn the_image_is_upright_in_all_eight_orientations() {
    // A bright stored corner, left and top, and where it comes to: mirrored first, then turned clockwise.
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)]; // clockwise: right, down as shares of the image
    for quarter_turns in 0..4u8 {
        for mirrored in [false, true] {
            let mut planes = plain(PlaneLayout::Gray, 8, [16; 3]);
            let mut bytes = planes.bytes.plane(0).to_vec();
            bytes[0] = 235;
            planes.bytes = Box::new(Bytes(vec![bytes], vec![planes.bytes.stride_bytes(0)]));
            planes.orientation = Orientation {
                mirrored,
                quarter_turns,
            };
            let image = BgrImage::from_planes(&planes).unwrap();
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
fn a_plane_that_is_too_short_is_an_error() {
    let mut planes = plain(PlaneLayout::Yuv420, 8, [16, 128, 128]);
    let planes_cut = (0..3).map(|plane| planes.bytes.plane(plane)[1..].to_vec());
    let strides = (0..3).map(|plane| planes.bytes.stride_bytes(plane));
    planes.bytes = Box::new(Bytes(planes_cut.collect(), strides.collect()));
    let err = BgrImage::from_planes(&planes).err().unwrap().to_string();
    assert_eq!(
        err,
        "plane 0 of a frame of 37 x 21 px has 986 bytes, fewer than its rows need"
    );
}
