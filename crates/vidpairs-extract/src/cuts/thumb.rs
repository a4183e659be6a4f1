//! Shrinks a frame to the thumbnail on which shots are compared.

use vidpairs_types::{ColorRange, PlaneLayout, Planes, ShortPlane};

/// Columns of the luma grid, cells.
pub(super) const COLUMNS: usize = 32;

/// Rows of the luma grid, cells.
pub(super) const ROWS: usize = 24;

/// Cells of the luma grid.
pub(super) const CELLS: usize = COLUMNS * ROWS;

/// Columns and rows of the grid of each chroma, cells.
const CHROMA: (usize, usize) = (COLUMNS / 2, ROWS / 2);

/// Cells of the grid of each chroma.
pub(super) const CHROMA_CELLS: usize = CHROMA.0 * CHROMA.1;

/// Most rows of samples that a cell takes, of luma and of chroma: more would cost time and say little.
const ROWS_PER_CELL: usize = 2;
const CHROMA_ROWS_PER_CELL: usize = 1;

/// A stored picture as grids of mean levels, 0 to 255, full range, whatever its size and format.
#[derive(Clone)]
pub(super) struct Thumb {
    /// `24 x 32` mean levels of luma, row-major.
    pub luma: [u8; CELLS],
    /// `12 x 16` mean levels of the blue and the red difference, row-major; 128 is colourless.
    pub chroma: [[u8; CHROMA_CELLS]; 2],
}

impl Thumb {
    /// Shrinks a frame.
    ///
    /// # Errors
    /// [`ShortPlane`] if a plane holds fewer bytes than its rows need.
    pub fn of(planes: &Planes) -> Result<Self, ShortPlane> {
        let mut thumb = Self {
            luma: [0; CELLS],
            chroma: [[128; CHROMA_CELLS]; 2],
        };
        let luma = Grid {
            columns: COLUMNS,
            rows: ROWS,
            rows_per_cell: ROWS_PER_CELL,
        };
        luma.shrink(planes, 0, &mut thumb.luma)?;
        match planes.layout {
            PlaneLayout::Gray => {}
            PlaneLayout::Gbr => {
                let mut others = [[0; CELLS]; 2];
                for (plane, cells) in others.iter_mut().enumerate() {
                    luma.shrink(planes, plane + 1, cells)?;
                }
                thumb.take_colors(&others);
            }
            PlaneLayout::Yuv420 | PlaneLayout::Yuv422 | PlaneLayout::Yuv444 => {
                let chroma = Grid {
                    columns: CHROMA.0,
                    rows: CHROMA.1,
                    rows_per_cell: CHROMA_ROWS_PER_CELL,
                };
                for (plane, cells) in thumb.chroma.iter_mut().enumerate() {
                    chroma.shrink(planes, plane + 1, cells)?;
                }
            }
        }
        if planes.range == ColorRange::Limited && planes.layout != PlaneLayout::Gbr {
            stretch(&mut thumb.luma, (16, 0), 219);
            thumb
                .chroma
                .iter_mut()
                .for_each(|chroma| stretch(chroma, (128, 128), 224));
        }
        Ok(thumb)
    }

    /// Makes luma and differences of green, which `luma` holds, and of `[blue, red]`.
    fn take_colors(&mut self, [blues, reds]: &[[u8; CELLS]; 2]) {
        let mut differences = [[0i32; CHROMA_CELLS]; 2];
        for (cell, green) in self.luma.iter_mut().enumerate() {
            let (blue, red) = (i32::from(blues[cell]), i32::from(reds[cell]));
            let luma = (2 * red + 5 * i32::from(*green) + blue) / 8;
            let place = cell / COLUMNS / 2 * CHROMA.0 + cell % COLUMNS / 2;
            differences[0][place] += blue - luma;
            differences[1][place] += red - luma;
            *green = luma as u8;
        }
        for (cells, sums) in self.chroma.iter_mut().zip(differences) {
            for (cell, sum) in cells.iter_mut().zip(sums) {
                // A cell sums four differences of up to twice the span of a chroma.
                *cell = (128 + sum / 8).clamp(0, 255) as u8;
            }
        }
    }
}

/// A grid into which planes are shrunk.
struct Grid {
    columns: usize,
    rows: usize,
    rows_per_cell: usize,
}

impl Grid {
    /// Fills `cells` with the mean levels of plane `plane`.
    fn shrink(&self, planes: &Planes, plane: usize, cells: &mut [u8]) -> Result<(), ShortPlane> {
        let plane = planes.plane(plane)?;
        let (width, height) = (plane.size.width as usize, plane.size.height as usize);
        let mut sums = vec![0u16; width];
        for (row, cells) in cells.chunks_exact_mut(self.columns).enumerate() {
            let (top, bottom) = span(row, height, self.rows);
            let num_rows = (bottom - top).min(self.rows_per_cell);
            sums.fill(0);
            for place in 0..num_rows {
                // The middles of equal parts of the cell.
                let row = top + (2 * place + 1) * (bottom - top) / (2 * num_rows);
                let samples = plane.row(row, 0..width);
                if plane.bit_depth == 8 {
                    let sums = sums.iter_mut().zip(samples);
                    sums.for_each(|(sum, &sample)| *sum += u16::from(sample));
                } else {
                    let shift = plane.bit_depth - 8;
                    let sums = sums.iter_mut().zip(samples.as_chunks::<2>().0);
                    sums.for_each(|(sum, &sample)| {
                        *sum += (u16::from_le_bytes(sample) >> shift).min(255);
                    });
                }
            }
            for (column, cell) in cells.iter_mut().enumerate() {
                let (left, right) = span(column, width, self.columns);
                let sum: u32 = sums[left..right].iter().map(|&sum| u32::from(sum)).sum();
                *cell = (sum / ((right - left) * num_rows) as u32) as u8;
            }
        }
        Ok(())
    }
}

/// Interval `place` of `count` that `len` samples are divided into, at least one sample long.
fn span(place: usize, len: usize, count: usize) -> (usize, usize) {
    let start = place * len / count;
    (start, ((place + 1) * len / count).max(start + 1))
}

/// Stretches levels of limited range: level `from` becomes `to`, and `span` levels become 255.
fn stretch(levels: &mut [u8], (from, to): (i32, i32), span: i32) {
    for level in levels {
        *level = (to + (i32::from(*level) - from) * 255 / span).clamp(0, 255) as u8;
    }
}
