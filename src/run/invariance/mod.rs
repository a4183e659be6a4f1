//! What a representation ignores: the score of many units, and the search for many neighbours, on many threads.

mod retrieving;
mod scoring;

pub use retrieving::{RetrievingError, retrieve};
pub use scoring::{ScoringError, score_features};
