//! Decodes any still image, recognised by its content: JPEG, PNG, BMP, TIFF, WebP.
//!
//! **Takes** the bytes of a file. **Gives** its size, its pixels, or its planes, upright as Exif or XMP states; of an animation the
//! first picture. **Fails** with [`StillError`]. **Source**: Pillow's `ImageOps.exif_transpose` and `convert("RGB")` give the same
//! pixels: gray levels become R = G = B, transparency and colour profiles are dropped, 16-bit samples keep their upper 8 bits.

mod format;

use std::io::{self, Cursor};
use std::path::Path;

use image::codecs::{bmp::BmpDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageError};
use vidpairs_types::parallel::caught;
use vidpairs_types::{Orientation, Planes, RgbImage, SizePx, read_regular};

pub use format::StillFormat;

use crate::jpeg::{self, JpegError, RegionDecoder};
use crate::orientation::{self, Found};
use crate::png::{self, PngError};

/// Maximum size of a file, bytes. A larger one is damaged or hostile.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Why a still image could not be read. Leave the image out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StillError {
    /// The JPEG cannot be read.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// The PNG cannot be read.
    #[error(transparent)]
    Png(#[from] PngError),
    /// The image is damaged, or of a kind that the decoder does not support.
    #[error("damaged or unusual {}", .format.name())]
    Other {
        /// Format of the image.
        format: StillFormat,
        /// Error of the decoder.
        #[source]
        source: ImageError,
    },
    /// The decoder panicked: it does not expect such bytes.
    #[error("damaged {} ({panic})", .format.name())]
    Panicked {
        /// Format of the image.
        format: StillFormat,
        /// Message of the panic.
        panic: String,
    },
    /// The samples are numbers whose black and white are not known.
    #[error("floating-point {}; expected 8 or 16 bits per sample: convert it", .0.name())]
    Float(StillFormat),
    /// The size in the header is too large.
    #[error(
        "{} of {size}; sides of at most {max} px and at most {area} px in all are accepted", .format.name(),
        max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    TooLarge {
        /// Format of the image.
        format: StillFormat,
        /// Size of the image.
        size: SizePx,
    },
    /// The size in the header is not accepted for a frame.
    #[error(
        "{} of {size}; sides of {min} to {max} px and at most {area} px in all are accepted", .format.name(),
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    FrameSize {
        /// Format of the image.
        format: StillFormat,
        /// Size of the image.
        size: SizePx,
    },
    /// The file is something else.
    #[error("{0}")]
    NotAnImage(&'static str),
    /// No known format begins like this.
    #[error("neither JPEG, PNG, BMP, TIFF nor WebP (first bytes: {first_bytes})")]
    Unknown {
        /// First bytes of the file, in hexadecimal.
        first_bytes: String,
    },
}

/// Bytes of the file of an image.
///
/// # Errors
/// [`io::Error`] of the system, or if `path` is no regular file, or larger than any image.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    read_regular(path, MAX_FILE_BYTES)
}

/// Reads the size of the upright image from the header.
///
/// # Errors
/// [`StillError`] if there is no readable header, or its size or kind is not accepted. Sides from 1 px are accepted.
pub fn read_size(bytes: &[u8]) -> Result<SizePx, StillError> {
    let (stored, orientation) = read_orientation(bytes)?;
    Ok(orientation.applied_to(stored))
}

/// Reads the size of the stored image, and its transformation to the upright one.
///
/// # Errors
/// As [`read_size`].
pub fn read_orientation(bytes: &[u8]) -> Result<(SizePx, Orientation), StillError> {
    match StillFormat::of(bytes)? {
        StillFormat::Jpeg => Ok(RegionDecoder::new()?.read_orientation(bytes)?),
        StillFormat::Png => Ok((png::read_size(bytes)?, orientation::of_png(bytes))),
        format => open(format, bytes, |_, stored, orientation| {
            Ok((stored, orientation))
        }),
    }
}

/// Decodes an image to upright RGB.
///
/// # Errors
/// [`StillError`] if any part of the image is damaged, or its size or kind is not accepted.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, StillError> {
    let (stored, orientation) = match StillFormat::of(bytes)? {
        StillFormat::Jpeg => return Ok(jpeg::decode(bytes)?),
        format => decode_stored(format, bytes)?,
    };
    Ok(RgbImage {
        size: orientation.applied_to(stored.size),
        pixels: orientation.upright::<3>(stored.pixels, stored.size),
    })
}

