//! An RGB image.

use super::SizePx;

/// `height x width x 3` u8, row-major, no padding, R first, sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Width and height, px.
    pub size: SizePx,
    /// `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}
