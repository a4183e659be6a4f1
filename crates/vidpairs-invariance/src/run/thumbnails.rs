//! Pictures of images as the encoder sees them.

use std::path::PathBuf;

use vidpairs_types::BoxXywh;

use super::cards::CardPicture;
use super::engine::ImageEncoder;
use super::result::ModelScores;

/// Side of a picture, px.
const SIDE_PX: u32 = 112;

/// Draws the pictures of all cards of `scores`.
///
/// - `files`: the file of every image with features, and the box in it.
pub(super) fn draw(
    scores: &mut ModelScores,
    files: &[(PathBuf, Option<BoxXywh>)],
    encoder: &dyn ImageEncoder,
) {
    let of_targets = scores.most.iter_mut().chain(&mut scores.least);
    let of_targets = of_targets.flat_map(|card| &mut card.pictures);
    let of_units = scores
        .unit_cards
        .iter_mut()
        .flat_map(|card| &mut card.pictures);
    for picture in of_units.chain(of_targets) {
        draw_one(picture, files, encoder);
    }
}

fn draw_one(
    picture: &mut CardPicture,
    files: &[(PathBuf, Option<BoxXywh>)],
    encoder: &dyn ImageEncoder,
) {
    if let Some((path, region)) = files.get(picture.image) {
        picture.jpeg = encoder.picture(path, *region, SIDE_PX);
    }
}
