//! Reads still images by their content (JPEG with libjpeg-turbo, PNG, BMP, TIFF, WebP), writes JPEG and PNG; reads and writes raw RGB
//! under zstd; converts YUV planes to RGB.

pub mod color;
pub mod jpeg;
mod orientation;
pub mod png;
pub mod rgb_zstd;
pub mod still;

use vidpairs_types::SizePx;

/// Whether a header states a larger picture than is accepted. Small pictures are accepted.
fn is_too_large(size: SizePx) -> bool {
    size.width.max(size.height) > SizePx::MAX_SIDE || size.area() > SizePx::MAX_AREA
}
