//! Applies colour operations to the rows of an image as they arrive, and writes its samples.

use super::blur::Gaussian;
use super::color::{self, PointOp};
use super::params::{ColorParams, JitterOp};
use super::recipe::{ColorOrder, ColorRecipe};
use super::rows::{Planes, RowsMut};
use super::samples::Samples;

/// One image between resizing and its samples, and the buffers for the next.
#[derive(Debug, Default)]
pub(super) struct Painter {
    planes: Planes,
    ops: Vec<PointOp>,
    /// Number of operations before the first that needs the mean of the whole image.
    num_early: usize,
    sum_of_gray: f64,
    is_blurred: bool,
    gaussian: Gaussian,
    /// One blurred row.
    blurred: [Vec<f32>; 3],
}

impl Painter {
    /// Starts an image of `width x height` px. Without `color` its colours stay unchanged. An image that is blurred is square.
    pub fn start(&mut self, size: [usize; 2], color: Option<(&ColorParams, &ColorRecipe)>) {
        self.planes.resize(size);
        self.sum_of_gray = 0.0;
        self.is_blurred = false;
        self.ops.clear();
        if let Some((params, recipe)) = color {
            self.plan(params, recipe.order);
            if let (Some(sigma_px), Some(blur)) = (params.blur_sigma_px, recipe.blur) {
                self.is_blurred = true;
                self.gaussian.set(sigma_px, blur.kernel_px);
            }
        }
        let needs_mean = |op: &PointOp| matches!(op, PointOp::Contrast(_));
        let first_late = self.ops.iter().position(needs_mean);
        self.num_early = first_late.unwrap_or(self.ops.len());
    }

    fn plan(&mut self, color: &ColorParams, order: ColorOrder) {
        if color.is_gray && order == ColorOrder::GrayscaleThenJitter {
            self.ops.push(PointOp::Gray);
        }
        if let Some(jitter) = &color.jitter {
            self.ops.extend(jitter.order.map(|op| match op {
                JitterOp::Brightness => PointOp::Brightness(jitter.brightness as f32),
                JitterOp::Contrast => PointOp::Contrast(jitter.contrast as f32),
                JitterOp::Saturation => PointOp::Saturation(jitter.saturation as f32),
                JitterOp::Hue => PointOp::Hue((jitter.hue * 6.0) as f32),
            }));
        }
        if color.is_gray && order == ColorOrder::JitterThenGrayscale {
            self.ops.push(PointOp::Gray);
        }
    }

    /// Row `row`, to be filled with levels, and its padding with zeros.
    pub fn row(&mut self, row: usize) -> RowsMut<'_> {
        self.planes.row_mut(row)
    }

    /// Applies the early operations to row `row`, which has been filled.
    pub fn paint_row(&mut self, row: usize) {
        let early = &self.ops[..self.num_early];
        color::apply(early, 0.0, self.planes.row_mut(row));
        if self.num_early < self.ops.len() {
            // Zeros stay zeros under every early operation, so padding adds nothing.
            self.sum_of_gray += f64::from(color::sum_of_gray(self.planes.row(row)));
        }
    }

    /// Applies the late operations and the blur, and writes the samples. All rows must have been painted.
    pub fn finish(&mut self, samples: &mut Samples<'_>) {
        let [width, height] = self.planes.size;
        let mean = (self.sum_of_gray / (width * height) as f64) as f32;
        for row in 0..height {
            color::apply(&self.ops[self.num_early..], mean, self.planes.row_mut(row));
            if !self.is_blurred {
                samples.write_row(row, width, self.planes.row(row));
            }
        }
        if self.is_blurred {
            for row in 0..height {
                for (plane, blurred) in self.planes.levels.iter().zip(&mut self.blurred) {
                    self.gaussian.blur_row(plane, width, row, blurred);
                }
                samples.write_row(row, width, self.blurred.each_ref().map(Vec::as_slice));
            }
        }
    }

    /// Fills and paints all rows with the square of `from` whose top left px is (`left`, `top`).
    pub fn copy_square(&mut self, from: &Self, left: usize, top: usize) {
        let [side, _] = self.planes.size;
        for row in 0..side {
            let source = from.planes.row(top + row);
            for (to, levels) in self.planes.row_mut(row).into_iter().zip(source) {
                to[..side].copy_from_slice(&levels[left..][..side]);
                to[side..].fill(0.0);
            }
            self.paint_row(row);
        }
    }
}
