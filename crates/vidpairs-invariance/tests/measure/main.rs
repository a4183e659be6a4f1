//! Compares the measures of invariance with NumPy.

// Clippy recognises tests by their attribute and takes the functions beside them for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chance;
mod golden;
mod retrieval;
