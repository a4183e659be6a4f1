//! Fixtures of this module's tests: drawn frames, and a tracker with simple, predictable behaviour.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vidpairs_types::{
    BoxXywh, ColorMatrix, ColorRange, Frame, Orientation, PlaneBytes, PlaneLayout, Planes, SizePx,
};

use super::{
    BoxRules, Estimate, FollowRules, StartTracker, TrackError, TrackFrame, Tracker, TrustRules,
};

pub(super) const SIZE: SizePx = SizePx {
    width: 160,
    height: 96,
};

/// Search range of the tracker, px.
const REACH_PX: i64 = 3;

pub(super) fn bbox(x: f64, y: f64, w: f64, h: f64) -> BoxXywh {
    BoxXywh { x, y, w, h }
}

/// Rules that trust the targets held by [`start_template`].
pub(super) fn rules() -> FollowRules<'static> {
    FollowRules {
        start: &start_template,
        trust: TrustRules {
            min_confidence: 0.0,
            min_confidence_mean: 0.5,
            min_confidence_last: 0.5,
            max_lost_frames: 3,
            max_size_ratio: 4.0,
            max_aspect_ratio: 2.0,
            max_duplicate_iou: 0.7,
            min_forward_backward_iou: 0.5,
            forward_backward_step: 4,
        },
        boxes: BoxRules {
            min_side_px: 8.0,
            max_outside: 0.05,
        },
        max_kept_bytes: u64::MAX,
    }
}

/// A square in a picture, with its own texture or one that fades into another.
#[derive(Clone, Copy)]
pub(super) struct Square {
    pub x: i64,
    pub y: i64,
    pub texture: u32,
    /// Other texture and its share, 0 to 1.
    pub fades_into: (u32, f64),
}

pub(super) const SIDE: i64 = 16;

impl Square {
    fn luma_at(self, x: i64, y: i64) -> u8 {
        let (other, share) = self.fades_into;
        let (own, other) = (texture(self.texture, x, y), texture(other, x, y));
        (f64::from(own) * (1.0 - share) + f64::from(other) * share).round() as u8
    }

    pub fn bbox(self) -> BoxXywh {
        let side = SIDE as f64;
        bbox(self.x as f64, self.y as f64, side, side)
    }
}

/// Draws frames and counts those that are alive.
#[derive(Clone, Default)]
pub(super) struct Film {
    alive: Arc<AtomicUsize>,
}

struct Drawn {
    luma: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl PlaneBytes for Drawn {
    fn plane(&self, _: usize) -> &[u8] {
        &self.luma
    }
    fn stride_bytes(&self, _: usize) -> usize {
        SIZE.width as usize
    }
}

impl Film {
    /// Number of frames not dropped yet.
    pub fn num_alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    /// A gray frame with squares, the last one in front.
    pub fn frame(&self, index: u64, squares: &[Square]) -> Rc<Frame> {
        let (width, height) = (i64::from(SIZE.width), i64::from(SIZE.height));
        let mut luma = vec![128; SIZE.area() as usize];
        for square in squares {
            for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                let (at_x, at_y) = (square.x + x, square.y + y);
                if (0..width).contains(&at_x) && (0..height).contains(&at_y) {
                    luma[(at_y * width + at_x) as usize] = square.luma_at(x, y);
                }
            }
        }
        self.alive.fetch_add(1, Ordering::SeqCst);
        Rc::new(Frame {
            index,
            pts_seconds: None,
            planes: Planes {
                stored_size: SIZE,
                layout: PlaneLayout::Gray,
                bit_depth: 8,
                range: ColorRange::Full,
                matrix: ColorMatrix::Bt601,
                orientation: Orientation::default(),
                bytes: Box::new(Drawn {
                    luma,
                    alive: Arc::clone(&self.alive),
                }),
            },
        })
    }
}

fn texture(seed: u32, x: i64, y: i64) -> u8 {
    let cell = (seed.wrapping_mul(0x9e37_79b9)) ^ ((x / 3) as u32 * 31 + (y / 3) as u32 * 977);
    (cell.wrapping_mul(0x85eb_ca6b) >> 24) as u8
}

/// Searches a few px around for its template, and slowly learns the found samples: it drifts if the target gradually
/// becomes another object.
struct Template {
    at: (i64, i64),
    size: (i64, i64),
    template: Vec<f64>,
}

/// Weight of found samples in the template.
const LEARNING_RATE: f64 = 0.3;

/// Mean difference, 0 to 1, above which the target is lost. Two textures differ by a third.
const LOST_FROM: f64 = 0.15;

pub(super) fn start_template(
    frame: &TrackFrame<'_>,
    target: BoxXywh,
) -> Result<Box<dyn Tracker>, TrackError> {
    let at = (target.x as i64, target.y as i64);
    let size = (target.w as i64, target.h as i64);
    Ok(Box::new(Template {
        at,
        size,
        template: samples(frame, at, size),
    }))
}

// `FollowRules` accepts the start function.
const _: &StartTracker = &start_template;

impl Tracker for Template {
    fn update(&mut self, frame: &TrackFrame<'_>) -> Result<Estimate, TrackError> {
        let reach = -REACH_PX..=REACH_PX;
        let shifts = reach
            .clone()
            .flat_map(|y| reach.clone().map(move |x| (x, y)));
        let places = shifts.map(|(x, y)| (self.at.0 + x, self.at.1 + y));
        let seen = places.map(|at| (at, samples(frame, at, self.size)));
        let difference = |samples: &[f64]| {
            let pairs = samples.iter().zip(&self.template);
            let sum: f64 = pairs.map(|(a, b)| (a - b).abs()).sum();
            sum / (255 * samples.len().max(1)) as f64
        };
        let scored = seen.map(|(at, samples)| (difference(&samples), at, samples));
        let best = scored.min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((difference, at, samples)) = best else {
            return Err(TrackError::OtherSize {
                expected: SIZE,
                got: frame.size(),
            });
        };
        let is_lost = difference > LOST_FROM;
        if !is_lost {
            self.at = at;
            let pairs = self.template.iter_mut().zip(samples);
            pairs.for_each(|(old, new)| *old += LEARNING_RATE * (new - *old));
        }
        let (w, h) = self.size;
        Ok(Estimate {
            bbox: bbox(self.at.0 as f64, self.at.1 as f64, w as f64, h as f64),
            confidence: if is_lost { 0.0 } else { 1.0 - difference },
            psr: Some(20.0),
            is_lost,
        })
    }

    fn nudge(&mut self, right_px: f64, down_px: f64) {
        self.at.0 += right_px.round() as i64;
        self.at.1 += down_px.round() as i64;
    }
}

fn samples(frame: &TrackFrame<'_>, at: (i64, i64), size: (i64, i64)) -> Vec<f64> {
    let luma = frame.planes().bytes.plane(0);
    let (width, height) = (i64::from(SIZE.width), i64::from(SIZE.height));
    let places = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (at.0 + x, at.1 + y)));
    let is_inside = |(x, y): &(i64, i64)| (0..width).contains(x) && (0..height).contains(y);
    places
        .map(|place| match is_inside(&place) {
            true => f64::from(luma[(place.1 * width + place.0) as usize]),
            false => 0.0,
        })
        .collect()
}