/// Reads the size of the upright image from the header, and checks that it is accepted for a frame.
///
/// # Errors
/// As [`read_size`], and [`StillError::FrameSize`].
pub fn frame_size(bytes: &[u8]) -> Result<SizePx, StillError> {
    match StillFormat::of(bytes)? {
        StillFormat::Jpeg => Ok(jpeg::frame_size(bytes)?),
        format => checked_as_frame(format, read_size(bytes)?),
    }
}

/// Decodes an image to the planes of a frame: those of a JPEG as stored, else G, B and R.
///
/// # Errors
/// As [`decode`], and [`StillError::FrameSize`].
pub fn planes(bytes: &[u8]) -> Result<Planes, StillError> {
    let format = StillFormat::of(bytes)?;
    if format == StillFormat::Jpeg {
        return Ok(jpeg::decompress(bytes)?);
    }
    checked_as_frame(format, read_size(bytes)?)?;
    let (stored, orientation) = decode_stored(format, bytes)?;
    Ok(jpeg::planes_of(&stored, orientation))
}

fn checked_as_frame(format: StillFormat, size: SizePx) -> Result<SizePx, StillError> {
    if size.is_accepted() {
        return Ok(size);
    }
    Err(StillError::FrameSize { format, size })
}

/// Decodes the stored image of a format other than JPEG.
fn decode_stored(format: StillFormat, bytes: &[u8]) -> Result<(RgbImage, Orientation), StillError> {
    if format == StillFormat::Png {
        return Ok((png::decode(bytes)?, orientation::of_png(bytes)));
    }
    open(format, bytes, |decoder, size, orientation| {
        let color = decoder.color_type();
        if matches!(color, ColorType::Rgb32F | ColorType::Rgba32F) {
            return Err(StillError::Float(format));
        }
        let damaged = |source| StillError::Other { format, source };
        // An accepted size has at most 8 bytes per pixel, 512 MiB.
        let mut samples = vec![0; decoder.total_bytes() as usize];
        decoder.read_image_boxed(&mut samples).map_err(damaged)?;
        let pixels = rgb(samples, color);
        Ok((RgbImage { size, pixels }, orientation))
    })
}

/// 8-bit RGB of samples of a colour type that has 8 or 16 bits.
fn rgb(mut samples: Vec<u8>, color: ColorType) -> Vec<u8> {
    if color.bytes_per_pixel() > color.channel_count() {
        let wide = samples.as_chunks().0.iter();
        samples = wide
            .map(|&sample| (u16::from_ne_bytes(sample) >> 8) as u8)
            .collect();
    }
    let pixels = samples.chunks_exact(usize::from(color.channel_count()));
    match color.has_color() {
        true if color.has_alpha() => pixels
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect(),
        true => samples,
        false => pixels.flat_map(|pixel| [pixel[0]; 3]).collect(),
    }
}

/// Opens a BMP, TIFF or WebP, and passes its decoder, its stored size and its orientation to `then`. A panic of the decoder is an error.
fn open<T>(
    format: StillFormat,
    bytes: &[u8],
    then: impl FnOnce(Box<dyn ImageDecoder + '_>, SizePx, Orientation) -> Result<T, StillError>,
) -> Result<T, StillError> {
    caught(|| open_unguarded(format, bytes, then))
        .unwrap_or_else(|panic| Err(StillError::Panicked { format, panic }))
}

fn open_unguarded<T>(
    format: StillFormat,
    bytes: &[u8],
    then: impl FnOnce(Box<dyn ImageDecoder + '_>, SizePx, Orientation) -> Result<T, StillError>,
) -> Result<T, StillError> {
    let damaged = |source| StillError::Other { format, source };
    let input = Cursor::new(bytes);
    let mut decoder: Box<dyn ImageDecoder + '_> = match format {
        StillFormat::Bmp => Box::new(BmpDecoder::new(input).map_err(damaged)?),
        StillFormat::Tiff => Box::new(TiffDecoder::new(input).map_err(damaged)?),
        _ => Box::new(WebPDecoder::new(input).map_err(damaged)?),
    };
    let size = SizePx::from(<[u32; 2]>::from(decoder.dimensions()));
    if crate::is_too_large(size) {
        return Err(StillError::TooLarge { format, size });
    }
    let mut found = Found::default();
    match format {
        StillFormat::Tiff => found.add_tag(decoder.orientation().map_err(damaged)?.to_exif()),
        // Damaged metadata do not damage the pixels.
        _ => {
            let exif = decoder.exif_metadata().ok().flatten();
            exif.iter().for_each(|exif| found.add_exif(exif));
            let xmp = decoder.xmp_metadata().ok().flatten();
            xmp.iter().for_each(|xmp| found.add_xmp(xmp));
        }
    }
    then(decoder, size, found.orientation())
}

#[cfg(test)]
mod tests;
