//! Pictures of images as the encoder sees them: their box, resized to a square.

use std::path::Path;

use vidpairs_image::jpeg;
use vidpairs_types::{BoxXywh, RgbImage, SizePx, read_regular, with_causes};

use super::MAX_IMAGE_BYTES;
use crate::augment::{MEAN, STD, Samples, StoredImage, Viewer};

/// JPEG quality of a picture.
const QUALITY: u8 = 80;

/// The box of an image file, resized to a square of `side_px` as a JPEG.
///
/// # Errors
/// Why the file cannot be shown.
pub(super) fn picture(
    path: &Path,
    region: Option<BoxXywh>,
    side_px: u32,
) -> Result<Vec<u8>, String> {
    let bytes = read_regular(path, MAX_IMAGE_BYTES).map_err(|err| err.to_string())?;
    let mut samples = vec![0f32; (3 * side_px * side_px) as usize];
    StoredImage::of_file(&bytes)
        .and_then(|image| {
            Viewer::default().render_box(image, region, side_px, Samples::F32(&mut samples))
        })
        .map_err(|err| with_causes(&err))?;
    let levels = samples.chunks_exact(3).flat_map(|pixel| {
        let mut rgb = [0u8; 3];
        for (channel, level) in rgb.iter_mut().enumerate() {
            *level = ((pixel[channel] * STD[channel] + MEAN[channel]) * 255.0).round() as u8;
        }
        rgb
    });
    let image = RgbImage {
        size: SizePx {
            width: side_px,
            height: side_px,
        },
        pixels: levels.collect(),
    };
    jpeg::compress(&image, QUALITY).map_err(|err| with_causes(&err))
}
