//! Proposals without a proposer: boxes of a few sizes all over the frame, those with most in them first.

use crate::types::{BoxXywh, Planes, Seed, SizePx};
use rand::RngExt;

/// Sides of the boxes over the short side of the frame.
const SIDES: [f64; 3] = [0.5, 0.35, 0.25];

/// Overlap (IoU) above which the lesser of two proposals is left out.
const MAX_OVERLAP: f64 = 0.3;

/// Samples across and down a box.
const SAMPLES: u32 = 12;

/// Up to `max_regions` boxes of `planes`, the best first; `seed` shifts the grid.
///
/// - `min_side_px`: boxes with a shorter side are left out.
pub(super) fn propose(
    planes: &Planes,
    max_regions: usize,
    min_side_px: f64,
    seed: Seed,
) -> Vec<BoxXywh> {
    let size = planes.size();
    let mut rng = seed.rng();
    let mut scored: Vec<(f64, BoxXywh)> = Vec::new();
    for side in SIDES.map(|share| share * f64::from(size.short_side())) {
        if side < min_side_px {
            continue;
        }
        let step = side / 2.0;
        let [left, top]: [f64; 2] = [rng.random::<f64>() * step, rng.random::<f64>() * step];
        let places = |start: f64, len: u32| {
            let end = f64::from(len) - side;
            let along = move |number: u32| start + f64::from(number) * step;
            (0..).map(along).take_while(move |&at| at <= end)
        };
        for y in places(top, size.height) {
            for x in places(left, size.width) {
                let bbox = BoxXywh {
                    x,
                    y,
                    w: side,
                    h: side,
                };
                scored.push((contrast(planes, bbox), bbox));
            }
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen: Vec<BoxXywh> = Vec::new();
    for (_, bbox) in scored {
        if chosen.len() < max_regions && chosen.iter().all(|other| bbox.iou(*other) <= MAX_OVERLAP)
        {
            chosen.push(bbox);
        }
    }
    chosen
}

/// Variance of the first plane at a few places of the box as stored; 0 where it cannot be read.
fn contrast(planes: &Planes, bbox: BoxXywh) -> f64 {
    let upright = planes.size();
    let SizePx { width, height } = planes.stored_size;
    let (plane, stride) = (planes.bytes.plane(0), planes.bytes.stride_bytes(0));
    let sample_bytes = if planes.bit_depth > 8 { 2 } else { 1 };
    let mut values = Vec::new();
    for (row, column) in (0..SAMPLES).flat_map(|row| (0..SAMPLES).map(move |at| (row, at))) {
        let share = |at: u32| (f64::from(at) + 0.5) / f64::from(SAMPLES);
        let x = (bbox.x + bbox.w * share(column)) / f64::from(upright.width);
        let y = (bbox.y + bbox.h * share(row)) / f64::from(upright.height);
        // A frame that is stored turned is looked at as if it were not: a poor guess, but a guess.
        let at = |share: f64, len: u32| (share * f64::from(len)) as usize;
        let offset = at(y, height) * stride + at(x, width) * sample_bytes + sample_bytes - 1;
        values.extend(plane.get(offset).map(|&value| f64::from(value)));
    }
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / count
}
