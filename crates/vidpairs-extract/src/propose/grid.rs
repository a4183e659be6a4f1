//! Boxes of a few sizes and shapes all over the frame, whatever it shows: the control.

use rand::RngExt;
use vidpairs_types::{BoxXywh, Seed, SizePx};

use super::Proposal;

/// Geometric means of a box's sides, as shares of the frame's short side.
const SHARES: [f64; 4] = [0.15, 0.25, 0.4, 0.6];

/// Widths by heights.
const ASPECTS: [f64; 3] = [0.5, 1.0, 2.0];

/// From a box to the next, as a share of its side.
const STEP: f64 = 0.5;

/// All the boxes of the grid; the scores, and so the order, are drawn from `seed`.
pub(super) fn candidates(frame: SizePx, seed: Seed) -> Vec<Proposal> {
    let mut rng = seed.rng();
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let shapes = SHARES.iter().flat_map(|share| {
        let side = share * width.min(height);
        ASPECTS.map(|aspect: f64| (side * aspect.sqrt(), side / aspect.sqrt()))
    });
    let mut boxes = Vec::new();
    for (w, h) in shapes {
        for y in places(h, height) {
            boxes.extend(places(w, width).map(|x| BoxXywh { x, y, w, h }));
        }
    }
    let scored = boxes.into_iter().map(|bbox| Proposal {
        bbox,
        score: rng.random(),
    });
    scored.collect()
}

/// Where boxes begin along a side, as much free at one end as at the other.
fn places(len: f64, side: f64) -> impl Iterator<Item = f64> {
    let step = STEP * len;
    let num_steps = ((side - len) / step).max(0.0).floor();
    let first = (side - len - num_steps * step) / 2.0;
    (0..=num_steps as u32).map(move |number| first + f64::from(number) * step)
}
