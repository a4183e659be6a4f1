//! Colours of one image, as its rows come: what needs no mean at once, the rest when all rows are there.

use super::blur::Gaussian;
use super::color::{self, PointOp};
use super::params::{ColorParams, JitterOp};
use super::recipe::{ColorOrder, ColorRecipe};
use super::samples::Samples;

/// Rows are padded to so many levels: a vector of the widest processors.
pub(super) const LANES: usize = 16;

/// A row of red, green and blue levels, 0 to 1, to be changed.
pub(super) type Rows<'a> = [&'a mut [f32]; 3];
/// A row of red, green and blue levels, 0 to 1.
pub(super) type RowsRead<'a> = [&'a [f32]; 3];

/// Operations of one image at most: four of jitter, and grayscale.
const MAX_OPS: usize = 5;

/// One image on its way from resized levels to samples.
#[derive(Debug, Default)]
pub(super) struct Painter {
    side: usize,
    /// Length of a row: `side` and what pads it.
    stride: usize,
    /// Three times `side x stride`, levels 0 to 1.
    planes: [Vec<f32>; 3],
    ops: Vec<PointOp>,
    /// Which of `ops` is the first that needs the mean of all rows.
    num_early: usize,
    sum_of_gray: f64,
    is_blurred: bool,
    gaussian: Gaussian,
    /// Blurred rows.
    blurred: [Vec<f32>; 3],
}

impl Painter {
    /// Takes an image of `side x side` px next, for `color`.
    pub fn start(&mut self, side: usize, color: &ColorParams, recipe: Option<&ColorRecipe>) {
        self.side = side;
        self.stride = side.next_multiple_of(LANES);
        for plane in &mut self.planes {
            plane.resize(side * self.stride, 0.0);
        }
        let order = recipe.map_or(ColorOrder::JitterThenGrayscale, |recipe| recipe.order);
        self.plan(color, order);
        let blur = recipe.and_then(|recipe| recipe.blur);
        self.is_blurred = false;
        if let (Some(sigma_px), Some(blur)) = (color.blur_sigma_px, blur) {
            self.is_blurred = true;
            self.gaussian.set(sigma_px, blur.kernel_px);
            for row in &mut self.blurred {
                row.resize(self.stride, 0.0);
            }
        }
        self.sum_of_gray = 0.0;
    }

    fn plan(&mut self, color: &ColorParams, order: ColorOrder) {
        self.ops.clear();
        self.ops.reserve(MAX_OPS);
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
        let needs_mean = |op: &PointOp| matches!(op, PointOp::Contrast(_));
        self.num_early = self
            .ops
            .iter()
            .position(needs_mean)
            .unwrap_or(self.ops.len());
    }

    /// Row `row`, to be filled; the levels that pad it with zeros.
    pub fn row(&mut self, row: usize) -> Rows<'_> {
        let (stride, from) = (self.stride, row * self.stride);
        self.planes
            .each_mut()
            .map(|plane| &mut plane[from..][..stride])
    }

    /// Takes what [`Self::row`] was filled with.
    pub fn row_is_there(&mut self, row: usize) {
        let (stride, from) = (self.stride, row * self.stride);
        let mut rows = self
            .planes
            .each_mut()
            .map(|plane| &mut plane[from..][..stride]);
        color::apply(
            &self.ops[..self.num_early],
            0.0,
            rows.each_mut().map(|row| &mut **row),
        );
        if self.num_early < self.ops.len() {
            // Zeros stay zeros under every early operation: what pads the row adds nothing.
            let [red, green, blue] = rows;
            self.sum_of_gray += f64::from(color::sum_of_gray(red, green, blue));
        }
    }

    /// Writes the samples, when all rows are there.
    pub fn finish(&mut self, samples: &mut Samples<'_>) {
        let mean = (self.sum_of_gray / (self.side * self.side) as f64) as f32;
        let late = &self.ops[self.num_early..];
        let (side, stride) = (self.side, self.stride);
        for row in 0..side {
            let mut rows = self
                .planes
                .each_mut()
                .map(|plane| &mut plane[row * stride..][..stride]);
            color::apply(late, mean, rows.each_mut().map(|row| &mut **row));
            if !self.is_blurred {
                samples.write_row(row, side, rows.map(|row| &*row));
            }
        }
        if self.is_blurred {
            for row in 0..side {
                for (plane, to) in self.planes.iter().zip(&mut self.blurred) {
                    self.gaussian.blur_row(plane, side, row, to);
                }
                samples.write_row(row, side, self.blurred.each_ref().map(Vec::as_slice));
            }
        }
    }

    /// Copies a square of `from`, whose top left px is (`left`, `top`), and takes it as all rows of this image.
    pub fn copy_square(&mut self, from: &Self, left: usize, top: usize) {
        for row in 0..self.side {
            let (side, source) = (self.side, (top + row) * from.stride + left);
            for (to, plane) in self.row(row).into_iter().zip(&from.planes) {
                to[..side].copy_from_slice(&plane[source..][..side]);
                to[side..].fill(0.0);
            }
            self.row_is_there(row);
        }
    }
}
