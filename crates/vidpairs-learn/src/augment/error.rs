//! Errors of views.

use vidpairs_image::jpeg::JpegError;
use vidpairs_image::still::StillError;
use vidpairs_types::{BoxXywh, RegionPx, SizePx};

/// Why a view cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// The JPEG is damaged, of an unknown process, or too large. Leave the image out.
    #[error("cannot decode the image")]
    Jpeg(#[from] JpegError),
    /// The file is no image of a known format, or damaged, or too large. Leave the image out.
    #[error(transparent)]
    Still(#[from] StillError),
    /// The box lies outside the image. Leave the image out.
    #[error(
        "its box ({}, {}, {} x {} px) lies outside the image of {size}", .region.x, .region.y, .region.w, .region.h
    )]
    Outside {
        /// Box of the object.
        region: BoxXywh,
        /// Size of the image.
        size: SizePx,
    },
    /// zstd cannot decompress the bytes. Leave the image out.
    #[error("cannot decompress the image")]
    Zstd(#[source] std::io::Error),
    /// The number of bytes does not match the size of the image. Leave the image out.
    #[error("{got} bytes of RGB; an image of {size} has {expected}")]
    WrongLength {
        /// Size of the image, as stated in its record.
        size: SizePx,
        /// Number of bytes of an image of this size.
        expected: usize,
        /// Number of bytes given.
        got: usize,
    },
    /// The image has no pixels, or too many. Leave the image out.
    #[error(
        "image of {0}; sides of 1 to {max} px and at most {area} px in all are accepted",
        max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    Size(SizePx),
    /// The recipe is invalid, for every image. Stop.
    #[error("{field} is {got}; expected {expected}")]
    Recipe {
        /// Field of the recipe.
        field: &'static str,
        /// Value of the field.
        got: f64,
        /// Accepted values.
        expected: &'static str,
    },
    /// The parameters do not belong to this recipe and image. A bug of the caller: stop.
    #[error(
        "the parameters {fault}; expected those drawn from the same recipe for an image of {size}"
    )]
    Params {
        /// Fault of the parameters.
        fault: &'static str,
        /// Size of the image.
        size: SizePx,
    },
    /// The buffer has the wrong length for the view. A bug of the caller: stop.
    #[error("the buffer holds {got} samples; the view has {expected}")]
    Room {
        /// Samples of the view.
        expected: usize,
        /// Samples of the buffer.
        got: usize,
    },
    /// The region crosses the border of the image. A bug of the caller: stop.
    #[error("region {region} of an image of {size}; expected a region inside it")]
    Region {
        /// Region given.
        region: RegionPx,
        /// Size of the image.
        size: SizePx,
    },
}
