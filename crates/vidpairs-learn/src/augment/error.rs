//! Why there is no view.

use vidpairs_image::jpeg::JpegError;
use vidpairs_image::png::PngError;
use vidpairs_types::{BoxXywh, RegionPx, SizePx};

/// Why a view could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// The bytes are no JPEG that can be decoded: damaged, CMYK, or too large. Leave the image out.
    #[error("cannot decode the image")]
    Jpeg(#[from] JpegError),
    /// The bytes are no PNG that can be decoded: damaged, or too large. Leave the image out.
    #[error("cannot decode the image")]
    Png(#[from] PngError),
    /// Bytes of a file that begin as neither JPEG nor PNG. Leave the image out.
    #[error("neither a JPEG nor a PNG (it begins with {beginning})")]
    UnknownFormat {
        /// The first bytes, in hexadecimal.
        beginning: String,
    },
    /// A box without a part in the image. Leave the image out.
    #[error(
        "its box ({}, {}, {} x {} px) has no part in the image of {size}", .region.x, .region.y, .region.w, .region.h
    )]
    Outside {
        /// Of the thing that is shown.
        region: BoxXywh,
        /// Of the image.
        size: SizePx,
    },
    /// zstd refused the bytes. Leave the image out.
    #[error("cannot unpack the image")]
    Zstd(#[source] std::io::Error),
    /// The bytes hold another number of samples than the size asks for. Leave the image out.
    #[error("{got} bytes of RGB; an image of {size} has {expected}")]
    WrongLength {
        /// Of the image, as its record states it.
        size: SizePx,
        /// Bytes that `size` needs.
        expected: usize,
        /// Bytes that there are.
        got: usize,
    },
    /// No pixels, or too many. Leave the image out.
    #[error(
        "image of {0}; sides of 1 to {max} px and at most {area} px in all are accepted",
        max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    Size(SizePx),
    /// A recipe that cannot be followed. Stop: it is the same for every image.
    #[error("{what} is {got}; expected {expected}")]
    Recipe {
        /// The field.
        what: &'static str,
        /// Its value.
        got: f64,
        /// What would pass.
        expected: &'static str,
    },
    /// Parameters that are not of this recipe and image. An error of the caller: stop.
    #[error("parameters {what}; expected those drawn from the same recipe for an image of {size}")]
    Params {
        /// What does not fit.
        what: &'static str,
        /// Of the image.
        size: SizePx,
    },
    /// Room for another number of samples than the view has. An error of the caller: stop.
    #[error("room for {got} samples; the view has {expected}")]
    Room {
        /// Of the recipe.
        expected: usize,
        /// That was given.
        got: usize,
    },
    /// A region that crosses the image's border. An error of the caller: stop.
    #[error("region {region} of an image of {size}; expected a region inside it")]
    Region {
        /// That was asked for.
        region: RegionPx,
        /// Of the image.
        size: SizePx,
    },
}
