//! Reads and writes raw RGB under zstd, lossless: `H x W x 3` bytes, row-major.

use vidpairs_types::{RgbImage, SizePx};

/// Why an image could not be compressed or read. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RgbZstdError {
    /// The library failed, or the bytes are not a zstd frame.
    #[error("zstd failed")]
    Zstd(#[source] std::io::Error),
    /// The number of samples does not match the size.
    #[error("{got} bytes of RGB; an image of {size} has {expected}")]
    WrongLength {
        /// Size of the image in its record.
        size: SizePx,
        /// Bytes that `size` needs.
        expected: usize,
        /// Bytes found, at least.
        got: usize,
    },
}

/// Compresses the pixels of `image`.
///
/// - `level`: 1 to 19.
///
/// # Errors
/// [`RgbZstdError::Zstd`] if the library fails.
pub fn compress(image: &RgbImage, level: i32) -> Result<Vec<u8>, RgbZstdError> {
    zstd::bulk::compress(&image.pixels, level).map_err(RgbZstdError::Zstd)
}

/// Decompresses an `rgb.zst` member; `size` is the size in its record.
///
/// # Errors
/// [`RgbZstdError`] if the bytes are not a zstd frame, or the number of samples does not match `size`.
pub fn decompress(bytes: &[u8], size: SizePx) -> Result<RgbImage, RgbZstdError> {
    let wrong_length = |expected, got| RgbZstdError::WrongLength {
        size,
        expected,
        got,
    };
    // The size in a damaged record must not decide how much is allocated.
    if size.area() > SizePx::MAX_AREA {
        return Err(wrong_length(usize::MAX, bytes.len()));
    }
    let expected = 3 * size.area() as usize;
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
    fn decompression_restores_the_samples_and_refuses_another_size() {
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
