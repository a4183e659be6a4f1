//! Image sizes, pixel regions and boxes.

use serde::{Deserialize, Serialize};

/// Width and height of an image, px. Serialized as `[width, height]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "[u32; 2]", into = "[u32; 2]")]
pub struct SizePx {
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl SizePx {
    /// Shortest accepted side of a frame, px.
    pub const MIN_SIDE: u32 = 16;
    /// Longest accepted side of a frame, px.
    pub const MAX_SIDE: u32 = 16_384;
    /// Largest accepted frame area, px. Together with [`SizePx::MAX_SIDE`] it bounds the memory of a decoder.
    pub const MAX_AREA: u64 = 8192 * 8192;

    /// Whether a frame of this size is accepted.
    pub fn is_accepted(self) -> bool {
        self.short_side() >= Self::MIN_SIDE
            && self.width.max(self.height) <= Self::MAX_SIDE
            && self.area() <= Self::MAX_AREA
    }

    /// Size after a quarter turn.
    pub fn turned(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }

    /// Length of the shorter side, px.
    pub fn short_side(self) -> u32 {
        self.width.min(self.height)
    }

    /// Number of pixels.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Size scaled down so that the short side is `short_side_px`, with the same aspect ratio. A size whose short side is
    /// not longer is returned unchanged.
    pub fn shrunk_to_short_side(self, short_side_px: u32) -> Self {
        let short = self.short_side();
        if short <= short_side_px {
            return self;
        }
        let scale = |side: u32| {
            let scaled = u64::from(side) * u64::from(short_side_px) * 2 + u64::from(short);
            (scaled / (2 * u64::from(short))).max(1) as u32 // rounded; smaller than `side`
        };
        Self {
            width: scale(self.width),
            height: scale(self.height),
        }
    }
}

impl From<[u32; 2]> for SizePx {
    fn from([width, height]: [u32; 2]) -> Self {
        Self { width, height }
    }
}

impl From<SizePx> for [u32; 2] {
    fn from(size: SizePx) -> Self {
        [size.width, size.height]
    }
}

impl std::fmt::Display for SizePx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} px", self.width, self.height)
    }
}

/// Rectangle of whole pixels in an image: columns `x..x + width`, rows `y..y + height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RegionPx {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl RegionPx {
    /// Width and height.
    pub fn size(self) -> SizePx {
        SizePx {
            width: self.width,
            height: self.height,
        }
    }

    /// Region that covers an image of `size`.
    pub fn whole(size: SizePx) -> Self {
        Self {
            x: 0,
            y: 0,
            width: size.width,
            height: size.height,
        }
    }

    /// Whether the region is not empty and lies inside an image of `size`.
    pub fn lies_in(self, size: SizePx) -> bool {
        let ends_in = |start: u32, len: u32, side: u32| {
            len > 0 && start.checked_add(len).is_some_and(|end| end <= side)
        };
        ends_in(self.x, self.width, size.width) && ends_in(self.y, self.height, size.height)
    }
}

impl std::fmt::Display for RegionPx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            x,
            y,
            width,
            height,
        } = self;
        write!(f, "{width} x {height} px at ({x}, {y})")
    }
}

/// Box in an upright frame: left, top, width, height, px. Pixel (0, 0) covers `[0, 1) x [0, 1)`. Serialized as
/// `[x, y, w, h]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct BoxXywh {
    /// Left edge, px.
    pub x: f64,
    /// Top edge, px.
    pub y: f64,
    /// Width, px.
    pub w: f64,
    /// Height, px.
    pub h: f64,
}

impl BoxXywh {
    /// Whether all four numbers are finite and both sides are positive.
    pub fn is_valid(self) -> bool {
        [self.x, self.y, self.w, self.h]
            .iter()
            .all(|v| v.is_finite())
            && self.w > 0.0
            && self.h > 0.0
    }

    /// Box with the same centre and both sides multiplied by `factor`.
    pub fn scaled(self, factor: f64) -> Self {
        let (w, h) = (self.w * factor, self.h * factor);
        Self {
            x: self.x + (self.w - w) / 2.0,
            y: self.y + (self.h - h) / 2.0,
            w,
            h,
        }
    }

    /// Part of the box inside a frame of `size`; `None` if it is empty.
    pub fn clipped(self, size: SizePx) -> Option<Self> {
        let (x0, y0) = (self.x.max(0.0), self.y.max(0.0));
        let x1 = (self.x + self.w).min(f64::from(size.width));
        let y1 = (self.y + self.h).min(f64::from(size.height));
        let inside = Self {
            x: x0,
            y: y0,
            w: x1 - x0,
            h: y1 - y0,
        };
        inside.is_valid().then_some(inside)
    }

