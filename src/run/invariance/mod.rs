//! What a representation ignores: the score of many units on many threads.

mod scoring;

pub use scoring::{ScoringError, score_features};
