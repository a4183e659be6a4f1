//! How much a box looks as if it held one thing.
//!
//! Sums of a few plain terms. The weights of contrast, fill and motion are about those of a logistic regression on rendered
//! objects before real video (`docs/PROPOSALS.md`), that of size a small search's, that of texture was chosen; terms that told the rendered from the real, or next to nothing, are left out.

use super::merging::Region;
use super::picture::Cells;
use super::scene::Scene;

/// Of a region of like px: it differs from its neighbours, it fills its box, it is not flat.
pub(super) fn of_region(scene: &Scene, region: &Region) -> f32 {
    let fill = region.area / region.cells.area() as f32;
    // Not fitted: it costs no recall, and puts sky and road back, whose boxes are textured by what bounds them.
    let texture = (region.texture / ENOUGH_TEXTURE).min(1.0);
    let appearance = 4.5 * region.contrast + 3.0 * fill + 4.0 * texture;
    appearance + of_size(scene, region.cells) + of_motion(scene, region.cells)
}

/// Share of textured px from which on a region is not flat.
const ENOUGH_TEXTURE: f32 = 0.1;

/// Greatest, 0, for boxes that take 0.3 of the frame's sides (the geometric mean); a box of half or twice
/// that loses 0.5.
pub(super) fn of_size(scene: &Scene, cells: Cells) -> f32 {
    let whole = (scene.picture.width * scene.picture.height) as f32;
    let share = (cells.area() as f32 / whole).sqrt();
    -(share / 0.3).ln().powi(2)
}

/// Greater the more moves inside, above all if less moves around.
pub(super) fn of_motion(scene: &Scene, cells: Cells) -> f32 {
    let motion = scene.motion(cells);
    1.7 * (motion.inside / 8.0).ln_1p() - 0.5 * (motion.around / 8.0).ln_1p()
}
