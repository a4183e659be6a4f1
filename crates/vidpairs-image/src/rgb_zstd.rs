//! Raw RGB under zstd, lossless: `H x W x 3` bytes, row-major.

use vidpairs_types::{RgbImage, SizePx};

/// Why an image could not be compressed or read back. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RgbZstdError {
    /// zstd refused.
    #[error("zstd failed")]
    Zstd(#[source] std::io::Error),
    /// The bytes hold another number of samples than the size asks for.
    #[error("{got} bytes of RGB; an image of {size} has {expected}")]
    WrongLength {
        /// Size of the image, as its record states it.
        size: SizePx,
        /// Bytes that `size` needs.
        expected: usize,
        /// Bytes found, at least.
        got: usize,
    },
}

/// The pixels of `image` under zstd.
///
/// - `level`: 1 to 19.
///
/// # Errors
/// [`RgbZstdError::Zstd`] if the library refuses.
pub fn compress(image: &RgbImage, level: i32) -> Result<Vec<u8>, RgbZstdError> {
    zstd::bulk::compress(&image.pixels, level).map_err(RgbZstdError::Zstd)
}

/// The image of a `rgb.zst` member whose record states `size`.
///
/// # Errors
/// [`RgbZstdError`] if the bytes are no zstd frame, or hold another number of samples.
pub fn decompress(bytes: &[u8], size: SizePx) -> Result<RgbImage, RgbZstdError> {
    let wrong_length = |expected, got| RgbZstdError::WrongLength {
        size,
        expected,
        got,
    };
    let expected = usize::try_from(size.area())
        .ok()
        .and_then(|area| area.checked_mul(3));
    // A damaged record must not make us allocate what it states.
    let expected = expected
        .filter(|_| size.is_accepted() || size.area() <= SizePx::MAX_AREA)
        .ok_or_else(|| wrong_length(usize::MAX, bytes.len()))?;
    let pixels = zstd::bulk::decompress(bytes, expected).map_err(RgbZstdError::Zstd)?;
    if pixels.len() == expected {
        Ok(RgbImage { size, pixels })
    } else {
        Err(wrong_length(expected, pixels.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_back_unchanged_and_another_size_is_refused() {
        let size = SizePx {
            width: 5,
            height: 3,
        };
        let image = RgbImage {
            size,
            pixels: (0..45).collect(),
        };
        let bytes = compress(&image, 3).unwrap();
        assert_eq!(decompress(&bytes, size).unwrap(), image);
        for width in [4, 6] {
            assert!(decompress(&bytes, SizePx { width, height: 3 }).is_err());
        }
        let huge = SizePx {
            width: u32::MAX,
            height: u32::MAX,
        };
        assert!(decompress(&bytes, huge).is_err());
    }
}
