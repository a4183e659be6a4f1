//! Pictures of images as encoders get them: their box, resized to a square.

use std::fs;
use std::path::PathBuf;

use super::cards::CardPicture;
use super::result::ModelScores;
use crate::augment::{MEAN, STD, Samples, StoredImage, Viewer};
use crate::jpeg;
use crate::types::{BoxXywh, RgbImage, SizePx, with_causes};

/// Side of a picture, px.
const SIDE_PX: u32 = 112;
/// Of its JPEG.
const QUALITY: u8 = 80;

/// Draws the pictures of all cards of `scores`.
///
/// - `files`: of every image with features the file, and the box in it.
pub(super) fn draw(scores: &mut ModelScores, files: &[(PathBuf, Option<BoxXywh>)]) {
    let mut viewer = Viewer::default();
    let of_targets = scores.most.iter_mut().chain(&mut scores.least);
    let of_targets = of_targets.flat_map(|card| &mut card.pictures);
    let of_units = scores
        .unit_cards
        .iter_mut()
        .flat_map(|card| &mut card.pictures);
    for picture in of_units.chain(of_targets) {
        draw_one(&mut viewer, picture, files);
    }
}

fn draw_one(viewer: &mut Viewer, picture: &mut CardPicture, files: &[(PathBuf, Option<BoxXywh>)]) {
    if let Some((path, region)) = files.get(picture.image) {
        picture.jpeg = drawn(viewer, path, *region);
    }
}

fn drawn(viewer: &mut Viewer, path: &PathBuf, region: Option<BoxXywh>) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|err| err.to_string())?;
    let mut samples = vec![0f32; (3 * SIDE_PX * SIDE_PX) as usize];
    StoredImage::of_file(&bytes)
        .and_then(|image| viewer.render_box(image, region, SIDE_PX, Samples::F32(&mut samples)))
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
            width: SIDE_PX,
            height: SIDE_PX,
        },
        pixels: levels.collect(),
    };
    jpeg::compress(&image, QUALITY).map_err(|err| with_causes(&err))
}