    /// Whole pixels that the box covers in an image of `size`; `None` if the box is not valid or lies outside the image.
    ///
    /// Each edge is rounded to the nearest pixel edge (half to even) and clamped to the image. A box that would become
    /// empty covers the pixel at its centre.
    ///
    /// # Source
    /// PIL's `Image.crop` rounds edges in the same way, but fills parts outside the image with black.
    pub fn whole_px(self, size: SizePx) -> Option<RegionPx> {
        let inside = self.is_valid().then(|| self.clipped(size))??;
        let axis = |start: f64, len: f64, middle: f64, side: u32| {
            let edge = |at: f64| at.round_ties_even().clamp(0.0, f64::from(side)) as u32;
            let (first, end) = (edge(start), edge(start + len));
            if end > first {
                (first, end - first)
            } else {
                ((middle as u32).min(side - 1), 1)
            }
        };
        let (x, width) = axis(self.x, self.w, inside.x + inside.w / 2.0, size.width);
        let (y, height) = axis(self.y, self.h, inside.y + inside.h / 2.0, size.height);
        Some(RegionPx {
            x,
            y,
            width,
            height,
        })
    }

    /// Area, square px.
    pub fn area(self) -> f64 {
        self.w * self.h
    }

    /// Intersection over union with `other`, 0 to 1.
    pub fn iou(self, other: Self) -> f64 {
        let overlap = |a: f64, a_len: f64, b: f64, b_len: f64| {
            ((a + a_len).min(b + b_len) - a.max(b)).max(0.0)
        };
        let shared =
            overlap(self.x, self.w, other.x, other.w) * overlap(self.y, self.h, other.y, other.h);
        shared / (self.area() + other.area() - shared)
    }
}

impl From<[f64; 4]> for BoxXywh {
    fn from([x, y, w, h]: [f64; 4]) -> Self {
        Self { x, y, w, h }
    }
}

impl From<BoxXywh> for [f64; 4] {
    fn from(b: BoxXywh) -> Self {
        [b.x, b.y, b.w, b.h]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_gives_the_short_side_exactly_and_never_enlarges() {
        let size = |width, height| SizePx { width, height };
        assert_eq!(size(640, 360).shrunk_to_short_side(256), size(455, 256));
        assert_eq!(size(360, 640).shrunk_to_short_side(256), size(256, 455));
        assert_eq!(size(100, 80).shrunk_to_short_side(256), size(100, 80));
    }

    #[test]
    fn iou_is_one_for_the_same_box_and_zero_for_boxes_that_only_touch() {
        let bbox = |x, w| BoxXywh {
            x,
            y: 3.0,
            w,
            h: 10.0,
        };
        assert_eq!(bbox(0.0, 8.0).iou(bbox(0.0, 8.0)), 1.0);
        assert_eq!(bbox(0.0, 8.0).iou(bbox(8.0, 8.0)), 0.0);
        assert_eq!(bbox(0.0, 8.0).iou(bbox(4.0, 8.0)), 1.0 / 3.0);
    }

    #[test]
    fn a_box_covers_the_pixels_between_its_rounded_edges_inside_the_image() {
        let size = SizePx {
            width: 20,
            height: 10,
        };
        let covered = |numbers: [f64; 4]| {
            let region = BoxXywh::from(numbers).whole_px(size)?;
            assert!(region.lies_in(size), "{region}");
            Some([region.x, region.y, region.width, region.height])
        };
        assert_eq!(covered([2.0, 1.0, 5.0, 4.0]), Some([2, 1, 5, 4]));
        // PIL: the corners of Image.crop((2.5, 1.5, 7.5, 5.4)) are 2, 2, 8, 5.
        assert_eq!(covered([2.5, 1.5, 5.0, 3.9]), Some([2, 2, 6, 3]));
        assert_eq!(covered([-4.0, -1.0, 100.0, 3.4]), Some([0, 0, 20, 2]));
        assert_eq!(covered([19.8, 3.2, 9.0, 0.2]), Some([19, 3, 1, 1]));
        assert_eq!(covered([20.0, 3.0, 4.0, 4.0]), None);
        assert_eq!(covered([2.0, 3.0, 0.0, 4.0]), None);
        assert_eq!(covered([2.0, f64::NAN, 1.0, 4.0]), None);
    }

    #[test]
    fn clipping_cuts_a_box_at_the_frame_and_gives_none_outside_it() {
        let frame = SizePx {
            width: 100,
            height: 50,
        };
        let outside = BoxXywh {
            x: 100.0,
            y: 0.0,
            w: 5.0,
            h: 5.0,
        };
        assert_eq!(outside.clipped(frame), None);
        let cut = BoxXywh {
            x: -5.0,
            y: 45.0,
            w: 10.0,
            h: 10.0,
        };
        assert_eq!(
            cut.clipped(frame),
            Some(BoxXywh {
                x: 0.0,
                y: 45.0,
                w: 5.0,
                h: 5.0
            })
        );
    }
}
