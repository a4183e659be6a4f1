//! Colour operations on rows of levels, by torchvision's formulas for float tensors.
//!
//! Loops without branches are compiled for several instruction sets; the program chooses one when it runs (`multiversion`).
//! Nothing is contracted or reordered, so every processor gives the same bits.

use multiversion::multiversion;

use super::rows::{LANES, Rows, RowsMut};

/// Colour operation on single pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PointOp {
    /// Multiplies levels by the factor.
    Brightness(f32),
    /// Scales the difference from the mean gray of the view by the factor.
    Contrast(f32),
    /// Scales the difference from the pixel's gray by the factor.
    Saturation(f32),
    /// Turns the hue, in sixths of the circle, -3 to 3.
    Hue(f32),
    /// Replaces the pixel by its gray.
    Gray,
}

/// Applies `ops` one after the other.
///
/// - `mean`: mean gray of the view, for contrast.
pub(super) fn apply(ops: &[PointOp], mean: f32, [red, green, blue]: RowsMut<'_>) {
    let blend_all = |rows: RowsMut<'_>, factor: f32, other: f32| {
        rows.into_iter()
            .for_each(|row| blend_with(row, factor, other));
    };
    for op in ops {
        match *op {
            PointOp::Brightness(factor) => blend_all([red, green, blue], factor, 0.0),
            PointOp::Contrast(factor) => {
                blend_all([red, green, blue], factor, mean * (1.0 - factor));
            }
            PointOp::Saturation(factor) => saturate(red, green, blue, factor),
            PointOp::Hue(sixths) => turn_hue(red, green, blue, sixths),
            PointOp::Gray => drop_color(red, green, blue),
        }
    }
}

/// Sum of the gray levels of a row whose length is a multiple of [`LANES`].
#[multiversion(targets = "simd")]
pub(super) fn sum_of_gray([red, green, blue]: Rows<'_>) -> f32 {
    let mut sums = [0.0; LANES];
    let (red, _) = red.as_chunks::<LANES>();
    let (green, _) = green.as_chunks::<LANES>();
    let (blue, _) = blue.as_chunks::<LANES>();
    for ((r, g), b) in red.iter().zip(green).zip(blue) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += gray(r[lane], g[lane], b[lane]);
        }
    }
    sums.iter().sum()
}

/// Gray level by torchvision's weights, which sum to 0.9999.
#[inline(always)]
fn gray(r: f32, g: f32, b: f32) -> f32 {
    0.2989 * r + 0.587 * g + 0.114 * b
}

// `f32::min` and `f32::max` handle NaN, which costs instructions and never occurs here.
#[inline(always)]
fn lower(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn higher(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn to_unit(level: f32) -> f32 {
    lower(higher(level, 0.0), 1.0)
}

#[multiversion(targets = "simd")]
fn blend_with(row: &mut [f32], factor: f32, other: f32) {
    for level in row {
        *level = to_unit(*level * factor + other);
    }
}

#[multiversion(targets = "simd")]
fn saturate(red: &mut [f32], green: &mut [f32], blue: &mut [f32], factor: f32) {
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let rest = gray(*r, *g, *b) * (1.0 - factor);
        *r = to_unit(*r * factor + rest);
        *g = to_unit(*g * factor + rest);
        *b = to_unit(*b * factor + rest);
    }
}

#[multiversion(targets = "simd")]
fn drop_color(red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let gray = gray(*r, *g, *b);
        (*r, *g, *b) = (gray, gray, gray);
    }
}

/// Turns the hue through HSV without computing S: the channels of a hue `h` (in sixths of the circle) are
/// `min + range * clamp(|h - 3| - 1)`, `min + range * clamp(2 - |h - 2|)` and `min + range * clamp(2 - |h - 4|)`.
#[multiversion(targets = "simd")]
fn turn_hue(red: &mut [f32], green: &mut [f32], blue: &mut [f32], sixths: f32) {
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let (r, g, b) = (*red, *green, *blue);
        let max = higher(higher(r, g), b);
        let min = lower(lower(r, g), b);
        let range = max - min;
        let per_range = 1.0 / if range > 0.0 { range } else { 1.0 };
        let from_red = (g - b) * per_range;
        let from_green = (b - r) * per_range + 2.0;
        let from_blue = (r - g) * per_range + 4.0;
        let others = if max == g { from_green } else { from_blue };
        // From -1 to 5, plus a turn of at most 3 either way.
        let hue = sixths + if max == r { from_red } else { others };
        let hue = hue + if hue < 0.0 { 6.0 } else { 0.0 };
        let hue = hue - if hue >= 6.0 { 6.0 } else { 0.0 };
        *red = min + range * to_unit((hue - 3.0).abs() - 1.0);
        *green = min + range * to_unit(2.0 - (hue - 2.0).abs());
        *blue = min + range * to_unit(2.0 - (hue - 4.0).abs());
    }
}
