//! Masks: counts and bounds of the pixels that an object fills.

use glam::{I64Vec2, Vec2, Vec3};
use vidpairs_types::BoxXywh;

use super::surface::{Projected, Sampling, Surface, depths};
use crate::raster::scan;

/// Samples along a side of a pixel.
pub(super) const SAMPLES_PER_SIDE: u32 = 2;
/// Distance outside the image within which parts of an object count, image sizes in each direction.
const REACH: f32 = 2.0;

/// Pixels that an object fills, counted in quarter pixels.
///
/// Full pixels are those that the object would fill with nothing in front of it and an image without borders.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Quarter pixels in which the object is visible.
    pub num_visible: u64,
    /// Full quarter pixels.
    pub num_full: u64,
    /// Full quarter pixels inside the image.
    pub num_inside: u64,
    /// Bounds of the visible pixels, px; `None` if there are none.
    pub visible: Option<BoxXywh>,
    /// Bounds of the full pixels, px.
    pub full: Option<BoxXywh>,
    /// Whether some of the full pixels lie outside the image.
    pub is_cut: bool,
}

impl Mask {
    /// `num_visible / num_full`; 0 if the object fills nothing.
    pub fn visible_share(&self) -> f64 {
        if self.num_full == 0 {
            return 0.0;
        }
        self.num_visible as f64 / self.num_full as f64
    }

    /// Share of the full pixels inside the image that other objects hide.
    pub fn hidden_share(&self) -> f64 {
        if self.num_inside == 0 {
            return 0.0;
        }
        1.0 - self.num_visible as f64 / self.num_inside as f64
    }

    /// Mask of `object`, which is object `index` of `surface`.
    pub(super) fn of(
        index: usize,
        object: &Projected<'_>,
        surface: &Surface,
        sampling: &Sampling,
    ) -> Self {
        let (mut full, mut visible, mut num_inside) = (Bounds::default(), Bounds::default(), 0);
        let size = I64Vec2::new(sampling.width as i64, sampling.height as i64);
        for at in Silhouette::of(object, sampling).samples() {
            full.add(at);
            if at.cmpge(I64Vec2::ZERO).all() && at.cmplt(size).all() {
                num_inside += 1;
                if surface.shows(index, (at.y * size.x + at.x) as usize) {
                    visible.add(at);
                }
            }
        }
        Self {
            num_visible: visible.count,
            num_full: full.count,
            num_inside,
            visible: visible.to_box(sampling),
            full: full.to_box(sampling),
            is_cut: num_inside < full.count,
        }
    }
}

/// Samples that an object alone would fill, on a grid that extends past the image.
struct Silhouette {
    /// Upper left corner in the grid of the image, samples.
    origin: I64Vec2,
    width: usize,
    filled: Vec<bool>,
}

impl Silhouette {
    fn of(object: &Projected<'_>, sampling: &Sampling) -> Self {
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for &at in &object.at {
            (low, high) = (low.min(at), high.max(at));
        }
        let range = |low: f32, high: f32, side: usize| {
            let side = side as f32;
            let low = low.clamp(-REACH * side, (1.0 + REACH) * side).floor();
            let high = high.clamp(-REACH * side, (1.0 + REACH) * side).ceil();
            (low, (high - low) as usize + 1)
        };
        let (left, width) = range(low.x, high.x, sampling.width);
        let (top, height) = range(low.y, high.y, sampling.height);
        let mut filled = vec![false; width * height];
        let shift = Vec3::new(left, top, 0.0);
        let origin = I64Vec2::new(left as i64, top as i64);
        for triangle in 0..object.mesh.triangles.len() {
            let hole_test = object.hole_test(triangle);
            let corners = object.screen(triangle).map(|at| at - shift);
            scan(corners, width, height, |span| {
                let row = &mut filled[span.y * width..][..width];
                match &hole_test {
                    None => row[span.start..span.end].fill(true),
                    Some(is_hole) => {
                        for (x, _) in depths(span) {
                            let at = origin + I64Vec2::new(x as i64, span.y as i64);
                            let middle = Vec2::new(at.x as f32, at.y as f32) + 0.5;
                            row[x] |= !is_hole(middle);
                        }
                    }
                }
            });
        }
        Self {
            origin,
            width,
            filled,
        }
    }

    /// Filled samples, in the grid of the image.
    fn samples(&self) -> impl Iterator<Item = I64Vec2> {
        let filled = self
            .filled
            .iter()
            .enumerate()
            .filter(|&(_, &filled)| filled);
        filled.map(|(index, _)| {
            let (x, y) = (index % self.width, index / self.width);
            self.origin + I64Vec2::new(x as i64, y as i64)
        })
    }
}

/// Number of samples, and their bounds.
#[derive(Default)]
struct Bounds {
    count: u64,
    low: I64Vec2,
    high: I64Vec2,
}

impl Bounds {
    fn add(&mut self, at: I64Vec2) {
        if self.count == 0 {
            (self.low, self.high) = (at, at);
        }
        self.count += 1;
        (self.low, self.high) = (self.low.min(at), self.high.max(at));
    }

    fn to_box(&self, sampling: &Sampling) -> Option<BoxXywh> {
        let to_px = |samples: i64| samples as f64 / f64::from(sampling.per_side);
        let size = self.high - self.low + 1;
        (self.count > 0).then(|| BoxXywh {
            x: to_px(self.low.x),
            y: to_px(self.low.y),
            w: to_px(size.x),
            h: to_px(size.y),
        })
    }
}
