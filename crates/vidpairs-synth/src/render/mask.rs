//! The pixels that an object fills.

use vidpairs_types::BoxXywh;

use super::surface::{Projected, Sampling, Surface, depths};
use crate::raster::scan;

/// Samples along a side of a pixel that decide what is filled.
pub(super) const SAMPLES_PER_SIDE: u32 = 2;
/// How far outside the image a part of an object still counts, in images to every side.
const REACH: f32 = 2.0;

/// What an object fills, counted in quarter pixels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mask {
    /// Quarter pixels in which it can be seen.
    pub num_visible: u64,
    /// Quarter pixels that it would fill with nothing before it and an image without end.
    pub num_full: u64,
    /// Those of `num_full` that lie inside the image.
    pub num_inside: u64,
    /// Bounds of the visible, px; `None` where there are none.
    pub visible: Option<BoxXywh>,
    /// Bounds of the full, px.
    pub full: Option<BoxXywh>,
    /// Whether some of the full lie outside the image.
    pub is_cut: bool,
}

impl Mask {
    /// `num_visible / num_full`; 0 for an object that fills nothing.
    pub fn visible_share(&self) -> f64 {
        if self.num_full == 0 {
            return 0.0;
        }
        self.num_visible as f64 / self.num_full as f64
    }

    /// Share of what lies inside the image that something before it hides.
    pub fn hidden_share(&self) -> f64 {
        if self.num_inside == 0 {
            return 0.0;
        }
        1.0 - self.num_visible as f64 / self.num_inside as f64
    }

    pub(super) fn of(
        place: usize,
        object: &Projected<'_>,
        surface: &Surface,
        sampling: &Sampling,
    ) -> Self {
        let silhouette = Silhouette::of(object, sampling);
        let mut full = Bounds::default();
        let mut visible = Bounds::default();
        let (mut is_cut, mut num_inside) = (false, 0);
        let (width, height) = (sampling.width as i64, sampling.height as i64);
        for (x, y) in silhouette.samples() {
            full.add(x, y);
            if x < 0 || y < 0 || x >= width || y >= height {
                is_cut = true;
                continue;
            }
            num_inside += 1;
            if surface.shows(place, (y * width + x) as usize) {
                visible.add(x, y);
            }
        }
        Self {
            num_visible: visible.count,
            num_full: full.count,
            num_inside,
            visible: visible.to_box(sampling),
            full: full.to_box(sampling),
            is_cut,
        }
    }
}

/// An object alone, on a grid of its own that reaches past the image.
struct Silhouette {
    left: i64,
    top: i64,
    width: usize,
    filled: Vec<bool>,
}

impl Silhouette {
    fn of(object: &Projected<'_>, sampling: &Sampling) -> Self {
        let (mut low, mut high) = (glam::Vec3::INFINITY, glam::Vec3::NEG_INFINITY);
        for &at in &object.at {
            (low, high) = (low.min(at), high.max(at));
        }
        let span = |low: f32, high: f32, side: usize| {
            let side = side as f32;
            let low = low.clamp(-REACH * side, (1.0 + REACH) * side).floor();
            let high = high.clamp(-REACH * side, (1.0 + REACH) * side).ceil();
            (low, (high - low) as usize + 1)
        };
        let (left, width) = span(low.x, high.x, sampling.width);
        let (top, height) = span(low.y, high.y, sampling.height);
        let mut filled = vec![false; width * height];
        let shift = glam::Vec3::new(left, top, 0.0);
        let (to_x, to_y) = (left as i64, top as i64);
        for triangle in 0..object.mesh.triangles.len() {
            let holed = object.holed(triangle);
            let corners = object.screen(triangle).map(|at| at - shift);
            scan(corners, width, height, |span| match holed {
                None => filled[span.y * width..][span.start..span.end].fill(true),
                Some(texture) => {
                    for (x, _) in depths(span) {
                        let at = glam::Vec2::new(
                            (x as i64 + to_x) as f32 + 0.5,
                            (span.y as i64 + to_y) as f32 + 0.5,
                        );
                        if !object.is_hole(triangle, texture, at) {
                            filled[span.y * width + x] = true;
                        }
                    }
                }
            });
        }
        Self {
            left: to_x,
            top: to_y,
            width,
            filled,
        }
    }

    /// The filled samples, in the space of the image's grid.
    fn samples(&self) -> impl Iterator<Item = (i64, i64)> {
        let filled = self
            .filled
            .iter()
            .enumerate()
            .filter(|(_, filled)| **filled);
        filled.map(|(place, _)| {
            let (x, y) = (place % self.width, place / self.width);
            (x as i64 + self.left, y as i64 + self.top)
        })
    }
}

/// Samples counted, and their bounds.
#[derive(Default)]
struct Bounds {
    count: u64,
    low: (i64, i64),
    high: (i64, i64),
}

impl Bounds {
    fn add(&mut self, x: i64, y: i64) {
        if self.count == 0 {
            (self.low, self.high) = ((x, y), (x, y));
        }
        self.count += 1;
        self.low = (self.low.0.min(x), self.low.1.min(y));
        self.high = (self.high.0.max(x), self.high.1.max(y));
    }

    fn to_box(&self, sampling: &Sampling) -> Option<BoxXywh> {
        let side = f64::from(sampling.per_side);
        (self.count > 0).then(|| BoxXywh {
            x: self.low.0 as f64 / side,
            y: self.low.1 as f64 / side,
            w: (self.high.0 - self.low.0 + 1) as f64 / side,
            h: (self.high.1 - self.low.1 + 1) as f64 / side,
        })
    }
}
