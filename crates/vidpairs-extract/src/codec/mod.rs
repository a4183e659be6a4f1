//! Images as the bytes of a shard's members, and as video files ([`video`]).
//!
//! **Takes** an [`RgbImage`]. **Gives** a JPEG, or raw RGB under zstd, lossless. **Fails** with
//! [`CodecError`]: leave the image out. **Source**: ITU-T T.81 by libjpeg-turbo; RFC 8878 by zstd.

pub mod video;

use vidpairs_image::jpeg::{self, JpegError};
use vidpairs_image::rgb_zstd::{self, RgbZstdError};
pub use vidpairs_pipeline::Codec;
use vidpairs_types::RgbImage;

/// Why an image could not be compressed. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// libjpeg-turbo refused.
    #[error("cannot encode as JPEG")]
    Jpeg(#[from] JpegError),
    /// zstd refused.
    #[error(transparent)]
    RgbZstd(#[from] RgbZstdError),
}

/// The bytes of `image` as `codec` stores it.
///
/// # Errors
/// [`CodecError`] if the library refuses.
pub fn encode(image: &RgbImage, codec: Codec) -> Result<Vec<u8>, CodecError> {
    match codec {
        Codec::Jpeg { quality } => Ok(jpeg::compress(image, quality)?),
        Codec::RgbZstd { level } => Ok(rgb_zstd::compress(image, level)?),
    }
}
