//! Why `vidpairs synth` failed, beyond what every command shares ([`RunError`]).

use vidpairs_run::RunError;

use crate::backdrops::BackdropError;
use crate::catalog::CatalogError;
use crate::set::{ItemError, PlanError};

/// Why `vidpairs synth` failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The objects cannot be listed.
    #[error(transparent)]
    Objects(#[from] CatalogError),
    /// The backgrounds cannot be listed.
    #[error(transparent)]
    Backdrops(#[from] BackdropError),
    /// There is nothing to render.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An item of a rendered set cannot be written.
    #[error("cannot make {item}")]
    Item {
        /// The video or object.
        item: String,
        /// Why.
        #[source]
        source: Box<ItemError>,
    },
    /// No item of a set could be made.
    #[error("none of the {num_items} items could be made; the first, {item}: {reason}")]
    NothingMade {
        /// Number of items tried.
        num_items: u64,
        /// The first of them.
        item: String,
        /// Why it could not be made.
        reason: String,
    },
}

impl From<SynthError> for RunError {
    fn from(error: SynthError) -> Self {
        Self::of(error)
    }
}
