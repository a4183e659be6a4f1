//! Reads and writes JPEG through libjpeg-turbo. The one module that names it.
//!
//! **Takes** JPEG bytes, or an image. **Gives** [`Planes`](vidpairs_types::Planes) without colour conversion, a region
//! in RGB ([`RegionDecoder`]), or JPEG bytes. **Fails** with [`JpegError`]. **Source**: ITU-T T.81; JFIF for the meaning of the
//! samples (BT.601, full range).

mod decompress;
mod handle;
mod region;

pub(crate) use decompress::planes_of;
pub use decompress::{decode, decode_stored, decompress, frame_size};
pub use region::{DecodedRegion, Reduction, RegionDecoder};

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};
use vidpairs_types::{RegionPx, RgbImage, SizePx};

/// Bytes per decoded pixel: R, G, B, and one undefined.
pub const RGBX_BYTES: usize = 4;

/// Why a JPEG could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JpegError {
    /// The bytes are not a JPEG, are truncated or damaged. Leave the image out.
    #[error("damaged JPEG")]
    Damaged(#[source] turbojpeg::Error),
    /// The picture is coded in a way that libjpeg-turbo decodes with other functions, for medical images. Leave the image out.
    #[error("{0} JPEG; expected 8-bit baseline or progressive: convert it with another program")]
    Process(&'static str),
    /// The size in the header is not accepted for a frame. Leave the image out.
    #[error(
        "JPEG of {0}; sides of {min} to {max} px and at most {area} px in all are accepted",
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    Size(SizePx),
    /// The size in the header is too large. Leave the image out.
    #[error(
        "JPEG of {0}; sides of at most {max} px and at most {area} px in all are accepted",
        max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    TooLarge(SizePx),
    /// The requested region lies outside the picture: a bug in the caller. Stop.
    #[error("region {region} of a JPEG of {size}; expected a region inside it")]
    Region {
        /// Requested region.
        region: RegionPx,
        /// Size of the picture.
        size: SizePx,
    },
    /// libjpeg-turbo failed to compress. Leave the image out.
    #[error("cannot compress an image of {size}")]
    Compress {
        /// Size of the image.
        size: SizePx,
        /// Error of the library.
        #[source]
        source: turbojpeg::Error,
    },
}

/// Compresses `image` to a baseline JFIF file with 4:2:0 chroma.
///
/// - `quality`: 1 to 100, on libjpeg's scale.
///
/// # Errors
/// [`JpegError::Compress`] if a side is above 65,535 px or memory is short.
pub fn compress(image: &RgbImage, quality: u8) -> Result<Vec<u8>, JpegError> {
    let size = image.size;
    let failed = |source| JpegError::Compress { size, source };
    let mut compressor = Compressor::new().map_err(failed)?;
    compressor.set_quality(i32::from(quality)).map_err(failed)?;
    compressor.set_subsamp(Subsamp::Sub2x2).map_err(failed)?;
    let width = size.width as usize;
    let pixels = Image {
        pixels: image.pixels.as_slice(),
        width,
        pitch: width * 3,
        height: size.height as usize,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(pixels).map_err(failed)
}
