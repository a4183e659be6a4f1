//! Computes maps of a picture: differences of neighbouring px, and sums over boxes.

use super::picture::{Cells, Picture};

/// Difference of each px from the next px to the right and from the px below, 0 to 255; 0 at the end of
/// the picture.
///
/// A difference is that of luma plus twice those of chroma, since chroma spans less of its range.
pub(super) struct Differences {
    pub right: Vec<u8>,
    pub below: Vec<u8>,
}

impl Differences {
    pub fn of(picture: &Picture) -> Self {
        let width = picture.width;
        let mut right = differences(picture, 1);
        for row in right.chunks_exact_mut(width) {
            row[width - 1] = 0; // compared with the next row
        }
        Self {
            right,
            below: differences(picture, width),
        }
    }

    /// The greater of the two differences of each px.
    pub fn edges(&self) -> Vec<u8> {
        let pairs = self.right.iter().zip(&self.below);
        pairs.map(|(&right, &below)| right.max(below)).collect()
    }
}

/// Difference of each px from the px `step` places later, 0 for the last ones.
fn differences(picture: &Picture, step: usize) -> Vec<u8> {
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

/// Summed-area table of a map: the sum over any box in four look-ups.
pub(super) struct Sums {
    /// Row-major, one column and one row more than the map.
    table: Vec<u32>,
    stride: usize,
}

impl Sums {
    /// Builds the table of a map with rows of `width` px.
    pub fn of(map: &[u8], width: usize) -> Self {
        let stride = width + 1;
        let mut table = vec![0; stride * (map.len() / width + 1)];
        for (y, row) in map.chunks_exact(width).enumerate() {
            let (above, below) = table.split_at_mut((y + 1) * stride);
            let above = &above[y * stride..];
            let mut sum = 0;
            for ((place, above), &sample) in below[1..=width].iter_mut().zip(&above[1..]).zip(row) {
                sum += u32::from(sample);
                *place = sum + above;
            }
        }
        Self { table, stride }
    }

    /// Sum over `cells`, which lie inside the map.
    pub fn over(&self, cells: Cells) -> f32 {
        let at = |x: usize, y: usize| self.table[y * self.stride + x];
        let inside = at(cells.right, cells.bottom) + at(cells.left, cells.top);
        (inside - at(cells.right, cells.top) - at(cells.left, cells.bottom)) as f32
    }
}
