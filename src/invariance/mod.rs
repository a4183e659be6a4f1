//! What stands beside a score of invariance: retrieval across the transformation, controls, intervals.
//!
//! **Takes** features, `N x D` numbers, row-major, a row for each image; what each image shows and under which
//! [`Condition`](crate::types::Condition). **Gives** the share of images whose nearest neighbour from afar shows
//! the same ([`retrieval`]), features that know nothing ([`control`]) and how far figures can be trusted
//! ([`interval`]). **Fails** with an error type of each part, all final. **Source**: each part names its own.
//!
//! Nothing here starts a thread; what is worth several comes in blocks that any thread may do, and whose
//! results do not depend on which did.

pub mod control;
pub mod interval;
pub mod retrieval;
mod shape;

pub use shape::ShapeError;
