//! Proposes regions of a frame that are worth tracking.
//!
//! **Takes** the anchor frame's [`Planes`], those of a nearby frame if available, [`ProposalRules`]. **Gives**
//! [`Proposal`]s, best first. **Fails** with [`ProposeError`]: leave the frame's regions out. **Source**:
//! `fast` is ours, based on the segments of Felzenszwalb and Huttenlocher and on the merging of selective search;
//! `selective-search` is OpenCV's. `docs/PROPOSALS.md` compares them.
//!
//! Nothing is trained here: a region is proposed because it differs from its surroundings, has the size of
//! an object, and moves differently from the camera.

mod candidates;
mod maps;
mod merging;
mod motion;
mod picture;
mod rules;
mod scene;
mod segments;

pub use rules::{Proposal, ProposalRules};
pub use vidpairs_pipeline::ProposerKind;

use vidpairs_types::{BoxXywh, LibraryError, Planes, Seed, ShortPlane, SizePx};

use scene::Scene;

/// Why no regions can be proposed. Leave the regions of this frame out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// A plane is too short: a bug in a decoder.
    #[error(transparent)]
    ShortPlane(#[from] ShortPlane),
    /// The neighbour frame differs in size.
    #[error("a frame of {got} is no neighbour of one of {expected}")]
    OtherSize {
        /// Size of the frame.
        expected: SizePx,
        /// Size of the neighbour.
        got: SizePx,
    },
    /// This program has no OpenCV. Choose another proposal method, or use `vidpairs-opencv`.
    #[error("the proposals {} are OpenCV's, which this program lacks: use vidpairs-opencv, or the proposals fast", .kind.name())]
    NoOpencv {
        /// The proposal method.
        kind: ProposerKind,
    },
    /// OpenCV failed.
    #[error("OpenCV {0}")]
    Library(#[from] LibraryError),
}

/// A library with region proposals of its own.
pub trait SearchEngine: Sync {
    /// Regions found by selective search in the frame, shrunk to a short side of `short_side_px`. Boxes are in px of the upright
    /// frame, without duplicates, sorted by their coordinates.
    ///
    /// # Errors
    /// [`ProposeError::ShortPlane`] for a damaged frame; [`ProposeError::Library`] if the library fails.
    fn selective_search(
        &self,
        frame: &Planes,
        short_side_px: u32,
    ) -> Result<Vec<BoxXywh>, ProposeError>;
}

/// Short side of the image for selective search, px. The time grows with the image's area.
const SEARCH_SHORT_SIDE_PX: u32 = 200;

/// Proposes regions of `frame`, best first, at most `rules.count`.
///
/// - `neighbor`: a frame of the same video some frames earlier or later. Regions that move against the camera's
///   motion between the two come first. `grid` ignores it.
/// - `seed`: source of the order of `grid`; the other methods draw nothing.
/// - Returns the same proposals for the same input, and none if no region satisfies `rules`, as in a flat frame.
///
/// # Errors
/// [`ProposeError::OtherSize`] for a neighbour of another size; [`ProposeError::NoOpencv`] for selective search if
/// `opencv` is `None`; [`ProposeError::ShortPlane`] for a damaged frame; [`ProposeError::Library`] if OpenCV fails.
pub fn propose(
    kind: ProposerKind,
    frame: &Planes,
    neighbor: Option<&Planes>,
    rules: &ProposalRules,
    seed: Seed,
    opencv: Option<&dyn SearchEngine>,
) -> Result<Vec<Proposal>, ProposeError> {
    let neighbor = neighbor.filter(|_| kind != ProposerKind::Grid);
    if let Some(neighbor) = neighbor
        && neighbor.size() != frame.size()
    {
        return Err(ProposeError::OtherSize {
            expected: frame.size(),
            got: neighbor.size(),
        });
    }
    let scene = Scene::of(frame, neighbor)?;
    let candidates = match kind {
        ProposerKind::Fast => candidates::merged_segments(&scene),
        ProposerKind::SelectiveSearch => {
            let opencv = opencv.ok_or(ProposeError::NoOpencv { kind })?;
            let boxes = opencv.selective_search(frame, SEARCH_SHORT_SIDE_PX)?;
            candidates::scored_boxes(&scene, boxes)
        }
        ProposerKind::Grid => candidates::grid(frame.size(), seed),
    };
    Ok(rules.select(candidates, &scene, frame.size()))
}

#[cfg(test)]
mod tests;
