//! Images: decoded frames as the decoder stored them, and RGB images.

use super::{BoxXywh, RegionPx, SizePx};

/// Color planes of a frame and their subsampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaneLayout {
    /// One luma plane.
    Gray,
    /// Y, U, V; chroma at half width and half height (rounded up).
    Yuv420,
    /// Y, U, V; chroma at half width (rounded up).
    Yuv422,
    /// Y, U, V at full size.
    Yuv444,
    /// G, B, R at full size.
    Gbr,
}

impl PlaneLayout {
    /// Number of planes: 1 or 3.
    pub fn num_planes(self) -> usize {
        if self == Self::Gray { 1 } else { 3 }
    }

    /// Size of plane `plane` in a picture of size `frame`, samples.
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

/// Value range of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorRange {
    /// 8-bit luma from 16 to 235, chroma to 240: broadcast video.
    Limited,
    /// 8-bit samples from 0 to 255: JPEG.
    Full,
}

/// Matrix between RGB and YUV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorMatrix {
    /// BT.601: standard definition and JPEG.
    Bt601,
    /// BT.709: high definition.
    Bt709,
    /// BT.2020, non-constant luminance.
    Bt2020,
    /// FCC 73.682: NTSC of 1953.
    Fcc,
    /// SMPTE 240M: early high definition.
    Smpte240,
    /// YCgCo: luma, green difference, orange difference. The range applies to red, green and blue.
    YCgCo,
}

/// Transformation from the stored to the upright picture: mirror if `mirrored`, then rotate clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orientation {
    /// Whether to mirror left and right first.
    pub mirrored: bool,
    /// Number of clockwise quarter turns, 0 to 3.
    pub quarter_turns: u8,
}

impl Orientation {
    /// Size of the upright picture.
    pub fn applied_to(self, stored: SizePx) -> SizePx {
        if self.quarter_turns % 2 == 1 {
            stored.turned()
        } else {
            stored
        }
    }

    /// Converts a box from the upright frame to the stored picture.
    ///
    /// - `frame`: size of the upright frame.
    pub fn box_in_stored(self, upright: BoxXywh, frame: SizePx) -> BoxXywh {
        let (mut bbox, mut size) = (upright, frame);
        for _ in 0..self.quarter_turns % 4 {
            // One counterclockwise quarter turn: (x', y') was at (y', width' - x').
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

    /// Converts a box from the stored picture to the upright frame.
    ///
    /// - `stored`: size of the stored picture.
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

    /// Converts a region inside the upright frame to the stored picture, as [`Self::box_in_stored`].
    pub fn region_in_stored(self, upright: RegionPx, frame: SizePx) -> RegionPx {
        as_region(self.box_in_stored(as_box(upright), frame))
    }

    /// Converts a region inside the stored picture to the upright frame, as [`Self::box_in_upright`].
    pub fn region_in_upright(self, in_stored: RegionPx, stored: SizePx) -> RegionPx {
        as_region(self.box_in_upright(as_box(in_stored), stored))
    }
}

/// Whole px have exact doubles.
fn as_box(region: RegionPx) -> BoxXywh {
    BoxXywh::from([region.x, region.y, region.width, region.height].map(f64::from))
}

fn as_region(bbox: BoxXywh) -> RegionPx {
    let [x, y, width, height] = <[f64; 4]>::from(bbox).map(|px| px as u32);
    RegionPx {
        x,
        y,
        width,
        height,
    }
}

/// Owner of the samples of a picture.
pub trait PlaneBytes: Send {
    /// Bytes of plane `plane`: rows `stride_bytes(plane)` apart, samples as [`Planes::bit_depth`] says.
    fn plane(&self, plane: usize) -> &[u8];
    /// Distance between the starts of two rows, bytes.
    fn stride_bytes(&self, plane: usize) -> usize;
}

/// Picture of a frame in the stored format. It is never converted as a whole.
pub struct Planes {
    /// Size of the stored picture, before `orientation` is applied.
    pub stored_size: SizePx,
    /// Planes and subsampling.
    pub layout: PlaneLayout,
    /// Bits per sample, 8 to 16. More than 8 bits are stored as little-endian `u16`.
    pub bit_depth: u8,
    /// Value range of the samples.
    pub range: ColorRange,
    /// Matrix between RGB and YUV.
    pub matrix: ColorMatrix,
    /// Transformation to the upright picture.
    pub orientation: Orientation,
    /// Sample data.
    pub bytes: Box<dyn PlaneBytes>,
}

impl Planes {
    /// Size of the upright picture, in which boxes are given.
    pub fn size(&self) -> SizePx {
        self.orientation.applied_to(self.stored_size)
    }

    /// Number of bytes of the samples without row padding. It depends only on size, layout and bit depth.
    pub fn num_bytes(&self) -> u64 {
        let sample_bytes = if self.bit_depth > 8 { 2 } else { 1 };
        let planes = 0..self.layout.num_planes();
        let area = |plane| self.layout.plane_size(self.stored_size, plane).area();
        planes.map(area).sum::<u64>() * sample_bytes
    }
}

/// Decoded frame.
pub struct Frame {
    /// Frame index in presentation order, from 0.
    pub index: u64,
    /// Presentation time as stated by the container, seconds; `None` if it states none.
    pub pts_seconds: Option<f64>,
    /// Picture.
    pub planes: Planes,
}

/// RGB image: `height x width x 3` `u8`, row-major without padding, sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Width and height, px.
    pub size: SizePx,
    /// Samples in the order R, G, B; `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_converted_to_upright_and_back_is_unchanged_for_every_orientation() {
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
