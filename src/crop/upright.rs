//! Between the picture as stored and the picture as shown.

use crate::types::{BoxXywh, Orientation, RgbImage, SizePx};

/// Where a box of the upright frame lies in the stored one.
pub(super) fn box_in_stored(upright: BoxXywh, frame: SizePx, orientation: Orientation) -> BoxXywh {
    let (mut bbox, mut size) = (upright, frame);
    for _ in 0..orientation.quarter_turns % 4 {
        // One quarter back, counterclockwise: (x', y') came from (y', width' - x').
        bbox = BoxXywh {
            x: bbox.y,
            y: f64::from(size.width) - bbox.x - bbox.w,
            w: bbox.h,
            h: bbox.w,
        };
        size = SizePx {
            width: size.height,
            height: size.width,
        };
    }
    if orientation.mirrored {
        bbox.x = f64::from(size.width) - bbox.x - bbox.w;
    }
    bbox
}

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
