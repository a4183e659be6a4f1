//! Resizing a crop: every source row along x first, then the view's rows out of those, as they are wanted.

use multiversion::multiversion;

use super::axis::{Axis, Taps};
use super::painter::{LANES, Painter, Rows};
use super::pixels::Pixels;

/// Channels while resizing: R, G, B, any. Four are a vector, three are not.
const CHANNELS: usize = 4;
/// Divides a row's length, which is a multiple of `LANES` times [`CHANNELS`].
const WIDE: usize = 2 * LANES;

/// Tables and rows that serve one resize after the other.
#[derive(Debug, Default)]
pub(super) struct Resampler {
    x: Taps,
    y: Taps,
    /// A source row, `px x 4`, and behind it room for taps without weight.
    line: Vec<f32>,
    /// The last source rows, resized along x, each at its number modulo how many there are.
    ring: Vec<f32>,
    /// Where those that a row of the view is made of begin in it.
    kept: Vec<usize>,
    /// A row of the view, `px x 4`.
    row: Vec<f32>,
}

impl Resampler {
    /// Resizes `pixels` along both axes and hands every row of the view to `painter`, levels 0 to 1.
    pub fn resize(&mut self, pixels: &Pixels<'_>, x: &Axis, y: &Axis, painter: &mut Painter) {
        self.x.fill(x, pixels.size.width as usize, 1.0);
        self.y.fill(y, pixels.size.height as usize, 1.0 / 255.0);
        let width = pixels.size.width as usize;
        let row_len = self.x.starts.len() * CHANNELS;
        let num_kept = self.y.num_taps;
        // What is left from the view before is multiplied by a weight of 0, or written over.
        self.line.resize((width + self.x.num_taps) * CHANNELS, 0.0);
        self.ring.resize(row_len * num_kept, 0.0);
        self.row.resize(row_len, 0.0);
        let mut num_read = 0;
        for view_row in 0..y.count_px as usize {
            let start = self.y.starts[view_row] as usize;
            let weights = &self.y.weights[view_row * num_kept..][..num_kept];
            let end = (start + num_kept).min(pixels.size.height as usize);
            for source_row in num_read.max(start)..end {
                let kept = &mut self.ring[source_row % num_kept * row_len..][..row_len];
                widen(
                    pixels.row(source_row),
                    pixels.bytes_per_pixel,
                    &mut self.line,
                );
                resize_line(&self.line, &self.x.starts, &self.x.weights, kept);
            }
            num_read = num_read.max(end);
            self.kept.clear();
            self.kept
                .extend((start..start + num_kept).map(|row| row % num_kept * row_len));
            weigh_rows(&self.ring, &self.kept, weights, &mut self.row);
            separate(&self.row, painter.row(view_row));
            painter.row_is_there(view_row);
        }
    }
}

/// Levels of a source row as `px x 4` floats.
fn widen(bytes: &[u8], bytes_per_pixel: usize, line: &mut [f32]) {
    if bytes_per_pixel == CHANNELS {
        widen_four(bytes, line);
    } else {
        widen_three(bytes, line);
    }
}

#[multiversion(targets = "simd")]
fn widen_four(bytes: &[u8], line: &mut [f32]) {
    for (to, &from) in line.iter_mut().zip(bytes) {
        *to = f32::from(from);
    }
}

#[multiversion(targets = "simd")]
fn widen_three(bytes: &[u8], line: &mut [f32]) {
    let (from, _) = bytes.as_chunks::<3>();
    let (to, _) = line.as_chunks_mut::<CHANNELS>();
    for (to, &[r, g, b]) in to.iter_mut().zip(from) {
        *to = [f32::from(r), f32::from(g), f32::from(b), 0.0];
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

/// `sum over n of weights[n] * ring[starts[n]..]`, so many levels at a time that their sums stay in registers.
#[multiversion(targets = "simd")]
fn weigh_rows(ring: &[f32], starts: &[usize], weights: &[f32], to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<WIDE>();
    for (chunk, to) in to.iter_mut().enumerate() {
        let mut sums = [0.0; WIDE];
        for (start, weight) in starts.iter().zip(weights) {
            let levels = &ring[start + chunk * WIDE..][..WIDE];
            for (sum, level) in sums.iter_mut().zip(levels) {
                *sum += weight * level;
            }
        }
        *to = sums;
    }
}

/// `px x 4` to three rows.
#[multiversion(targets = "simd")]
fn separate(row: &[f32], [red, green, blue]: Rows<'_>) {
    let (row, _) = row.as_chunks::<CHANNELS>();
    for (((pixel, r), g), b) in row.iter().zip(red).zip(green).zip(blue) {
        [*r, *g, *b, _] = *pixel;
    }
}
