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
mod kind;
mod merging;
mod motion;
mod picture;
mod rules;
mod scene;
mod score;
mod segments;
#[cfg(feature = "opencv")]
mod selective;
mod sums;

pub use kind::ProposerKind;
pub use rules::ProposalRules;

use scene::Scene;

use crate::types::{BoxXywh, Planes, Seed, SizePx};

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
    /// This program was built without it. Choose another way.
    #[error("this program was built without {}: build it with the feature `opencv`, or use fast", .kind.name())]
    NotBuilt {
        /// The way of proposing.
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

/// Proposes regions of `frame`, best first, at most `rules.count`.
///
/// - `neighbor`: a frame of the same video some frames earlier or later; what moves against the camera's
///   motion between the two comes first. `grid` does not look at it.
/// - `seed`: what `grid` draws its order from; the others draw nothing.
/// - Returns the same for the same input, and nothing where no region satisfies `rules`: in a flat frame, say.
///
/// # Errors
/// [`ProposeError::OtherSize`] for a neighbour of another size; [`ProposeError::NotBuilt`] if this program was
/// built without that kind; [`ProposeError::ShortPlane`] and [`ProposeError::Library`] for bugs elsewhere.
pub fn propose(
    kind: ProposerKind,
    frame: &Planes,
    neighbor: Option<&Planes>,
    rules: &ProposalRules,
    seed: Seed,
) -> Result<Vec<Proposal>, ProposeError> {
    let neighbor = neighbor.filter(|_| kind != ProposerKind::Grid);
    let scene = Scene::of(frame, neighbor)?;
    let candidates = match kind {
        ProposerKind::Fast => fast::candidates(&scene),
        #[cfg(feature = "opencv")]
        ProposerKind::SelectiveSearch => selective::candidates(frame, &scene)?,
        #[cfg(not(feature = "opencv"))]
        ProposerKind::SelectiveSearch => return Err(ProposeError::NotBuilt { kind }),
        ProposerKind::Grid => grid::candidates(frame.size(), seed),
    };
    Ok(rules.select(candidates, &scene, frame.size()))
}

#[cfg(test)]
mod tests;
