//! Compares two frames: how much of the picture is not found again, whatever the light and the motion.

use super::thumb::{CELLS, CHROMA_CELLS, COLUMNS, ROWS, Thumb};

/// Level of a cell of a [`Shape`] that is as bright as the mean, and levels of one standard deviation.
const SHAPE: (f32, f32) = (128.0, 40.0);

/// Least standard deviation that is stretched to that of a shape, levels: below, there is nothing but noise.
const MIN_CONTRAST: f32 = 6.0;

/// Most that the colors are stretched.
const MAX_COLOR_GAIN: f32 = 1.5;

/// Distance from which two frames may be of two scenes.
const MIN_DOUBTFUL: u32 = 12;

/// Columns and rows of the small shape, in which a shift of the whole picture is sought first.
const SMALL: (usize, usize) = (COLUMNS / 2, ROWS / 2);

/// Farthest shift of the whole picture, cells of the small shape across and down.
const SHIFT: (i32, i32) = (5, 4);

/// Farthest shift of a block beside that of the whole picture, cells.
const LOCAL_SHIFT: i32 = 2;

/// Side of a block, cells.
const BLOCK: usize = 8;

/// A distance of shapes below which they are compared without shifts: nothing moved.
const STILL: u32 = 5;

/// A place in the grid, or a shift, cells across and down.
type Shift = (i32, i32);

/// A thumbnail and what is compared of it.
#[derive(Clone)]
pub(super) struct Look {
    pub thumb: Thumb,
    /// Standard deviation of luma, levels.
    pub contrast: f32,
    light: Light,
    shape: Shape,
}

/// Mean of luma, and how much a shape stretches it.
#[derive(Clone, Copy)]
struct Light {
    mean: f32,
    gain: f32,
}

/// A thumbnail in which light that changes everywhere alike does not show.
#[derive(Clone)]
struct Shape {
    luma: [u8; CELLS],
    /// Luma with half the columns and rows.
    small: [u8; CELLS / 4],
    chroma: [[u8; CHROMA_CELLS]; 2],
}

impl Look {
    pub fn of(thumb: Thumb) -> Self {
        let sum: u32 = thumb.luma.iter().map(|&level| u32::from(level)).sum();
        let squares = thumb.luma.iter().map(|&level| u32::from(level).pow(2));
        let squares: u32 = squares.sum();
        let mean = sum as f32 / CELLS as f32;
        let variance = squares as f32 / CELLS as f32 - mean * mean;
        let contrast = variance.max(0.0).sqrt();
        let light = Light {
            mean,
            gain: SHAPE.1 / contrast.max(MIN_CONTRAST),
        };
        Self {
            shape: Shape::of(&thumb, light),
            thumb,
            contrast,
            light,
        }
    }
}

impl Shape {
    fn of(thumb: &Thumb, light: Light) -> Self {
        let mut luma = [0; CELLS];
        for (cell, &level) in luma.iter_mut().zip(&thumb.luma) {
            *cell = (SHAPE.0 + (f32::from(level) - light.mean) * light.gain) as u8;
        }
        let mut small = [0; CELLS / 4];
        for (place, cell) in small.iter_mut().enumerate() {
            let corner = 2 * (place / SMALL.0 * COLUMNS + place % SMALL.0);
            let four = [0, 1, COLUMNS, COLUMNS + 1].map(|step| u16::from(luma[corner + step]));
            *cell = (four.iter().sum::<u16>() / 4) as u8;
        }
        let gain = light.gain.min(MAX_COLOR_GAIN);
        let chroma = thumb
            .chroma
            .map(|chroma| chroma.map(|level| (SHAPE.0 + (f32::from(level) - 128.0) * gain) as u8));
        Self {
            luma,
            small,
            chroma,
        }
    }

    /// Mean difference where every block lies best, and of color.
    fn distance(&self, other: &Self) -> u32 {
        let luma = sum_of_differences(&self.luma, &other.luma);
        if luma < STILL * CELLS as u32 {
            return luma / CELLS as u32 + self.color_distance(other);
        }
        let whole = best_shift(self, other);
        let mut sum = 0;
        for top in (0..ROWS).step_by(BLOCK) {
            for left in (0..COLUMNS).step_by(BLOCK) {
                sum += best_difference(&self.luma, &other.luma, (left, top), whole);
            }
        }
        sum / CELLS as u32 + self.color_distance(other)
    }

    fn color_distance(&self, other: &Self) -> u32 {
        let chromas = self.chroma.iter().zip(&other.chroma);
        let sum: u32 = chromas.map(|(a, b)| sum_of_differences(a, b)).sum();
        sum / CHROMA_CELLS as u32
    }
}

