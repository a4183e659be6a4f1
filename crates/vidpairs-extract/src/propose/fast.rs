//! Ours: regions of the picture, merged from segments.

use super::merging::Graph;
use super::scene::Scene;
use super::segments::segments;
use super::{Proposal, score};

/// Every region that comes about while segments are merged.
pub(super) fn candidates(scene: &Scene) -> Vec<Proposal> {
    let segments = segments(&scene.differences, scene.picture.width);
    let regions = Graph::of(&scene.picture, &scene.differences, &segments).merged();
    let scored = regions.iter().map(|region| Proposal {
        bbox: scene.picture.in_frame(region.cells),
        score: f64::from(score::of_region(scene, region)),
    });
    scored.collect()
}
