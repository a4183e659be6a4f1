//! Encodes a stored image of a record as a `data:` URI.

use vidpairs_image::png::{self, PngEffort, PngError};
use vidpairs_image::rgb_zstd::{self, RgbZstdError};
use vidpairs_types::{EncodedMember, SizePx};

use crate::report::picture;

/// Why a stored image cannot be embedded. The page shows the reason in its place.
#[derive(Debug, thiserror::Error)]
pub(in crate::report) enum PictureError {
    /// The bytes are not raw RGB under zstd.
    #[error(transparent)]
    RgbZstd(#[from] RgbZstdError),
    /// The image cannot be encoded as PNG.
    #[error(transparent)]
    Png(#[from] PngError),
}

/// JPEG bytes as they are, raw RGB as PNG.
///
/// - `size`: size of the image as the record states it.
pub(in crate::report) fn data_uri(
    member: &EncodedMember,
    size: SizePx,
) -> Result<String, PictureError> {
    if member.extension == "rgb.zst" {
        let image = rgb_zstd::decompress(&member.bytes, size)?;
        let png = png::encode(&image, PngEffort::Balanced)?;
        return Ok(picture::data_uri("image/png", &png));
    }
    Ok(picture::data_uri("image/jpeg", &member.bytes))
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