/// Distance of two frames, about 0 for one scene and 30 to 50 for two scenes.
///
/// Each frame is first taken in its own light. If they differ so, both are taken in the same light too: what covers a part of one of
/// them changes its mean, but not the rest of the picture.
pub(super) fn distance(a: &Look, b: &Look) -> u32 {
    let own = a.shape.distance(&b.shape);
    if own < MIN_DOUBTFUL {
        return own;
    }
    let light = Light {
        mean: (a.light.mean + b.light.mean) / 2.0,
        gain: (a.light.gain + b.light.gain) / 2.0,
    };
    let common = Shape::of(&a.thumb, light).distance(&Shape::of(&b.thumb, light));
    own.min(common)
}

/// The greatest value that [`distance`] may have, at little cost.
pub(super) fn greatest_distance(a: &Look, b: &Look) -> u32 {
    sum_of_differences(&a.shape.luma, &b.shape.luma) / CELLS as u32
        + a.shape.color_distance(&b.shape)
}

/// Sum of the differences of all cells.
fn sum_of_differences(a: &[u8], b: &[u8]) -> u32 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&a, &b)| u32::from(a.abs_diff(b))).sum()
}

/// The shift at which the picture `b` lies best over `a`, cells: cell (x, y) of `b` is compared with (x + across, y + down) of `a`.
fn best_shift(a: &Shape, b: &Shape) -> Shift {
    let best = |shifts: &mut dyn Iterator<Item = Shift>, mean: &dyn Fn(Shift) -> f32| {
        let means = shifts.map(|shift| (shift, mean(shift)));
        let best = means.min_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or((0, 0), |(shift, _)| shift)
    };
    let coarse = best(&mut shifts((0, 0), SHIFT), &|shift| {
        mean_difference(&a.small, &b.small, SMALL, shift)
    });
    let coarse = (2 * coarse.0, 2 * coarse.1);
    best(&mut shifts(coarse, (1, 1)), &|shift| {
        mean_difference(&a.luma, &b.luma, (COLUMNS, ROWS), shift)
    })
}

/// The shifts around one, at most so many cells away.
fn shifts((x, y): Shift, (across, down): Shift) -> impl Iterator<Item = Shift> {
    (y - down..=y + down).flat_map(move |y| (x - across..=x + across).map(move |x| (x, y)))
}

/// Mean difference of two pictures of `columns x rows` where they overlap, levels.
fn mean_difference(
    a: &[u8],
    b: &[u8],
    (columns, rows): (usize, usize),
    (across, down): Shift,
) -> f32 {
    let (left, top) = (across.max(0) as usize, down.max(0) as usize);
    let (left_b, top_b) = ((-across).max(0) as usize, (-down).max(0) as usize);
    let (width, height) = (columns - left - left_b, rows - top - top_b);
    let differences = (0..height).map(|row| {
        let start = (top + row) * columns + left;
        let start_b = (top_b + row) * columns + left_b;
        sum_of_differences(&a[start..start + width], &b[start_b..start_b + width])
    });
    differences.sum::<u32>() as f32 / (width * height) as f32
}

/// Least sum of differences of the block of `b` at `corner` from a block of `a` near the same place, or near that shifted by `whole`.
fn best_difference(a: &[u8; CELLS], b: &[u8; CELLS], corner: (usize, usize), whole: Shift) -> u32 {
    let at = |shift| block_difference(a, b, corner, shift);
    let still = at((0, 0)).unwrap_or(u32::MAX);
    if still < STILL * (BLOCK * BLOCK) as u32 {
        return still;
    }
    let local = (LOCAL_SHIFT, LOCAL_SHIFT);
    let around = |shift| shifts(shift, local).filter_map(at).min().unwrap_or(still);
    match whole {
        (0, 0) => around(whole),
        _ => around((0, 0)).min(around(whole)),
    }
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
        let a = a[(top_a + row) * COLUMNS + left_a..].first_chunk::<BLOCK>()?;
        let b = b[(top + row) * COLUMNS + left..].first_chunk::<BLOCK>()?;
        let differences =
            std::array::from_fn::<u16, BLOCK, _>(|cell| a[cell].abs_diff(b[cell]).into());
        sum += differences.iter().sum::<u16>();
    }
    Some(u32::from(sum))
}

/// Euclidean distance of the lumas, cell by cell, levels: root of the mean square.
pub(super) fn luma_distance(a: &Look, b: &Look) -> f32 {
    let pairs = a.thumb.luma.iter().zip(&b.thumb.luma);
    let squares = pairs.map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2));
    (squares.sum::<u32>() as f32 / CELLS as f32).sqrt()
}
