//! Selects proposals by rules that are the same for all methods.

use vidpairs_types::{BoxXywh, SizePx};

use super::scene::Scene;

/// A region that may hold an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// Box inside the upright frame, px.
    pub bbox: BoxXywh,
    /// Rank among proposals of the same frame and method: higher is more likely an object; no unit.
    pub score: f64,
}

/// Rules that every proposal satisfies. Rules that no region satisfies give no proposal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProposalRules {
    /// Most proposals per frame.
    pub count: usize,
    /// Least side of a box, px of the frame. A tracker needs some px.
    pub min_side_px: f64,
    /// Least side of a box, as a share of the frame's short side.
    pub min_side_share: f64,
    /// Greatest side of a box, as a share of that side of the frame. A larger box shows the scene, not an object.
    pub max_side_share: f64,
    /// Greatest ratio of a box's longer side to its shorter.
    pub max_aspect: f64,
    /// Greatest IoU of two proposals of a frame.
    pub max_overlap: f64,
    /// Least distance of a box from the frame's border, as a share of the frame's short side. An object cut by the border
    /// is about to leave.
    pub border_share: f64,
    /// Least share of a box's px that differ from a neighbour by 8 of 255 or more, in the frame shrunk to a
    /// short side of 160 px. A correlation tracker cannot follow a flat wall.
    pub min_texture: f64,
}

impl Default for ProposalRules {
    fn default() -> Self {
        Self {
            count: 4,
            min_side_px: 16.0,
            min_side_share: 0.05,
            max_side_share: 0.7,
            max_aspect: 4.0,
            max_overlap: 0.3,
            border_share: 0.01,
            min_texture: 0.12,
        }
    }
}

impl ProposalRules {
    /// Whether the size, shape and position of a box are allowed in a frame of size `frame`.
    pub fn allow(&self, bbox: BoxXywh, frame: SizePx) -> bool {
        let (width, height) = (f64::from(frame.width), f64::from(frame.height));
        let short = width.min(height);
        let least = self.min_side_px.max(self.min_side_share * short);
        let border = self.border_share * short;
        let (shorter, longer) = (bbox.w.min(bbox.h), bbox.w.max(bbox.h));
        bbox.is_valid()
            && shorter >= least
            && bbox.w <= self.max_side_share * width
            && bbox.h <= self.max_side_share * height
            && longer <= self.max_aspect * shorter
            && bbox.x >= border
            && bbox.y >= border
            && bbox.x + bbox.w <= width - border
            && bbox.y + bbox.h <= height - border
    }

    /// Selects the best allowed candidates, best first; among equal scores, the first.
    pub(super) fn select(
        &self,
        mut candidates: Vec<Proposal>,
        scene: &Scene,
        frame: SizePx,
    ) -> Vec<Proposal> {
        candidates.retain(|candidate| {
            self.allow(candidate.bbox, frame)
                && self.min_texture
                    <= f64::from(scene.texture(scene.picture.covered_by(candidate.bbox)))
        });
        candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
        let mut selected: Vec<Proposal> = Vec::new();
        for candidate in candidates {
            if selected.len() == self.count {
                break;
            }
            let is_new = selected
                .iter()
                .all(|other| candidate.bbox.iou(other.bbox) <= self.max_overlap);
            if is_new {
                selected.push(candidate);
            }
        }
        selected
    }
}
