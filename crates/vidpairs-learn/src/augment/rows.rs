//! Rows and planes of colour levels, on the way from resized pixels to samples.

/// Rows are padded to a multiple of this many levels, one vector register of the widest processors.
pub(super) const LANES: usize = 16;

/// Row of red, green and blue levels, 0 to 1.
pub(super) type Rows<'a> = [&'a [f32]; 3];
/// Mutable row of red, green and blue levels, 0 to 1.
pub(super) type RowsMut<'a> = [&'a mut [f32]; 3];

/// Image as a red, a green and a blue plane.
#[derive(Debug, Default)]
pub(super) struct Planes {
    /// Width and height of the image, px.
    pub size: [usize; 2],
    /// Length of a row with its padding.
    stride: usize,
    /// Levels, `height x stride` each.
    pub levels: [Vec<f32>; 3],
}

impl Planes {
    /// Changes the size to `width x height` px. Levels keep no meaning.
    pub fn resize(&mut self, [width, height]: [usize; 2]) {
        self.size = [width, height];
        self.stride = width.next_multiple_of(LANES);
        for plane in &mut self.levels {
            plane.resize(height * self.stride, 0.0);
        }
    }

    /// Row `row` with its padding.
    pub fn row(&self, row: usize) -> Rows<'_> {
        let start = row * self.stride;
        self.levels
            .each_ref()
            .map(|plane| &plane[start..][..self.stride])
    }

    /// Row `row` with its padding.
    pub fn row_mut(&mut self, row: usize) -> RowsMut<'_> {
        let (start, stride) = (row * self.stride, self.stride);
        self.levels
            .each_mut()
            .map(|plane| &mut plane[start..][..stride])
    }
}
