//! From the picture as stored to the picture as shown.

use vidpairs_types::{Orientation, RgbImage};

/// `stored` as it is shown.
pub(super) fn turned(stored: RgbImage, orientation: Orientation) -> RgbImage {
    if orientation == Orientation::default() {
        return stored;
    }
    let (from, size) = (stored.size, orientation.applied_to(stored.size));
    let (right, bottom) = (from.width as usize - 1, from.height as usize - 1);
    let mut pixels = Vec::with_capacity(stored.pixels.len());
    for y in 0..size.height as usize {
        for x in 0..size.width as usize {
            let (column, row) = match orientation.quarter_turns % 4 {
                0 => (x, y),
                1 => (y, bottom - x),
                2 => (right - x, bottom - y),
                _ => (right - y, x),
            };
            let column = if orientation.mirrored {
                right - column
            } else {
                column
            };
            let at = 3 * (row * from.width as usize + column);
            pixels.extend_from_slice(&stored.pixels[at..at + 3]);
        }
    }
    RgbImage { size, pixels }
}
