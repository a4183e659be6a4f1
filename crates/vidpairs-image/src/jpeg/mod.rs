//! JPEG through libjpeg-turbo: the one module that names it.
//!
//! **Takes** JPEG bytes, or an image. **Gives** [`Planes`](vidpairs_types::Planes) without any colour conversion, a region
//! in RGB ([`RegionDecoder`]), or JPEG bytes. **Fails** with [`JpegError`]. **Source**: ITU-T T.81; JFIF for the meaning of the samples
//! (BT.601, full range).

mod compress;
mod decompress;
mod region;

pub use compress::compress;
pub use decompress::{decompress, frame_size};
pub use region::{DecodedRegion, RGBX_BYTES, Reduction, RegionDecoder};

use vidpairs_types::{RegionPx, SizePx};

/// Why a JPEG could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JpegError {
    /// The bytes are no JPEG, or end too early, or a part is damaged. Leave the image out.
    #[error("damaged JPEG")]
    Damaged(#[source] turbojpeg::Error),
    /// A print format that no video uses. Leave the image out.
    #[error("CMYK JPEG; expected gray, YCbCr or RGB")]
    Cmyk,
    /// The header states a size that is not accepted. Leave the image out.
    #[error(
        "JPEG of {0}; sides of {min} to {max} px and at most {area} px in all are accepted",
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    Size(SizePx),
    /// The header states more pixels than are accepted where small pictures are. Leave the image out.
    #[error(
        "JPEG of {0}; sides of at most {max} px and at most {area} px in all are accepted",
        max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    TooLarge(SizePx),
    /// A region was asked for that does not lie in the picture. An error of the caller: stop.
    #[error("region {region} of a JPEG of {size}; expected a region inside it")]
    Region {
        /// That was asked for.
        region: RegionPx,
        /// Of the picture.
        size: SizePx,
    },
    /// libjpeg-turbo refused to compress. Leave the image out.
    #[error("cannot compress an image of {size}")]
    Compress {
        /// Of the image.
        size: SizePx,
        /// The library's word.
        #[source]
        source: turbojpeg::Error,
    },
}
