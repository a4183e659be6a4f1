//! Proposing: regions of a frame that are worth following.
//!
//! **Takes** the anchor frame's [`Planes`], those of a frame near it if at hand, [`ProposalRules`]. **Gives**
//! [`Proposal`]s, best first. **Fails** with [`ProposeError`]: leave the frame's regions out. **Source**:
//! `fast` is ours, on Felzenszwalb and Huttenlocher's segments and after selective search's merging;
//! `selective-search` is OpenCV's. `docs/PROPOSALS.md` says how well each finds things.
//!
//! Nothing is trained here: a region is proposed because it differs from what is around it, has the size of
//! a thing, and moves otherwise than the camera.

mod differences;
mod fast;
mod grid;
mod merging;
mod motion;
mod picture;
mod rules;
mod scene;
mod score;
mod segments;
mod selective;
mod sums;

pub use rules::ProposalRules;
pub use vidpairs_pipeline::ProposerKind;

use vidpairs_types::{BoxXywh, Planes, Seed, SizePx};

use scene::Scene;

/// A region that may hold a thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// Px in the upright frame, all of it inside.
    pub bbox: BoxXywh,
    /// How likely it is to hold one, against others of the same frame and kind: no unit, the higher the better.
    pub score: f64,
}

/// Why no regions can be proposed. Leave those of this frame out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// Planes shorter than they claim to be: a bug in a decoder.
    #[error("plane {plane} of a frame of {frame} has {got} bytes, fewer than its rows need")]
    ShortPlane {
        /// Which.
        plane: usize,
        /// Size of the stored frame.
        frame: SizePx,
        /// Its length.
        got: usize,
    },
    /// The neighbour frame is of another size.
    #[error("a frame of {got} is no neighbour of one of {expected}")]
    OtherSize {
        /// Of the frame.
        expected: SizePx,
        /// Of its neighbour.
        got: SizePx,
    },
    /// This program has no OpenCV. Choose another proposal method, or use `vidpairs-opencv`.
    #[error("the proposals {} are OpenCV's, which this program lacks: use vidpairs-opencv, or the proposals fast", .kind.name())]
    NoOpencv {
        /// The proposal method.
        kind: ProposerKind,
    },
    /// OpenCV refused.
    #[error("OpenCV cannot {action}: {message}")]
    Library {
        /// What was asked of it.
        action: &'static str,
        /// Its word.
        message: String,
    },
}

/// A library with region proposals of its own.
pub trait SearchEngine: Sync {
    /// Regions of selective search on the frame, shrunk to a short side of `short_side_px`. Boxes are in px of the upright
    /// frame, each once, in the order of their coordinates.
    ///
    /// # Errors
    /// [`ProposeError::ShortPlane`] for a damaged frame; [`ProposeError::Library`] if the library fails.
    fn selective_search(
        &self,
        frame: &Planes,
        short_side_px: u32,
    ) -> Result<Vec<BoxXywh>, ProposeError>;
}

/// Proposes regions of `frame`, best first, at most `rules.count`.
///
/// - `neighbor`: a frame of the same video some frames earlier or later; what moves against the camera's
///   motion between the two comes first. `grid` does not look at it.
/// - `seed`: what `grid` draws its order from; the others draw nothing.
/// - Returns the same for the same input, and nothing where no region satisfies `rules`: in a flat frame, say.
///
/// # Errors
/// [`ProposeError::OtherSize`] for a neighbour of another size; [`ProposeError::NoOpencv`] for selective search where
/// `opencv` is `None`; [`ProposeError::ShortPlane`] and [`ProposeError::Library`] for bugs elsewhere.
pub fn propose(
    kind: ProposerKind,
    frame: &Planes,
    neighbor: Option<&Planes>,
    rules: &ProposalRules,
    seed: Seed,
    opencv: Option<&dyn SearchEngine>,
) -> Result<Vec<Proposal>, ProposeError> {
    let neighbor = neighbor.filter(|_| kind != ProposerKind::Grid);
    let scene = Scene::of(frame, neighbor)?;
    let candidates = match kind {
        ProposerKind::Fast => fast::candidates(&scene),
        ProposerKind::SelectiveSearch => {
            let opencv = opencv.ok_or(ProposeError::NoOpencv { kind })?;
            selective::candidates(frame, &scene, opencv)?
        }
        ProposerKind::Grid => grid::candidates(frame.size(), seed),
    };
    Ok(rules.select(candidates, &scene, frame.size()))
}

#[cfg(test)]
mod tests;
