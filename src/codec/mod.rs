//! Images as the bytes of a shard's members, and as video files ([`video`]).
//!
//! **Takes** an [`RgbImage`]. **Gives** a JPEG, or raw RGB under zstd, lossless. **Fails** with
//! [`CodecError`]: leave the image out. **Source**: ITU-T T.81 by libjpeg-turbo; RFC 8878 by zstd.

#[cfg(feature = "extract")]
pub mod video;

use serde::Serialize;

#[cfg(feature = "extract")]
use crate::jpeg;
use crate::types::{RgbImage, SizePx};

/// How images are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "codec", rename_all = "kebab-case")]
pub enum Codec {
    /// JPEG.
    Jpeg {
        /// 1 to 100, as libjpeg counts.
        quality: u8,
    },
    /// Raw RGB under zstd: lossless.
    RgbZstd {
        /// 1 to 19, as zstd counts.
        #[serde(rename = "zstd_level")]
        level: i32,
    },
}

impl Codec {
    /// What a member's name ends in, after the view's name and a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::RgbZstd { .. } => "rgb.zst",
        }
    }
}

/// Why an image could not be compressed or read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// libjpeg-turbo refused. Leave the image out.
    #[cfg(feature = "extract")]
    #[error("cannot encode as JPEG")]
    Jpeg(#[from] jpeg::JpegError),
    /// zstd refused. Leave the image out.
    #[error("zstd failed")]
    Zstd(#[source] std::io::Error),
    /// The bytes hold another number of samples than the size asks for. Leave the image out.
    #[error("{got} bytes of RGB; an image of {size} has {expected}")]
    WrongLength {
        /// Of the image, as its record states it.
        size: SizePx,
        /// Bytes that `size` needs.
        expected: usize,
        /// Bytes that came, at least.
        got: usize,
    },
}

/// The bytes of `image` as `codec` stores it.
///
/// # Errors
/// [`CodecError`] if the library refuses.
#[cfg(feature = "extract")]
pub fn encode(image: &RgbImage, codec: Codec) -> Result<Vec<u8>, CodecError> {
    match codec {
        Codec::Jpeg { quality } => Ok(jpeg::compress(image, quality)?),
        Codec::RgbZstd { level } => {
            zstd::bulk::compress(&image.pixels, level).map_err(CodecError::Zstd)
        }
    }
}

/// The image of a `rgb.zst` member whose record states `size`.
///
/// # Errors
/// [`CodecError`] if the bytes are no zstd frame, or hold another number of samples.
pub fn decode_rgb_zstd(bytes: &[u8], size: SizePx) -> Result<RgbImage, CodecError> {
    let wrong_length = |expected, got| CodecError::WrongLength {
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
    let pixels = zstd::bulk::decompress(bytes, expected).map_err(CodecError::Zstd)?;
    if pixels.len() == expected {
        Ok(RgbImage { size, pixels })
    } else {
        Err(wrong_length(expected, pixels.len()))
    }
}

#[cfg(all(test, feature = "extract"))]
mod tests {
    use super::*;

    #[test]
    fn rgb_zstd_gives_back_the_same_samples_and_refuses_another_size() {
        let size = SizePx {
            width: 5,
            height: 3,
        };
        let image = RgbImage {
            size,
            pixels: (0..45).collect(),
        };
        let bytes = encode(&image, Codec::RgbZstd { level: 3 }).unwrap();
        assert_eq!(decode_rgb_zstd(&bytes, size).unwrap(), image);
        for width in [4, 6] {
            assert!(decode_rgb_zstd(&bytes, SizePx { width, height: 3 }).is_err());
        }
        let huge = SizePx {
            width: u32::MAX,
            height: u32::MAX,
        };
        assert!(decode_rgb_zstd(&bytes, huge).is_err());
    }
}
