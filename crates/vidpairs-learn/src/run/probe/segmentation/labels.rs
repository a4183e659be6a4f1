//! Reads images and the classes of their pixels.

use std::path::Path;

use vidpairs_image::{png, still};
use vidpairs_types::{SizePx, with_causes};

use crate::model::UNLABELLED;

/// The class of each pixel of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PixelLabels {
    /// Size of the upright image.
    pub size: SizePx,
    /// Classes from 0, or [`UNLABELLED`], row by row.
    pub classes: Vec<u8>,
}

/// Reads the labels of an image: 0 and 255 are unlabelled, `c + 1` is class `c`. Labels of the size of the stored image are turned with it,
/// those of the size of the upright image stay as they are.
///
/// - `image`: bytes of the file of the image, of which the header is read.
///
/// # Errors
/// The reason to leave the image out.
pub(super) fn read_labels(
    image: &[u8],
    path: &Path,
    num_classes: usize,
) -> Result<PixelLabels, String> {
    let (stored, orientation) = still::read_orientation(image).map_err(|err| with_causes(&err))?;
    let bytes = still::read_file(path).map_err(|err| format!("its label cannot be read: {err}"))?;
    let (size, labels) =
        png::decode_labels(&bytes).map_err(|err| format!("its label: {}", with_causes(&err)))?;
    let upright = orientation.applied_to(stored);
    if size != stored && size != upright {
        return Err(format!("its label is of {size}, the image of {upright}"));
    }
    let beyond =
        (labels.iter()).position(|&label| label != UNLABELLED && usize::from(label) > num_classes);
    if let Some(place) = beyond {
        let width = size.width as usize;
        return Err(format!(
            "its label has the class {} at column {}, row {}; expected 0 to {num_classes}, or 255",
            labels[place],
            place % width,
            place / width
        ));
    }
    let labels = match size == stored {
        true => orientation.upright::<1>(labels, stored),
        false => labels,
    };
    let class = |label: u8| match label {
        UNLABELLED => UNLABELLED,
        // 0 becomes 255, which is unlabelled.
        label => label.wrapping_sub(1),
    };
    Ok(PixelLabels {
        size: upright,
        classes: labels.into_iter().map(class).collect(),
    })
}
