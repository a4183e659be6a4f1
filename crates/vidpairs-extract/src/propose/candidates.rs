//! Lists and scores candidate regions by one of three methods.
//!
//! A score is a sum of a few simple terms. The weights of contrast, fill and motion are close to those of a logistic regression on
//! rendered objects in front of real video (`docs/PROPOSALS.md`). The weight of size comes from a small search, that of texture was
//! chosen by hand. Terms that separated rendered from real pixels, or had next to no effect, are left out.

use rand::RngExt;
use vidpairs_types::{BoxXywh, Seed, SizePx};

use super::maps::Sums;
use super::merging::{Graph, Region};
use super::picture::Cells;
use super::rules::Proposal;
use super::scene::Scene;
use super::segments::segments;

/// Candidates of `fast`: all regions that occur while segments are merged.
pub(super) fn merged_segments(scene: &Scene) -> Vec<Proposal> {
    let segments = segments(&scene.differences, scene.picture.width);
    let regions = Graph::of(&scene.picture, &scene.differences, &segments).merged();
    let scored = regions.iter().map(|region| Proposal {
        bbox: scene.picture.in_frame(region.cells),
        score: f64::from(score_of_region(scene, region)),
    });
    scored.collect()
}

/// Candidates of selective search: `boxes`, scored here since OpenCV orders them at random.
pub(super) fn scored_boxes(scene: &Scene, boxes: Vec<BoxXywh>) -> Vec<Proposal> {
    let planes = scene.picture.planes.each_ref();
    let color_sums = planes.map(|plane| Sums::of(plane, scene.picture.width));
    let scored = boxes.into_iter().map(|bbox| {
        let score = score_of_box(scene, &color_sums, scene.picture.covered_by(bbox));
        Proposal {
            bbox,
            score: f64::from(score),
        }
    });
    scored.collect()
}

/// Geometric means of the sides of boxes of the grid, as shares of the frame's short side.
const GRID_SIDES: [f64; 4] = [0.15, 0.25, 0.4, 0.6];

/// Widths of boxes of the grid divided by heights.
const GRID_ASPECTS: [f64; 3] = [0.5, 1.0, 2.0];

/// Distance between neighbouring boxes of the grid, as a share of the box's side.
const GRID_STEP: f64 = 0.5;

/// Candidates of `grid`, the control: boxes of a few sizes and shapes all over the frame, whatever it shows. The scores, and
/// with them the order, are drawn from `seed`.
pub(super) fn grid(frame: SizePx, seed: Seed) -> Vec<Proposal> {
    let mut rng = seed.rng();
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let shapes = GRID_SIDES.iter().flat_map(|share| {
        let side = share * width.min(height);
        GRID_ASPECTS.map(|aspect: f64| (side * aspect.sqrt(), side / aspect.sqrt()))
    });
    let mut proposals = Vec::new();
    for (w, h) in shapes {
        for y in grid_places(h, height) {
            proposals.extend(grid_places(w, width).map(|x| Proposal {
                bbox: BoxXywh { x, y, w, h },
                score: rng.random(),
            }));
        }
    }
    proposals
}

/// Starts of boxes along a side, with equal margins at both ends.
fn grid_places(len: f64, side: f64) -> impl Iterator<Item = f64> {
    let step = GRID_STEP * len;
    let num_steps = ((side - len) / step).max(0.0).floor();
    let first = (side - len - num_steps * step) / 2.0;
    (0..=num_steps as u32).map(move |number| first + f64::from(number) * step)
}

/// Share of textured px above which a region does not count as flat.
const ENOUGH_TEXTURE: f32 = 0.1;

/// Score of a region of similar px: contrast to its neighbours, fill of its box, texture, size and motion.
fn score_of_region(scene: &Scene, region: &Region) -> f32 {
    let fill = region.area / region.cells.area() as f32;
    // Chosen by hand: it costs no recall, and ranks sky and road lower, whose boxes contain the texture at their borders.
    let texture = (region.texture / ENOUGH_TEXTURE).min(1.0);
    let appearance = 4.5 * region.contrast + 3.0 * fill + 4.0 * texture;
    appearance + score_of_size(scene, region.cells) + score_of_motion(scene, region.cells)
}

/// Score of a box: difference of its mean colour from its surroundings, size and motion.
fn score_of_box(scene: &Scene, color_sums: &[Sums; 3], cells: Cells) -> f32 {
    let steps = color_sums.iter().zip([1.0, 2.0, 2.0]); // chroma spans less of its range
    let color_step: f32 = steps
        .map(|(sums, weight)| {
            let mean = scene.surrounded(sums, cells);
            weight * (mean.inside - mean.around).abs()
        })
        .sum();
    1.25 * color_step / 64.0 + score_of_size(scene, cells) + score_of_motion(scene, cells)
}

/// 0, the maximum, for boxes with 0.3 of the frame's sides (geometric mean); about -0.5 for boxes of half or twice
/// that size.
fn score_of_size(scene: &Scene, cells: Cells) -> f32 {
    let whole = (scene.picture.width * scene.picture.height) as f32;
    let share = (cells.area() as f32 / whole).sqrt();
    -(share / 0.3).ln().powi(2)
}

/// Increases with the motion inside the box, and decreases with the motion around it.
fn score_of_motion(scene: &Scene, cells: Cells) -> f32 {
    let motion = scene.motion(cells);
    1.7 * (motion.inside / 8.0).ln_1p() - 0.5 * (motion.around / 8.0).ln_1p()
}
