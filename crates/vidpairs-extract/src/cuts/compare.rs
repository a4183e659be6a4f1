//! Compares two frames: how much of the picture is not found again, whatever the light and the motion.

use super::thumb::{CELLS, COLUMNS, ROWS, Thumb};

/// Level of a cell of [`Look::shape`] that is as bright as the mean, and levels of one standard deviation.
const SHAPE: (i32, i32) = (128, 40);

/// Least standard deviation that is stretched to that of a shape, levels: below, there is nothing but noise.
const MIN_CONTRAST: f32 = 6.0;

/// Farthest shift of the whole picture, cells across and down.
const SHIFT: (i32, i32) = (10, 8);

/// Farthest shift of a block beside that of the whole picture, cells.
const LOCAL_SHIFT: i32 = 2;

/// Side of a block, cells.
const BLOCK: usize = 8;

/// A distance of shapes below which they are compared without shifts: nothing moved.
const STILL: u32 = 5;

/// A thumbnail and what is compared of it.
#[derive(Clone)]
pub(super) struct Look {
    pub thumb: Thumb,
    /// Luma with mean and standard deviation of every frame the same: light that changes everywhere alike does not show.
    pub shape: [u8; CELLS],
    /// Standard deviation of luma, levels.
    pub contrast: f32,
}

impl Look {
    pub fn of(thumb: Thumb) -> Self {
        let sum: u32 = thumb.luma.iter().map(|&level| u32::from(level)).sum();
        let squares = thumb.luma.iter().map(|&level| u32::from(level).pow(2));
        let squares: u32 = squares.sum();
        let mean = sum as f32 / CELLS as f32;
        let contrast = (squares as f32 / CELLS as f32 - mean * mean)
            .max(0.0)
            .sqrt();
        let gain = SHAPE.1 as f32 / contrast.max(MIN_CONTRAST);
        let mut shape = [0; CELLS];
        for (cell, &level) in shape.iter_mut().zip(&thumb.luma) {
            let level = (f32::from(level) - mean) * gain;
            *cell = (SHAPE.0 + level as i32).clamp(0, 255) as u8;
        }
        Self {
            thumb,
            shape,
            contrast,
        }
    }
}

/// A place in the grid, or a shift, cells across and down.
type Shift = (i32, i32);

/// Distance of two frames, about 0 for one scene and 30 to 50 for two scenes: mean difference of shape where every block lies best,
/// and of color.
pub(super) fn distance(a: &Look, b: &Look) -> u32 {
    let still = sum_of_differences(&a.shape, &b.shape);
    let color = color_distance(&a.thumb, &b.thumb);
    if still < STILL * CELLS as u32 {
        return still / CELLS as u32 + color;
    }
    let whole = best_shift(&a.shape, &b.shape);
    let mut sum = 0;
    for top in (0..ROWS).step_by(BLOCK) {
        for left in (0..COLUMNS).step_by(BLOCK) {
            let at = |shift| block_difference(&a.shape, &b.shape, (left, top), shift);
            let around = |(across, down): Shift| {
                let range = -LOCAL_SHIFT..=LOCAL_SHIFT;
                let shifts = range
                    .clone()
                    .flat_map(move |y| range.clone().map(move |x| (x, y)));
                shifts
                    .filter_map(move |(x, y)| at((across + x, down + y)))
                    .min()
            };
            let best = [around((0, 0)), around(whole)].into_iter().flatten().min();
            sum += best.unwrap_or(0);
        }
    }
    sum / CELLS as u32 + color
}

/// Sum of the differences of all cells.
fn sum_of_differences(a: &[u8], b: &[u8]) -> u32 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum()
}

/// Mean difference of the chromas, levels.
fn color_distance(a: &Thumb, b: &Thumb) -> u32 {
    let chromas = a.chroma.iter().zip(&b.chroma);
    let sum: u32 = chromas.map(|(a, b)| sum_of_differences(a, b)).sum();
    sum / a.chroma[0].len() as u32
}

/// The shift at which the picture `b` lies best over `a`: cell (x, y) of `b` is compared with (x + across, y + down) of `a`.
fn best_shift(a: &[u8; CELLS], b: &[u8; CELLS]) -> Shift {
    let mut best = ((0, 0), f32::INFINITY);
    for down in -SHIFT.1..=SHIFT.1 {
        for across in -SHIFT.0..=SHIFT.0 {
            let columns = COLUMNS - across.unsigned_abs() as usize;
            let rows = ROWS - down.unsigned_abs() as usize;
            let (left, top) = (across.max(0) as usize, down.max(0) as usize);
            let (left_b, top_b) = ((-across).max(0) as usize, (-down).max(0) as usize);
            let mut sum = 0;
            for row in 0..rows {
                let start = (top + row) * COLUMNS + left;
                let start_b = (top_b + row) * COLUMNS + left_b;
                sum +=
                    sum_of_differences(&a[start..start + columns], &b[start_b..start_b + columns]);
            }
            let mean = sum as f32 / (columns * rows) as f32;
            if mean < best.1 {
                best = ((across, down), mean);
            }
        }
    }
    best.0
}

/// Sum of the differences of the block of `b` at `(left, top)`; `None` if it is shifted out of `a`.
fn block_difference(
    a: &[u8; CELLS],
    b: &[u8; CELLS],
    (left, top): (usize, usize),
    (across, down): Shift,
) -> Option<u32> {
    let left_a = left.checked_add_signed(across as isize)?;
    let top_a = top.checked_add_signed(down as isize)?;
    if left_a + BLOCK > COLUMNS || top_a + BLOCK > ROWS {
        return None;
    }
    let mut sum = 0;
    for row in 0..BLOCK {
        let start = (top_a + row) * COLUMNS + left_a;
        let start_b = (top + row) * COLUMNS + left;
        sum += sum_of_differences(&a[start..start + BLOCK], &b[start_b..start_b + BLOCK]);
    }
    Some(sum)
}

/// Euclidean distance of the lumas, cell by cell, levels: root of the mean square.
pub(super) fn luma_distance(a: &Look, b: &Look) -> f32 {
    let pairs = a.thumb.luma.iter().zip(&b.thumb.luma);
    let squares = pairs.map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2));
    (squares.sum::<u32>() as f32 / CELLS as f32).sqrt()
}
