//! Reads and writes JPEG (libjpeg-turbo), PNG, and raw RGB under zstd; converts YUV planes to RGB.

pub mod color;
pub mod jpeg;
pub mod png;
pub mod rgb_zstd;

use vidpairs_types::SizePx;

/// Whether a header states a larger picture than is accepted. Small pictures are accepted.
fn is_too_large(size: SizePx) -> bool {
    size.width.max(size.height) > SizePx::MAX_SIDE || size.area() > SizePx::MAX_AREA
}
