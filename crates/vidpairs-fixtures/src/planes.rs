//! Frames drawn in memory, sample by sample.

use vidpairs_types::{
    ColorMatrix, ColorRange, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

/// The bytes of each plane and its stride in bytes.
pub struct OwnedPlanes(pub Vec<(Vec<u8>, usize)>);

impl PlaneBytes for OwnedPlanes {
    fn plane(&self, plane: usize) -> &[u8] {
        &self.0[plane].0
    }

    fn stride_bytes(&self, plane: usize) -> usize {
        self.0[plane].1
    }
}

/// Padding at the end of each row, samples.
const PADDING: usize = 13;

/// An upright full-range BT.601 frame. `sample(plane, x, y)` gives the sample at (x, y) of plane `plane`. Rows are padded with
/// bytes that no picture should show.
pub fn drawn(
    size: SizePx,
    layout: PlaneLayout,
    bit_depth: u8,
    sample: impl Fn(usize, i64, i64) -> u16,
) -> Planes {
    let sample_bytes = if bit_depth > 8 { 2 } else { 1 };
    let plane = |plane: usize| {
        let size = layout.plane_size(size, plane);
        let mut bytes = Vec::new();
        for y in 0..i64::from(size.height) {
            for x in 0..i64::from(size.width) {
                bytes.extend_from_slice(&sample(plane, x, y).to_le_bytes()[..sample_bytes]);
            }
            bytes.extend(std::iter::repeat_n(0xee, PADDING * sample_bytes));
        }
        (bytes, (size.width as usize + PADDING) * sample_bytes)
    };
    Planes {
        stored_size: size,
        layout,
        bit_depth,
        range: ColorRange::Full,
        matrix: ColorMatrix::Bt601,
        orientation: Orientation::default(),
        bytes: Box::new(OwnedPlanes((0..layout.num_planes()).map(plane).collect())),
    }
}

/// Pseudo-random level, the same for the same place.
pub fn noise(x: i64, y: i64) -> u8 {
    let mixed = (x * 374_761_393 + y * 668_265_263).wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64);
    (mixed >> 40) as u8
}
