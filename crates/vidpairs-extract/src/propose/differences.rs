//! How much neighbouring px differ.

use super::picture::Picture;

/// Of every px: its difference from the next one to the right and from the one below, 0 to 255; 0 where
/// the picture ends.
///
/// A difference is that of luma and twice those of chroma, since chroma spans less of its range.
pub(super) struct Differences {
    pub right: Vec<u8>,
    pub below: Vec<u8>,
}

impl Differences {
    pub fn of(picture: &Picture) -> Self {
        let width = picture.width;
        let mut right = apart(picture, 1);
        for row in right.chunks_exact_mut(width) {
            row[width - 1] = 0; // was taken from the next row
        }
        Self {
            right,
            below: apart(picture, width),
        }
    }

    /// The greater of the two differences of every px.
    pub fn edges(&self) -> Vec<u8> {
        let pairs = self.right.iter().zip(&self.below);
        pairs.map(|(&right, &below)| right.max(below)).collect()
    }
}

/// The difference of every px and the one `step` further on, 0 for the last ones.
fn apart(picture: &Picture, step: usize) -> Vec<u8> {
    let mut differences = vec![0u8; picture.width * picture.height];
    for (plane, is_chroma) in picture.planes.iter().zip([false, true, true]) {
        let pairs = plane.iter().zip(plane.get(step..).unwrap_or(&[]));
        let places = differences.iter_mut().zip(pairs);
        if is_chroma {
            places.for_each(|(sum, (one, other))| {
                let difference = one.abs_diff(*other);
                *sum = sum.saturating_add(difference).saturating_add(difference);
            });
        } else {
            places.for_each(|(sum, (one, other))| *sum = one.abs_diff(*other));
        }
    }
    differences
}
