//! Sums over any box of a map in four look-ups.

use super::picture::Cells;

/// The summed-area table of a map.
pub(super) struct Sums {
    /// Row after row, one column and one row more than the map.
    table: Vec<u32>,
    stride: usize,
}

impl Sums {
    /// Sums up a map of `width` px a row.
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

    /// The sum over `cells`, which lie inside the map.
    pub fn over(&self, cells: Cells) -> f32 {
        let at = |x: usize, y: usize| self.table[y * self.stride + x];
        let inside = at(cells.right, cells.bottom) + at(cells.left, cells.top);
        (inside - at(cells.right, cells.top) - at(cells.left, cells.bottom)) as f32
    }
}
