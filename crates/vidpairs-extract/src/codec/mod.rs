//! Encodes images as members of a shard, and as video files ([`video`]).
//!
//! **Takes** an [`RgbImage`]. **Gives** a JPEG, or raw RGB under zstd, lossless. **Fails** with
//! [`CodecError`]: leave the image out. **Source**: ITU-T T.81 by libjpeg-turbo; RFC 8878 by zstd.

pub mod video;

use vidpairs_image::jpeg::{self, JpegError};
use vidpairs_image::rgb_zstd::{self, RgbZstdError};
pub use vidpairs_pipeline::Codec;
use vidpairs_types::RgbImage;

/// Why an image could not be encoded. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// libjpeg-turbo failed.
    #[error("cannot encode as JPEG")]
    Jpeg(#[from] JpegError),
    /// zstd failed.
    #[error(transparent)]
    RgbZstd(#[from] RgbZstdError),
}

/// Encodes `image` with `codec`.
///
/// # Errors
/// [`CodecError`] if the library fails.
pub fn encode(image: &RgbImage, codec: Codec) -> Result<Vec<u8>, CodecError> {
    match codec {
        Codec::Jpeg { quality } => Ok(jpeg::compress(image, quality)?),
        Codec::RgbZstd { level } => Ok(rgb_zstd::compress(image, level)?),
    }
}
