//! How much a box looks as if it held one thing.
//!
//! Sums of a few plain terms. Their weights are a logistic regression's on rendered objects before real video
//! (`docs/PROPOSALS.md`), rounded; terms that told the rendered from the real, or next to nothing, are left out.

use super::merging::Region;
use super::picture::Cells;
use super::scene::Scene;
use super::sums::Sums;

/// Of a region of like px: it differs from its neighbours, it fills its box, it is not flat.
pub(super) fn of_region(scene: &Scene, region: &Region) -> f32 {
    let fill = region.area / region.cells.area() as f32;
    // Not fitted: it costs no recall, and keeps sky and road back, whose boxes are textured by what bounds them.
    let texture = (region.texture / ENOUGH_TEXTURE).min(1.0);
    let appearance = 4.5 * region.contrast + 3.0 * fill + 4.0 * texture;
    appearance + of_size(scene, region.cells) + of_motion(scene, region.cells)
}

/// Share of textured px from which on a region is not flat.
const ENOUGH_TEXTURE: f32 = 0.1;

/// Of a box of which no more is known: its mean colour differs from that around it.
pub(super) fn of_box(scene: &Scene, color_sums: &[Sums; 3], cells: Cells) -> f32 {
    let steps = color_sums.iter().zip([1.0, 2.0, 2.0]); // chroma spans less of its range
    let color_step: f32 = steps
        .map(|(sums, weight)| {
            let mean = scene.surrounded(sums, cells);
            weight * (mean.inside - mean.around).abs()
        })
        .sum();
    1.25 * color_step / 64.0 + of_size(scene, cells) + of_motion(scene, cells)
}

/// Greatest, 0, for boxes that take 0.3 of the frame's sides (the geometric mean); a box of half or twice
/// that loses 0.5.
fn of_size(scene: &Scene, cells: Cells) -> f32 {
    let whole = (scene.picture.width * scene.picture.height) as f32;
    let share = (cells.area() as f32 / whole).sqrt();
    -(share / 0.3).ln().powi(2)
}

/// Greater the more moves inside, above all if less moves around.
fn of_motion(scene: &Scene, cells: Cells) -> f32 {
    let motion = scene.motion(cells);
    1.7 * (motion.inside / 8.0).ln_1p() - 0.5 * (motion.around / 8.0).ln_1p()
}
