//! Encodes a stored image of a record as a `data:` URI.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{ImageBufferError, PixelType, ResizeError, Resizer};
use vidpairs_image::jpeg::{self, JpegError};
use vidpairs_image::png::{self, PngEffort, PngError};
use vidpairs_image::rgb_zstd::{self, RgbZstdError};
use vidpairs_types::{EncodedMember, RgbImage, SizePx};

use crate::report::picture;

/// Longest side of a picture that was shrunk for the page, px.
const MAX_SIDE_PX: u32 = 640;
/// Size from which a JPEG is shrunk, bytes.
const LARGE_JPEG_BYTES: usize = 256 << 10;
/// Quality of shrunk pictures, on libjpeg's scale.
const QUALITY: u8 = 85;

/// Why a stored image cannot be embedded. The page shows the reason in its place.
#[derive(Debug, thiserror::Error)]
pub(in crate::report) enum PictureError {
    /// The bytes are not raw RGB under zstd.
    #[error(transparent)]
    RgbZstd(#[from] RgbZstdError),
    /// The image cannot be encoded as PNG.
    #[error(transparent)]
    Png(#[from] PngError),
    /// The image is no JPEG, or cannot be encoded as one.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// The number of samples is not that of the size.
    #[error(transparent)]
    Samples(#[from] ImageBufferError),
    /// The image cannot be shrunk.
    #[error(transparent)]
    Resize(#[from] ResizeError),
}

/// Raw RGB as PNG, a JPEG as it is. Large ones are shrunk to 640 px and embedded as JPEG, so that a page of whole frames stays small.
///
/// - `size`: size of the image as the record states it.
pub(in crate::report) fn data_uri(
    member: &EncodedMember,
    size: SizePx,
) -> Result<String, PictureError> {
    let as_jpeg = |bytes: &[u8]| picture::data_uri("image/jpeg", bytes);
    if member.extension == "rgb.zst" {
        let image = rgb_zstd::decompress(&member.bytes, size)?;
        return Ok(match size.width.max(size.height) > MAX_SIDE_PX {
            true => as_jpeg(&shrunk(&image)?),
            false => picture::data_uri("image/png", &png::encode(&image, PngEffort::Balanced)?),
        });
    }
    Ok(match member.bytes.len() > LARGE_JPEG_BYTES {
        true => as_jpeg(&shrunk(&jpeg::decode_stored(&member.bytes)?)?),
        false => as_jpeg(&member.bytes),
    })
}

/// A JPEG of the image with sides of at most [`MAX_SIDE_PX`].
fn shrunk(image: &RgbImage) -> Result<Vec<u8>, PictureError> {
    let SizePx { width, height } = image.size;
    let scale = (f64::from(MAX_SIDE_PX) / f64::from(width.max(height))).min(1.0);
    let side = |side_px: u32| ((f64::from(side_px) * scale).round() as u32).max(1);
    let size = SizePx {
        width: side(width),
        height: side(height),
    };
    let source = ImageRef::new(width, height, &image.pixels, PixelType::U8x3)?;
    let mut target = Image::new(size.width, size.height, PixelType::U8x3);
    Resizer::new().resize(&source, &mut target, None)?;
    let pixels = target.into_vec();
    Ok(jpeg::compress(&RgbImage { size, pixels }, QUALITY)?)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use vidpairs_types::{RgbImage, Role};

    use super::*;

    fn rgb_zst(image: &RgbImage) -> EncodedMember {
        EncodedMember {
            role: Role::Anchor,
            extension: "rgb.zst",
            bytes: zstd::bulk::compress(&image.pixels, 3).unwrap().into(),
        }
    }

    #[test]
    fn raw_rgb_is_embedded_as_a_png_of_the_same_samples() {
        let size = SizePx {
            width: 5,
            height: 3,
        };
        let image = RgbImage {
            size,
            pixels: (0..45).map(|sample| sample * 5).collect(),
        };
        let uri = data_uri(&rgb_zst(&image), size).unwrap();
        let base64 = uri.strip_prefix("data:image/png;base64,").unwrap();
        let bytes = STANDARD.decode(base64).unwrap();
        assert_eq!(png::decode(&bytes).unwrap(), image);
    }

    #[test]
    fn a_whole_frame_is_embedded_as_a_small_jpeg_of_the_same_picture() {
        let size = SizePx {
            width: 3840,
            height: 2160,
        };
        // Left half bright, right half dark, with noise that no codec can compress.
        let sample = |index: usize| {
            let x = index / 3 % size.width as usize;
            let noise = (index.wrapping_mul(2_654_435_761) >> 7) as u8 / 4;
            if x < 1920 { 150 + noise } else { 20 + noise }
        };
        let pixels = (0..3 * 3840 * 2160).map(sample).collect();
        let image = RgbImage { size, pixels };
        let jpeg = EncodedMember {
            role: Role::AnchorFrame,
            extension: "jpg",
            bytes: jpeg::compress(&image, 95).unwrap().into(),
        };
        for member in [rgb_zst(&image), jpeg] {
            let uri = data_uri(&member, size).unwrap();
            let base64 = uri.strip_prefix("data:image/jpeg;base64,").unwrap();
            assert!(base64.len() < 300_000, "{} bytes", base64.len());
            let shown = jpeg::decode(&STANDARD.decode(base64).unwrap()).unwrap();
            assert_eq!((shown.size.width, shown.size.height), (640, 360));
            let row = &shown.pixels[180 * 640 * 3..][..640 * 3];
            assert!(row[300] > 140 && row[1_500] < 100, "{row:?}");
        }
    }

    #[test]
    fn raw_rgb_of_another_size_is_an_error() {
        let size = SizePx {
            width: 1,
            height: 1,
        };
        let image = RgbImage {
            size,
            pixels: vec![1, 2, 3],
        };
        let wider = SizePx { width: 2, ..size };
        assert!(data_uri(&rgb_zst(&image), wider).is_err());
    }
}
