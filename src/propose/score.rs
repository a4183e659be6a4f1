//! How much a box looks as if it held one thing.
//!
//! Sums of a few plain terms. Their weights are a logistic regression's on rendered objects before real video
//! (`docs/PROPOSALS.md`), rounded; terms that told the rendered from the real, or next to nothing, are left out.

use super::merging::Region;
use super::picture::Cells;
use super::scene::Scene;

/// Of a region of like px: it differs from its neighbours, it fills its box.
pub(super) fn of_region(scene: &Scene, region: &Region) -> f32 {
    let fill = region.area / region.cells.area() as f32;
    4.5 * region.contrast
        + 3.0 * fill
        + of_size(scene, region.cells)
        + of_motion(scene, region.cells)
}

/// Of a box of which no more is known: its mean colour differs from that around it.
pub(super) fn of_box(scene: &Scene, cells: Cells) -> f32 {
    let color_step = scene.color_step(cells) / 64.0;
    1.25 * color_step + of_size(scene, cells) + of_motion(scene, cells)
}

/// Greatest for boxes a third of the frame long and wide.
fn of_size(scene: &Scene, cells: Cells) -> f32 {
    let whole = (scene.picture.width * scene.picture.height) as f32;
    let share = (cells.area() as f32 / whole).sqrt();
    30.0 * share - 45.0 * share * share
}

/// Greater the more moves inside, above all if less moves around.
fn of_motion(scene: &Scene, cells: Cells) -> f32 {
    let motion = scene.motion(cells);
    1.35 * (motion.inside / 8.0).ln_1p() - 0.5 * (motion.around / 8.0).ln_1p()
}
