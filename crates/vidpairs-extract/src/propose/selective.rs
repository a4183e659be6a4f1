//! OpenCV's selective search.

use vidpairs_types::Planes;

use super::picture::Cells;
use super::scene::Scene;
use super::sums::Sums;
use super::{Proposal, ProposeError, SearchEngine, score};

/// Short side of the image that is searched, px: the time grows with its area.
const SHORT_SIDE_PX: u32 = 200;

/// The regions found, scored as boxes: OpenCV's own order is drawn at random.
pub(super) fn candidates(
    frame: &Planes,
    scene: &Scene,
    opencv: &dyn SearchEngine,
) -> Result<Vec<Proposal>, ProposeError> {
    let color_sums = color_sums(scene);
    let found = opencv.selective_search(frame, SHORT_SIDE_PX)?;
    let proposals = found.into_iter().map(|bbox| Proposal {
        bbox,
        score: f64::from(of_box(scene, &color_sums, scene.picture.covered_by(bbox))),
    });
    Ok(proposals.collect())
}

/// Sums of luma and of both chromas.
fn color_sums(scene: &Scene) -> [Sums; 3] {
    let planes = scene.picture.planes.each_ref();
    planes.map(|plane| Sums::of(plane, scene.picture.width))
}

/// How much a box of which no more is known looks like one thing: its mean colour differs from that around it.
fn of_box(scene: &Scene, color_sums: &[Sums; 3], cells: Cells) -> f32 {
    let steps = color_sums.iter().zip([1.0, 2.0, 2.0]); // chroma spans less of its range
    let color_step: f32 = steps
        .map(|(sums, weight)| {
            let mean = scene.surrounded(sums, cells);
            weight * (mean.inside - mean.around).abs()
        })
        .sum();
    1.25 * color_step / 64.0 + score::of_size(scene, cells) + score::of_motion(scene, cells)
}
