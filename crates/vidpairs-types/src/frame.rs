//! A decoded frame: planes as the decoder left them, and what their numbers mean.

use super::{BoxXywh, SizePx};

/// How the samples of a frame lie in its planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaneLayout {
    /// One plane of luma.
    Gray,
    /// Y, U, V; chroma halved in both directions (sides rounded up).
    Yuv420,
    /// Y, U, V; chroma halved across (width rounded up).
    Yuv422,
    /// Y, U, V, all of the frame's size.
    Yuv444,
    /// G, B, R, all of the frame's size.
    Gbr,
}

impl PlaneLayout {
    /// Number of planes: 1 or 3.
    pub fn num_planes(self) -> usize {
        if self == Self::Gray { 1 } else { 3 }
    }

    /// Size in samples of plane `plane` of a frame of `frame` px.
    pub fn plane_size(self, frame: SizePx, plane: usize) -> SizePx {
        let (across, down) = match (self, plane) {
            (Self::Yuv420, 1..) => (2, 2),
            (Self::Yuv422, 1..) => (2, 1),
            _ => (1, 1),
        };
        SizePx {
            width: frame.width.div_ceil(across),
            height: frame.height.div_ceil(down),
        }
    }
}

/// Which numbers mean black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorRange {
    /// 16 to 235 (chroma to 240) at 8 bits: broadcast video.
    Limited,
    /// 0 to 255 at 8 bits: JPEG.
    Full,
}

/// Which weights make luma from red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorMatrix {
    /// BT.601: standard definition and JPEG.
    Bt601,
    /// BT.709: high definition.
    Bt709,
    /// BT.2020, non-constant luminance.
    Bt2020,
}

/// What to do with the stored picture to see it upright: a clockwise turn, after an optional mirroring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orientation {
    /// Mirror left and right first.
    pub mirrored: bool,
    /// Then turn clockwise by so many quarters, 0 to 3.
    pub quarter_turns: u8,
}

impl Orientation {
    /// The size of the upright picture.
    pub fn applied_to(self, stored: SizePx) -> SizePx {
        if self.quarter_turns % 2 == 1 {
            stored.turned()
        } else {
            stored
        }
    }
}

impl Orientation {
    /// Where a box of an upright frame of size `frame` lies in the stored picture.
    pub fn box_in_stored(self, upright: BoxXywh, frame: SizePx) -> BoxXywh {
        let (mut bbox, mut size) = (upright, frame);
        for _ in 0..self.quarter_turns % 4 {
            // One quarter back, counterclockwise: (x', y') came from (y', width' - x').
            bbox = BoxXywh {
                x: bbox.y,
                y: f64::from(size.width) - bbox.x - bbox.w,
                w: bbox.h,
                h: bbox.w,
            };
            size = size.turned();
        }
        if self.mirrored {
            bbox.x = f64::from(size.width) - bbox.x - bbox.w;
        }
        bbox
    }

    /// Where a box of a stored picture of size `stored` lies in the upright frame.
    pub fn box_in_upright(self, in_stored: BoxXywh, stored: SizePx) -> BoxXywh {
        let (mut bbox, mut size) = (in_stored, stored);
        if self.mirrored {
            bbox.x = f64::from(size.width) - bbox.x - bbox.w;
        }
        for _ in 0..self.quarter_turns % 4 {
            bbox = BoxXywh {
                x: f64::from(size.height) - bbox.y - bbox.h,
                y: bbox.x,
                w: bbox.h,
                h: bbox.w,
            };
            size = size.turned();
        }
        bbox
    }
}

/// The bytes of a frame's planes, owned by whoever decoded them.
pub trait PlaneBytes: Send {
    /// Plane `plane`, row after row, `stride_bytes(plane)` apart; little-endian u16 above 8 bits.
    fn plane(&self, plane: usize) -> &[u8];
    /// Bytes from one row to the next.
    fn stride_bytes(&self, plane: usize) -> usize;
}

/// The picture of a frame as stored: planes, never converted as a whole.
pub struct Planes {
    /// Size of the stored picture, before `orientation`.
    pub stored_size: SizePx,
    /// How samples lie.
    pub layout: PlaneLayout,
    /// Bits a sample, 8 to 16; above 8 a sample is a little-endian u16.
    pub bit_depth: u8,
    /// Which numbers mean black and white.
    pub range: ColorRange,
    /// Which weights make luma.
    pub matrix: ColorMatrix,
    /// How to see the picture upright.
    pub orientation: Orientation,
    /// The samples.
    pub bytes: Box<dyn PlaneBytes>,
}

impl Planes {
    /// Size of the upright picture: the space in which boxes live.
    pub fn size(&self) -> SizePx {
        self.orientation.applied_to(self.stored_size)
    }

    /// Bytes of the samples, without what a decoder adds between rows: the same for the same picture, wherever it came from.
    pub fn num_bytes(&self) -> u64 {
        let sample_bytes = if self.bit_depth > 8 { 2 } else { 1 };
        let planes = 0..self.layout.num_planes();
        let area = |plane| self.layout.plane_size(self.stored_size, plane).area();
        planes.map(area).sum::<u64>() * sample_bytes
    }
}

/// A decoded frame.
pub struct Frame {
    /// Place in presentation order, from 0.
    pub index: u64,
    /// Presentation time as the container states it, or `None` where it states none.
    pub pts_seconds: Option<f64>,
    /// The picture.
    pub planes: Planes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_comes_back_from_the_stored_picture_for_every_orientation() {
        let stored = SizePx {
            width: 100,
            height: 60,
        };
        let bbox = BoxXywh {
            x: 10.0,
            y: 5.0,
            w: 30.0,
            h: 20.0,
        };
        for quarter_turns in 0..4 {
            for mirrored in [false, true] {
                let orientation = Orientation {
                    mirrored,
                    quarter_turns,
                };
                let upright = orientation.box_in_upright(bbox, stored);
                let frame = orientation.applied_to(stored);
                assert_eq!(upright.clipped(frame), Some(upright), "{orientation:?}");
                assert_eq!(
                    orientation.box_in_stored(upright, frame),
                    bbox,
                    "{orientation:?}"
                );
            }
        }
    }
}
