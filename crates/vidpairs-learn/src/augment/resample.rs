//! Resizes a crop row by row: sums the weighted source rows of a row of the view, then resizes the sum along x.
//!
//! torchvision resizes along x first, which differs in the last bit. Our order gives most of the work to the step that
//! vectorises best, and keeps no resized rows in memory.

use multiversion::multiversion;

use super::axis::{Axis, Taps};
use super::painter::Painter;
use super::pixels::Pixels;
use super::rows::RowsMut;

/// Channels while resizing: red, green, blue, and one unused, as four fit a vector register.
const CHANNELS: usize = 4;

/// Weight tables and row buffers, reused from resize to resize.
#[derive(Debug, Default)]
pub(super) struct Resampler {
    x: Taps,
    y: Taps,
    /// Weighted sum of source rows, `px x 3`.
    sums: Vec<f32>,
    /// Weighted sum of source rows, `px x 4`, followed by room for taps of weight 0.
    line: Vec<f32>,
    /// Row of the view, `px x 4`.
    row: Vec<f32>,
}

impl Resampler {
    /// Resizes `pixels` along both axes and passes every row of the view to `painter`, levels 0 to 1.
    pub fn resize(&mut self, pixels: &Pixels<'_>, x: &Axis, y: &Axis, painter: &mut Painter) {
        let (width, height) = (pixels.size.width as usize, pixels.size.height as usize);
        self.x.fill(x, width, 1.0);
        self.y.fill(y, height, 1.0 / 255.0);
        // Values of the previous view are overwritten, or multiplied by a weight of 0.
        self.line.resize((width + self.x.num_taps) * CHANNELS, 0.0);
        self.row.resize(self.x.starts.len() * CHANNELS, 0.0);
        for view_row in 0..y.count_px as usize {
            let (start, weights) = self.y.entry(view_row);
            let rows = pixels.rows(start, weights.len().min(height - start));
            if pixels.bytes_per_pixel == CHANNELS {
                weigh_rows(rows, weights, &mut self.line[..width * CHANNELS]);
            } else {
                self.sums.resize(width * pixels.bytes_per_pixel, 0.0);
                weigh_rows(rows, weights, &mut self.sums);
                widen(&self.sums, &mut self.line);
            }
            resize_line(&self.line, &self.x.starts, &self.x.weights, &mut self.row);
            separate(&self.row, painter.row(view_row));
            painter.paint_row(view_row);
        }
    }
}

/// Computes `sum over n of weights[n] * row n`. The rows are contiguous and as long as `to`.
#[multiversion(targets = "simd")]
fn weigh_rows(rows: &[u8], weights: &[f32], to: &mut [f32]) {
    let len = to.len();
    match (weights, rows.len() / len.max(1)) {
        (&[a, b, ..], 2) => {
            let (one, two) = rows.split_at(len);
            for ((to, &one), &two) in to.iter_mut().zip(one).zip(two) {
                *to = a * f32::from(one) + b * f32::from(two);
            }
        }
        (&[a, b, c, ..], 3) => {
            let (one, rest) = rows.split_at(len);
            let (two, three) = rest.split_at(len);
            for (((to, &one), &two), &three) in to.iter_mut().zip(one).zip(two).zip(three) {
                *to = a * f32::from(one) + b * f32::from(two) + c * f32::from(three);
            }
        }
        _ => {
            to.fill(0.0);
            for (row, &weight) in rows.chunks_exact(len).zip(weights) {
                for (to, &level) in to.iter_mut().zip(row) {
                    *to += weight * f32::from(level);
                }
            }
        }
    }
}

/// Converts `px x 3` to `px x 4`.
#[multiversion(targets = "simd")]
fn widen(from: &[f32], line: &mut [f32]) {
    let (from, _) = from.as_chunks::<3>();
    let (to, _) = line.as_chunks_mut::<CHANNELS>();
    for (to, &[r, g, b]) in to.iter_mut().zip(from) {
        *to = [r, g, b, 0.0];
    }
}

#[multiversion(targets = "simd")]
fn resize_line(line: &[f32], starts: &[u32], weights: &[f32], to: &mut [f32]) {
    match weights.len() / starts.len().max(1) {
        2 => weigh::<2>(line, starts, weights, to),
        3 => weigh::<3>(line, starts, weights, to),
        4 => weigh::<4>(line, starts, weights, to),
        5 => weigh::<5>(line, starts, weights, to),
        num_taps => weigh_any(line, starts, weights, num_taps, to),
    }
}

#[inline(always)]
fn weigh<const TAPS: usize>(line: &[f32], starts: &[u32], weights: &[f32], to: &mut [f32]) {
    let (line, _) = line.as_chunks::<CHANNELS>();
    let (to, _) = to.as_chunks_mut::<CHANNELS>();
    let (weights, _) = weights.as_chunks::<TAPS>();
    for ((to, &start), weights) in to.iter_mut().zip(starts).zip(weights) {
        let mut sum = [0.0; CHANNELS];
        let pixels = &line[start as usize..][..TAPS];
        for (pixel, weight) in pixels.iter().zip(weights) {
            for (sum, level) in sum.iter_mut().zip(pixel) {
                *sum += weight * level;
            }
        }
        *to = sum;
    }
}

#[inline(always)]
fn weigh_any(line: &[f32], starts: &[u32], weights: &[f32], num_taps: usize, to: &mut [f32]) {
    let (line, _) = line.as_chunks::<CHANNELS>();
    let (to, _) = to.as_chunks_mut::<CHANNELS>();
    let weights = weights.chunks_exact(num_taps);
    for ((to, &start), weights) in to.iter_mut().zip(starts).zip(weights) {
        let mut sum = [0.0; CHANNELS];
        let pixels = &line[start as usize..][..num_taps];
        for (pixel, weight) in pixels.iter().zip(weights) {
            for (sum, level) in sum.iter_mut().zip(pixel) {
                *sum += weight * level;
            }
        }
        *to = sum;
    }
}

/// Converts `px x 4` to a row of each channel.
#[multiversion(targets = "simd")]
fn separate(row: &[f32], [red, green, blue]: RowsMut<'_>) {
    let (row, _) = row.as_chunks::<CHANNELS>();
    for (((pixel, r), g), b) in row.iter().zip(red).zip(green).zip(blue) {
        [*r, *g, *b, _] = *pixel;
    }
}
