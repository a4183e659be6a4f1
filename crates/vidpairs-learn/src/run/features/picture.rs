//! Pictures of images as the encoder sees them.

use vidpairs_image::{jpeg, still};
use vidpairs_invariance::run::PartView;
use vidpairs_types::{ImagePart, RgbImage, SizePx, with_causes};

use super::load::recipe;
use crate::augment::{MEAN, STD, Samples, StoredImage, Viewer};

/// JPEG quality of a picture.
const QUALITY: u8 = 80;

/// The view of a part as a JPEG.
///
/// # Errors
/// Why the file cannot be shown.
pub(super) fn picture(part: &ImagePart, view: PartView) -> Result<Vec<u8>, String> {
    let side_px = view.side_px;
    let bytes = still::read_file(&part.path).map_err(|err| err.to_string())?;
    let mut samples = vec![0f32; (3 * side_px * side_px) as usize];
    StoredImage::of_file(&bytes)
        .and_then(|image| {
            let region = (part.region, view.beyond);
            let samples = Samples::F32(&mut samples);
            Viewer::default().render_region(image, region, &recipe(view), samples)
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
