//! Measures of invariance on many threads.

mod retrieving;

pub use retrieving::retrieve;
